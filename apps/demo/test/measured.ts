import { measure } from "../src/analyse.ts";
import { takeCensus, wordsOf } from "../src/census.ts";
import type { Census } from "../src/census.ts";
import { marksFor } from "../src/duplicates.ts";
import type { AnalysisOptions, FileReport, ParsedFile } from "../src/file-report.ts";
import { markRepeats } from "../src/repeats.jobs.ts";
import type { Tree } from "../src/walk.ts";

export const ANALYSIS: AnalysisOptions = {
  maxFileBytes: 2_000_000,
  minNodes: 5,
  top: 25,
  logFile: null,
  verbose: false,
};

/** The report of a text, as if it were a file of that name. */
export function measured(name: string, text: string, options: Partial<AnalysisOptions> = {}): ParsedFile {
  return measure(name, text, text.length, { ...ANALYSIS, ...options }, () => {});
}

/** Which functions occur more than once, searched on this thread. */
export function repeatsAmong(words: Uint32Array): Uint8Array {
  const marks = marksFor(words);
  markRepeats(words, marks);
  return marks;
}

export function censusOf(
  tree: Tree,
  reports: readonly (FileReport | undefined)[],
  options: AnalysisOptions,
): Census {
  return takeCensus(tree, reports, options, repeatsAmong(wordsOf(reports)));
}
