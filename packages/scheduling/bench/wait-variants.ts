/**
 * Three ways to wait for a task with a token, as they are found in print: each waits many times with one token and for one
 * task that both live long, and is told to give up or not. What counts is what stays behind.
 *
 * 1. race: `whenAny` of the task and of one that the token completes. Nothing is taken off the token.
 * 2. extension: a TaskCompletionSource, a registration that is disposed of by a continuation of the task, which
 *    itself stays on the task when the token wins.
 * 3. waitAsync: takes off both hooks, whichever ends the wait.
 */

import { CancellationTokenSource, Task, TaskCompletionSource } from "@skein/scheduling";
import type { CancellationToken } from "@skein/scheduling";

export interface WaitOutcome {
  readonly variant: string;
  readonly endedBy: "the task" | "the token";
  readonly ns: number;
  readonly allocated: number;
  readonly retained: number;
}

const WAITS = 50_000;

export function race<T>(task: Task<T>, token: CancellationToken): Task<Task<unknown>> {
  const canceled = new TaskCompletionSource<never>();
  token.register(() => canceled.trySetCanceled(token));
  return Task.whenAny<Task<unknown>>([task, canceled.task]);
}

export function extension<T>(task: Task<T>, token: CancellationToken): Task<T> {
  const source = new TaskCompletionSource<T>({ continuations: "inline" });
  const registration = token.register(() => source.trySetCanceled(token));
  void task.continueWith(
    () => {
      registration.unregister();
      source.trySetFromTask(task);
    },
    { policy: "inline" },
  );
  return source.task;
}

export function waitAsync<T>(task: Task<T>, token: CancellationToken): Task<T> {
  return task.waitAsync({ signal: token });
}

const variants: readonly [string, (task: Task<number>, token: CancellationToken) => Task<unknown>][] = [
  ["race with whenAny", race],
  ["extension with a continuation", extension],
  ["waitAsync", waitAsync],
];

export async function measureWaits(): Promise<WaitOutcome[]> {
  const outcomes: WaitOutcome[] = [];
  for (const [variant, wait] of variants) {
    outcomes.push(await measure(variant, "the task", wait), await measure(variant, "the token", wait));
  }
  return outcomes;
}

export async function measure(
  variant: string,
  endedBy: WaitOutcome["endedBy"],
  wait: (task: Task<number>, token: CancellationToken) => Task<unknown>,
  waits: number = WAITS,
): Promise<WaitOutcome> {
  const longLivedToken = new CancellationTokenSource();
  const longLivedTask = new TaskCompletionSource<number>({ continuations: "inline" });
  const once = (): void => {
    if (endedBy === "the task") {
      const source = new TaskCompletionSource<number>({ continuations: "inline" });
      void wait(source.task, longLivedToken.token);
      source.setResult(1);
    } else {
      const source = new CancellationTokenSource();
      void wait(longLivedTask.task, source.token);
      source.cancel();
    }
  };
  for (let i = 0; i < 1000; i++) once();
  await collect();
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  for (let i = 0; i < waits; i++) once();
  const ns = ((performance.now() - start) * 1e6) / waits;
  const allocated = (process.memoryUsage().heapUsed - before) / waits;
  await collect();
  const retained = Math.max(0, (process.memoryUsage().heapUsed - before) / waits);
  // Both have to live until here.
  if (longLivedToken.isCancellationRequested || longLivedTask.task.isCompleted)
    throw new Error("ended early");
  return { variant, endedBy, ns, allocated, retained };
}

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await Task.yield();
    globalThis.gc?.();
  }
}
