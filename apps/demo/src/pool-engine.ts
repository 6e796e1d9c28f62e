/** The pool as an engine. The one file that knows it. */
import { ThreadPool } from "@skein/pool";
import { marksFor } from "./duplicates.ts";
import type { Engine } from "./engine.ts";
import type * as FileJobs from "./file.jobs.ts";
import type * as RepeatJobs from "./repeats.jobs.ts";

/** Enough for the threads never to run dry, little enough for a cancelled scan to end at once. */
const JOBS_AHEAD = 4096;
const CLOSE_TIMEOUT_MS = 2000;

/** @param trace Where to write a timeline of the pool, or null. */
export function openPoolEngine(threads: number, trace: string | null): Engine {
  const pool = new ThreadPool({ name: "census", maxThreads: threads, trace: trace ?? undefined });
  const files = pool.module<typeof FileJobs>(new URL("./file.jobs.ts", import.meta.url));
  const repeats = pool.module<typeof RepeatJobs>(new URL("./repeats.jobs.ts", import.meta.url));
  return {
    lookAhead: JOBS_AHEAD,
    analyse: (path, options, signal, policy) =>
      pool.run(files.analyseFile, [path, options], {
        signal,
        continuations: policy,
        // Its thread dies before it has pushed or logged anything, so it may run again.
        retries: options.lethal === undefined ? 0 : 1,
      }),
    async findRepeats(words) {
      const marks = marksFor(words);
      const before = pool.stats().stolen;
      await repeats.markRepeats(words, marks);
      return { marks, stolen: pool.stats().stolen - before };
    },
    close: () => pool.close({ drain: false, timeoutMs: CLOSE_TIMEOUT_MS }),
  };
}
