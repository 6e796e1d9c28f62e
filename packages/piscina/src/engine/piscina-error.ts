/**
 * What it means when `piscina.run` rejects. Outcomes of jobs arrive as values, so a rejection is about the pool or the thread. Piscina gives
 * its errors no codes: they are known by their texts, version 5.3.
 */
import { PoolClosedError, QueueFullError, ThreadCrashedError } from "@skein/pool";
import type { CarriedJob } from "@skein/pool/engine";
import type { PiscinaPool } from "./piscina-pool.ts";

const FULL = new Set(["Task queue is at limit", "No task queue available and all Workers are busy"]);
/** Of `destroy`, and of `close`, which refuses tasks like aborted ones. */
const CLOSED = new Set(["Terminating worker thread", "The task has been aborted"]);

export function infrastructureError(cause: unknown, job: CarriedJob, { options }: PiscinaPool): Error {
  const message = cause instanceof Error ? cause.message : "";
  if (FULL.has(message)) return new QueueFullError("maxQueue", options.maxQueue, { cause });
  if (CLOSED.has(message))
    return new PoolClosedError("The Piscina was closed or destroyed before this job ended", { cause });
  const [, exitCode] = /^worker exited with code: (\d+)$/.exec(message) ?? [];
  if (exitCode !== undefined) return new ThreadCrashedError(Number(exitCode));
  // An uncaught error on the thread; or nothing of ours could be loaded there.
  return new ThreadCrashedError(job.hasBegun ? 1 : undefined, { cause });
}
