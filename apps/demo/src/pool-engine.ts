/** The pool as an engine. The one file that knows it. */
import { ThreadPool } from "@skein/pool";
import type { Engine } from "./engine.ts";
import type * as FileJobs from "./file.jobs.ts";
import type { Policy } from "./options.ts";

/** Enough for the threads never to run dry, little enough for a cancelled scan to end at once. */
const JOBS_AHEAD = 4096;
const CLOSE_TIMEOUT_MS = 2000;

/** @param trace Where to write a timeline of the pool, or null. */
export function openPoolEngine(threads: number, policy: Policy, trace: string | null): Engine {
  const pool = new ThreadPool({ name: "census", maxThreads: threads, trace: trace ?? undefined });
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const jobs = pool.module<typeof FileJobs>(new URL(`./file.jobs${extension}`, import.meta.url));
  return {
    lookAhead: JOBS_AHEAD,
    analyse: (path, options, signal) =>
      pool.run(jobs.analyseFile, [path, options], { signal, continuations: policy }),
    close: () => pool.close({ drain: false, timeoutMs: CLOSE_TIMEOUT_MS }),
  };
}
