/** Where files are analysed: on the pool, or right here. Both run the same job module under the caller's AsyncLocals. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { marksFor } from "./duplicates.ts";
import { analyseFile } from "./file.jobs.ts";
import type { AnalysisOptions, DeepFile, FileReport } from "./file-report.ts";
import type { Policy } from "./options.ts";
import { markRepeats } from "./repeats.jobs.ts";

export interface Repeats {
  /** By fingerprint: 1 if there is another like it. */
  readonly marks: Uint8Array;
  /** How many pieces of the search were taken by a thread that had no work. */
  readonly stolen: number;
}

export interface Engine {
  /** How many files may be under way, waiting ones included. */
  readonly lookAhead: number;
  /** Rejects with the signal's reason once it is aborted. @param policy how the caller goes on with the report */
  analyse(
    path: string,
    options: AnalysisOptions,
    signal: AbortSignal,
    policy: Policy,
  ): PromiseLike<FileReport | DeepFile>;
  /** @param words the fingerprints, see `markRepeats` */
  findRepeats(words: Uint32Array): PromiseLike<Repeats>;
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
    async findRepeats(words) {
      const marks = marksFor(words);
      markRepeats(words, marks);
      return { marks, stolen: 0 };
    },
    async close() {},
  };
}
