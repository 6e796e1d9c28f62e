/**
 * What it means when `piscina.run` rejects. Outcomes of jobs arrive as values, so a rejection is about the pool or the thread. Piscina gives
 * its errors no codes: they are known by their texts, version 5.3.
 */
import { PoolClosedError, QueueFullError, ThreadCrashedError } from "@skein/pool";
import type { PiscinaPool } from "./piscina-pool.ts";

const FULL = new Set(["Task queue is at limit", "No task queue available and all Workers are busy"]);
/** Its thread is ended: all are by `destroy`. */
const ENDED = "Terminating worker thread";
/** Of `destroy`, and of `close`, which refuses tasks like aborted ones. */
const CLOSED = new Set([ENDED, "The task has been aborted"]);

/**
 * @param hadThread Whether a thread had the job. @param pool As it is now, in the microtask behind the rejection: one that was destroyed has no
 * threads.
 */
export function infrastructureError(cause: unknown, hadThread: boolean, pool: PiscinaPool): Error {
  const { options, threads } = pool;
  const message = cause instanceof Error ? cause.message : "";
  if (FULL.has(message)) return new QueueFullError("maxQueue", options.maxQueue, { cause });
  // With a task that was aborted beside it: a `loadBalancer` of the program's can do that.
  if (message === ENDED && threads.length > 0) return new ThreadCrashedError(1, { wasTerminated: true });
  if (CLOSED.has(message))
    return new PoolClosedError("The Piscina was closed or destroyed before this job ended", { cause });
  const [, exitCode] = /^worker exited with code: (\d+)$/.exec(message) ?? [];
  if (exitCode !== undefined) return new ThreadCrashedError(Number(exitCode));
  // An uncaught error on the thread; or nothing of ours could be loaded there.
  return new ThreadCrashedError(hadThread ? 1 : undefined, { cause });
}
