import { measure } from "../src/analyse.ts";
import type { AnalysisOptions, ParsedFile } from "../src/file-report.ts";

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
