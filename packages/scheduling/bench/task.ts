/**
 * What a Task costs next to a promise, and what each policy does to the event loop in a burst of results.
 *
 *     node --expose-gc packages/scheduling/bench/task.ts
 *
 * Measures the built package. Bytes are what one operation allocates.
 */

import { Task, TaskCompletionSource } from "@skein/scheduling";
import { awaitPromise, awaitSubclass, awaitTask } from "./ways/settled.ts";

type NamedPolicy = "inline" | "asynchronous" | "yield";

const OPERATIONS = 20_000;
/** Few enough to fit the young generation: no collection falsifies the bytes. */
const FEW_OPERATIONS = 400;
const BURST = 20_000;

async function measure(name: string, run: (count: number) => Promise<unknown>): Promise<void> {
  let ns = Infinity;
  for (let i = 0; i < 30; i++) {
    const start = performance.now();
    await run(OPERATIONS);
    ns = Math.min(ns, ((performance.now() - start) * 1e6) / OPERATIONS);
  }
  const samples: number[] = [];
  for (let i = 0; i < 15; i++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    await run(FEW_OPERATIONS);
    samples.push((process.memoryUsage().heapUsed - before) / FEW_OPERATIONS);
  }
  const bytes = samples.toSorted((a, b) => a - b)[7] ?? Number.NaN;
  console.log(`${name.padEnd(56)} ${ns.toFixed(0).padStart(6)} ns ${bytes.toFixed(0).padStart(6)} B`);
}

function settling(continuations: NamedPolicy): (count: number) => Promise<void> {
  const options = { continuations };
  return async (count) => {
    for (let i = 0; i < count; i++) {
      const source = new TaskCompletionSource<number>(options);
      void source.task.then(nothing);
      source.setResult(i);
      if (i % 256 === 0) await Promise.resolve();
    }
    if (continuations === "yield") await Task.yield();
  };
}

async function settlingPromises(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { promise, resolve } = Promise.withResolvers<number>();
    void promise.then(nothing);
    resolve(i);
    if (i % 256 === 0) await Promise.resolve();
  }
}

function nothing(): void {}

/** All results arrive in one turn; every awaiting function then works for a while. */
async function burst(continuations: NamedPolicy, workUs: number): Promise<void> {
  const sources = Array.from({ length: BURST }, () => new TaskCompletionSource<number>({ continuations }));
  const consumers = sources.map(async (source) => {
    await source.task;
    for (const end = performance.now() + workUs / 1000; performance.now() < end;);
  });
  await new Promise(setImmediate);
  let longestMs = 0;
  let last = performance.now();
  let handle = setImmediate(function turn() {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    handle = setImmediate(turn);
  });
  const start = performance.now();
  for (const source of sources) source.setResult(1);
  await Promise.all(consumers);
  await new Promise(setImmediate);
  clearImmediate(handle);
  const totalMs = performance.now() - start;
  const name = `${BURST} results of ${workUs} us each, ${continuations}`;
  console.log(
    `${name.padEnd(56)} ${totalMs.toFixed(0).padStart(6)} ms, longest stall ${longestMs.toFixed(1)} ms`,
  );
}

await measure("await a settled promise", awaitPromise);
await measure("await a settled subclass of Promise", awaitSubclass);
await measure("await a settled Task", awaitTask);
await measure("withResolvers, then, resolve", settlingPromises);
for (const policy of ["inline", "asynchronous", "yield"] as const) {
  await measure(`TaskCompletionSource, then, setResult, ${policy}`, settling(policy));
}
for (const workUs of [0, 20]) {
  for (const policy of ["inline", "asynchronous", "yield"] as const) await burst(policy, workUs);
}
