import { appendFileSync } from "node:fs";
import { threadId } from "node:worker_threads";
import { contextFields } from "@skein/context/log";
import type { AnalysisOptions, DeepFile, FileReport } from "./file-report.ts";

/** Writes what there is to say about a file, if anything: trouble always, success only when asked to. */
export function logReport(file: string, report: FileReport | DeepFile, options: AnalysisOptions): void {
  const { logFile, verbose } = options;
  if (logFile === null) return;
  if (report.kind === "deep") {
    appendLogLine(logFile, "info", { msg: "nested deeply: goes to the thread with the large stack", file });
  } else if (report.kind !== "parsed") {
    appendLogLine(logFile, "warn", { msg: report.message, file });
  } else if (report.problemCount > 0) {
    const { problemCount: errors, problems } = report;
    appendLogLine(logFile, "warn", { msg: "syntax errors", file, errors, first: problems[0] });
  } else if (verbose) {
    const { lines, functions } = report;
    appendLogLine(logFile, "info", { msg: "analysed", file, lines, functions });
  }
}

/**
 * Appends one line of NDJSON. Every thread writes for itself: a line is one write in append mode, so lines of different
 * threads never mix. The correlation ids are those that came with the running job.
 */
function appendLogLine(
  file: string,
  level: "info" | "warn",
  fields: Readonly<Record<string, unknown>>,
): void {
  const line = { time: new Date().toISOString(), level, ...contextFields(), threadId, ...fields };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}
