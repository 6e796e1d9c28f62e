/** The thread for files that nest too deeply for an ordinary stack. See deep-files.ts, which starts it. */
import { parentPort } from "node:worker_threads";
import { ExecutionContext } from "@skein/context";
import type { ContextCarrier } from "@skein/context";
import { analyse } from "./analyse.ts";
import type { AnalysisOptions, FileReport } from "./file-report.ts";
import { logReport } from "./worker-log.ts";
import { pushRows } from "./worker-rows.ts";

export interface DeepRequest {
  readonly path: string;
  readonly options: AnalysisOptions;
  readonly context: ContextCarrier | null;
}

parentPort!.on("message", ({ path, options, context }: DeepRequest) => {
  ExecutionContext.run(ExecutionContext.fromCarrier(context), () => {
    const found = analyse(path, options, () => {});
    const report: FileReport =
      found.kind === "deep"
        ? { kind: "unreadable", bytes: 0, message: "not analysed: nested too deeply for the parser" }
        : found;
    logReport(path, report, options);
    pushRows(path, report, options.rows);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    parentPort!.postMessage(report);
  });
});
