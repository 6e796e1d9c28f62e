/** The pool as an engine. */
import { ThreadPool } from "@skein/pool";
import { marksFor } from "./duplicates.ts";
import type { Engine } from "./engine.ts";
import type * as FileJobs from "./file.jobs.ts";
import type * as RepeatJobs from "./repeats.jobs.ts";

/** Enough for the threads never to run dry, little enough for a cancelled scan to end at once. */
const JOBS_AHEAD = 4096;
const CLOSE_TIMEOUT_MS = 2000;

/** How often a file is read again whose thread has died. */
const RETRIES = 2;

/** @param trace Where to write a timeline of the pool, or null. */
export function openPoolEngine(threads: number, trace: string | null): Engine {
  return poolEngine(new ThreadPool({ name: "census", maxThreads: threads, trace: trace ?? undefined }));
}

/** `close` closes the pool. */
export function poolEngine(pool: ThreadPool): Engine {
  const files = pool.module<typeof FileJobs>(new URL("./file.jobs.ts", import.meta.url));
  const repeats = pool.module<typeof RepeatJobs>(new URL("./repeats.jobs.ts", import.meta.url));
  return {
    lookAhead: JOBS_AHEAD,
    analyse: (path, options, signal, policy) =>
      pool.run(files.analyseFile, [path, options], {
        signal,
        continuations: policy,
        // Rows must not be pushed twice. A lethal file ends its thread before it has pushed any.
        retries: options.rows === undefined || options.lethal !== undefined ? RETRIES : 0,
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
