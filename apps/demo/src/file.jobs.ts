/** The job module: one job is one file. Runs unchanged on a pool thread and on the main thread. */
import { job } from "@skein/pool/worker";
import { analyse } from "./analyse.ts";
import type { AnalysisOptions, DeepFile, FileReport } from "./file-report.ts";
import { logReport } from "./worker-log.ts";
import { pushRows } from "./worker-rows.ts";

/**
 * Reads, parses and measures the file at `path`, writes about it to the log, and pushes its rows.
 * Never throws for what is wrong with the file: that is part of the report.
 * @throws the cancellation reason, when the scan is cancelled while a large file is under way.
 */
export function analyseFile(path: string, options: AnalysisOptions): FileReport | DeepFile {
  // 0 until a thread has died of it: then the file is like any other.
  if (options.lethal !== undefined && Atomics.exchange(options.lethal, 0, 1) === 0) process.exit(1);
  const report = analyse(path, options, () => job.throwIfCancellationRequested());
  logReport(path, report, options);
  pushRows(path, report, options.rows);
  return report;
}
