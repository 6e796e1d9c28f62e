/**
 * Every core of the machine, busy for a moment. A virtual machine of which one core was busy gives the others their full speed only 30 to
 * 40 ms after they are wanted: two threads that do nothing but answer each other through shared memory take twice as long in that time.
 * Whoever is over sooner would be measured in it, and nobody else.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

export const IDLE = 0;
export const BUSY = 1;
const BUSY_MS = 50;

let state: Int32Array | null = null;

/** Blocks this thread and keeps a thread on each other core busy as well, for 50 ms. */
export function wakeAllCores(): void {
  state ??= startThreads();
  Atomics.store(state, 0, BUSY);
  Atomics.notify(state, 0);
  const until = performance.now() + BUSY_MS;
  while (performance.now() < until);
  Atomics.store(state, 0, IDLE);
}

function startThreads(): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  for (let core = 1; core < availableParallelism(); core++) {
    new Worker(new URL("./busy-core.worker.ts", import.meta.url), { workerData: shared }).unref();
  }
  return shared;
}
