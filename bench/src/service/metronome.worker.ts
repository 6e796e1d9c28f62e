/**
 * Tells the load generator when the next request is due. A timer of the event loop is up to a millisecond late, as long as a
 * light request takes; a thread that sleeps on a word is late by a few microseconds, and costs as good as no CPU.
 */
import { parentPort, workerData } from "node:worker_threads";
import { clockMs } from "./clock.ts";

export interface MetronomeData {
  readonly dueMs: Float64Array;
  readonly startMs: number;
}

const { dueMs, startMs } = workerData as MetronomeData;
const never = new Int32Array(new SharedArrayBuffer(4));

for (let i = 0; i < dueMs.length; i++) {
  const waitMs = startMs + dueMs[i]! - clockMs();
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  parentPort?.postMessage(i);
}
