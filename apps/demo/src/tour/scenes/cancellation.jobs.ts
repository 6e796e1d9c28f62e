/** A job that never awaits, so no event ever reaches it: it reads a flag in shared memory. */
import { job } from "@skein/pool/worker";

/** @param rounds at 0 it counts; at 1 it says that it has stopped. */
// tour: begin
export function count(rounds: Int32Array): number {
  while (!job.isCancellationRequested) Atomics.add(rounds, 0, 1);
  Atomics.store(rounds, 1, 1);
  Atomics.notify(rounds, 1);
  return job.threadId;
}
// tour: end

export function whereAmI(): number {
  return job.threadId;
}
