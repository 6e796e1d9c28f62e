/** The end of a scan, on a thread: the census of what is stored, from the database, so that the main thread neither reads nor compares it. */
import { takeCensus, wordsOf } from "../census.ts";
import { marksFor } from "../duplicates.ts";
import { DEFAULT_ANALYSIS } from "../file-report.ts";
import type { FileReport } from "../file-report.ts";
import { digestOf } from "../json.ts";
import { importQuietly } from "../quiet-import.ts";
import { markRepeats } from "../repeats.jobs.ts";
import type { Tree } from "../walk.ts";

// It forks itself: threads find it as an export of the module of the job.
export { markRepeats };

/** The digest of the census, as `census --json` has it. @param database the file */
export async function digestOfScan(database: string, scan: string, tree: Tree): Promise<string> {
  const { DatabaseSync } = await importQuietly(() => import("node:sqlite"));
  const reports = Array.from({ length: tree.files.length }, (): FileReport | undefined => undefined);
  const opened = new DatabaseSync(database, { readOnly: true });
  try {
    const stored = opened.prepare("SELECT position, report FROM reports WHERE scan = ?");
    for (const { position, report } of stored.iterate(scan))
      reports[Number(position)] = JSON.parse(String(report)) as FileReport;
  } finally {
    opened.close();
  }
  const words = wordsOf(reports);
  const marks = marksFor(words);
  // Its forks go to other threads.
  markRepeats(words, marks);
  return digestOf(takeCensus(tree, reports, DEFAULT_ANALYSIS, marks));
}
