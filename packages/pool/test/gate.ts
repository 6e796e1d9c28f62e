import { setTimeout as sleep } from "node:timers/promises";
import type { JobEngine } from "../src/index.ts";

/** Shared words by which a test and a job wait for each other without sleeping. */
export function makeGate(words = 2): Int32Array {
  return new Int32Array(new SharedArrayBuffer(words * 4));
}

/** Resolves when `gate[index]` is not 0. Keeps the event loop alive, which a bare waitAsync does not. */
export async function opened(gate: Int32Array, index = 0): Promise<void> {
  // Sleeps in between: what turns without a pause takes a core from the thread that is waited for.
  while (Atomics.load(gate, index) === 0) await sleep(1);
}

export function open(gate: Int32Array, index = 0): void {
  Atomics.store(gate, index, 1);
  Atomics.notify(gate, index);
}

/** Resolves when every thread of the pool has started: each runs a job that waits for all others. */
export async function allStarted(pool: JobEngine, threads: number): Promise<void> {
  const arrived = makeGate(1);
  await Promise.all(Array.from({ length: threads }, () => pool.run(meet, [arrived, threads])));
}

const meet = (arrived: Int32Array, threads: number): void => {
  Atomics.add(arrived, 0, 1);
  Atomics.notify(arrived, 0);
  for (let seen = Atomics.load(arrived, 0); seen < threads; seen = Atomics.load(arrived, 0)) {
    Atomics.wait(arrived, 0, seen);
  }
};

/** The main thread does nothing, for longer than a thread waits for what it has asked for. */
export function blockMainThread(): void {
  Atomics.wait(makeGate(1), 0, 0, 60);
}

export const sampleJobs = new URL("./fixtures/sample.jobs.ts", import.meta.url);
