/** The `Worker` objects of this thread by their id: pools name their threads by it, and Piscina's users get at the objects. */
import { subscribe } from "node:diagnostics_channel";
import type { Worker } from "node:worker_threads";

const made = new Map<number, Worker>();
let isWatching = false;

/** Node publishes each worker as it is made. */
export function watchWorkers(): void {
  if (isWatching) return;
  isWatching = true;
  subscribe("worker_threads", (message) => {
    const { worker } = message as { readonly worker: Worker };
    const { threadId } = worker;
    made.set(threadId, worker);
    worker.once("exit", () => made.delete(threadId));
  });
}

export function workerOf(threadId: number): Worker | undefined {
  return made.get(threadId);
}
