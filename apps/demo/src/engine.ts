/** Where files are analysed: on the pool, or right here. Both run the same job module under the caller's AsyncLocals. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { analyseFile } from "./file.jobs.ts";
import type { AnalysisOptions, DeepFile, FileReport } from "./file-report.ts";

export interface Engine {
  /** How many files may be under way, waiting ones included. */
  readonly lookAhead: number;
  /** Rejects with the signal's reason once it is aborted. */
  analyse(path: string, options: AnalysisOptions, signal: AbortSignal): PromiseLike<FileReport | DeepFile>;
  close(): PromiseLike<void>;
}

/** No pool: one file after the other on this thread, which draws breath in between. */
export function openDirectEngine(): Engine {
  return {
    lookAhead: 1,
    async analyse(path, options, signal) {
      await nextTurn();
      signal.throwIfAborted();
      return analyseFile(path, options);
    },
    async close() {},
  };
}
