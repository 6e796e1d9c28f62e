/**
 * A burst: 20 000 results arrive in one turn of the event loop, and each awaiting function then works for a while. What each
 * policy makes of it: how long it takes in all, and how long the event loop stands still at the longest.
 */

import { EventLoopScheduler, Task, TaskCompletionSource } from "@skein/scheduling";
import type { ContinuationPolicy } from "@skein/scheduling";

export interface BurstOutcome {
  readonly policy: string;
  readonly consumer: Consumer;
  readonly workUs: number;
  readonly totalMs: number;
  readonly longestStallMs: number;
  readonly turns: number;
}

/** How the results are awaited. */
export type Consumer = "native await" | "generator method";

export const RESULTS = 20_000;
const REPEATS = 5;

const policies: readonly [string, () => ContinuationPolicy][] = [
  ["inline", () => "inline"],
  ["asynchronous", () => "asynchronous"],
  ["yield", () => "yield"],
  ["EventLoopScheduler, 16 ms", () => new EventLoopScheduler({ budgetMs: 16 })],
];

export async function measureBursts(): Promise<BurstOutcome[]> {
  const outcomes: BurstOutcome[] = [];
  for (const workUs of [0, 5, 20]) {
    for (const consumer of ["native await", "generator method"] as const) {
      for (const [policy, create] of policies) {
        const runs: Omit<BurstOutcome, "policy" | "consumer" | "workUs">[] = [];
        for (let i = 0; i < REPEATS; i++) runs.push(await burst(create(), consumer, workUs));
        runs.sort((a, b) => a.totalMs - b.totalMs);
        const middle = runs[Math.floor(REPEATS / 2)];
        if (middle !== undefined) outcomes.push({ policy, consumer, workUs, ...middle });
      }
    }
  }
  return outcomes;
}

/** What stands still while results arrive; the same for whoever completes them. */
export interface Burst {
  readonly totalMs: number;
  readonly longestStallMs: number;
  readonly turns: number;
}

export async function burst(
  continuations: ContinuationPolicy,
  consumer: Consumer,
  workUs: number,
  results: number = RESULTS,
): Promise<Burst> {
  const sources = Array.from({ length: results }, () => new TaskCompletionSource<number>({ continuations }));
  const method = Task.async(function* (source: TaskCompletionSource<number>) {
    yield* source.task;
    work(workUs);
  });
  const native = async (source: TaskCompletionSource<number>): Promise<void> => {
    await source.task;
    work(workUs);
  };
  const consumers = sources.map((source) => (consumer === "native await" ? native(source) : method(source)));
  return watch(() => {
    for (const source of sources) source.setResult(1);
  }, Task.whenAll(consumers));
}

/** The same with promises, which know one policy. */
export async function promiseBurst(workUs: number, results: number = RESULTS): Promise<Burst> {
  const sources = Array.from({ length: results }, () => Promise.withResolvers<number>());
  const consumers = sources.map(async ({ promise }) => {
    await promise;
    work(workUs);
  });
  return watch(() => {
    for (const { resolve } of sources) resolve(1);
  }, Promise.all(consumers));
}

function work(us: number): void {
  for (const end = performance.now() + us / 1000; performance.now() < end;);
}

async function watch(complete: () => void, all: PromiseLike<unknown>): Promise<Burst> {
  await new Promise(setImmediate);
  let longestStallMs = 0;
  let turns = 0;
  let last = performance.now();
  let handle = setImmediate(function turn() {
    const now = performance.now();
    longestStallMs = Math.max(longestStallMs, now - last);
    last = now;
    turns++;
    handle = setImmediate(turn);
  });
  const start = performance.now();
  complete();
  await all;
  const totalMs = performance.now() - start;
  await new Promise(setImmediate);
  clearImmediate(handle);
  return { totalMs, longestStallMs, turns };
}
