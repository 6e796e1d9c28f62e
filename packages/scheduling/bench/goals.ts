/** The goals: each a pair, the native way and ours, and what must hold between them. */

import { CancellationTokenSource, Task, TaskCompletionSource } from "@skein/scheduling";
import { measure } from "./measure.ts";
import type { Cost, Way } from "./measure.ts";
import {
  abortOne,
  cancelOne,
  listenUnlisten,
  registerUnregister,
  unsafeRegisterUnregister,
} from "./ways/cancelling.ts";
import { captureAndRun, snapshotAndRun } from "./ways/capturing.ts";
import { awaitCompleted, readFresh, readKept, yieldCompleted } from "./ways/completed.ts";
import { pendingNative, pendingNativeWide, pendingReused } from "./ways/pending.ts";
import { resolveThen, setResultContinuation, setResultThen } from "./ways/settling.ts";

export interface Row {
  readonly what: string;
  readonly goal: string;
  readonly native: Cost | undefined;
  readonly ours: Cost | undefined;
  readonly outcome: string;
  /** Undefined for a comparison, which has no goal. */
  readonly isMet: boolean | undefined;
}

interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly count: number;
  readonly native: Way;
  readonly ours: Way;
  readonly isMet: (native: Cost, ours: Cost) => boolean | undefined;
}

const inline = { continuations: "inline" } as const;

const goals: readonly Goal[] = [
  {
    what: "completed ValueTask, isCompleted/getResult, next to await of an async function",
    goal: "0 B, >= 8x faster",
    count: 200_000,
    native: awaitCompleted,
    ours: readKept,
    isMet: (native, ours) => ours.bytes < 1 && native.ns >= 8 * ours.ns,
  },
  {
    what: "the same with a ValueTask made for each read: 48 B, unless V8 sees through it",
    goal: "(for comparison)",
    count: 500_000,
    native: awaitCompleted,
    ours: readFresh,
    isMet: () => undefined,
  },
  {
    what: "a ValueTask made for each read, awaited in a generator method",
    goal: ">= 2.5x faster, >= 5x fewer bytes",
    count: 200_000,
    native: awaitCompleted,
    ours: yieldCompleted,
    isMet: (native, ours) => native.ns >= 2.5 * ours.ns && native.bytes >= 5 * ours.bytes,
  },
  {
    what: "1 000 000 pending operations on one reused source, generator method, inline",
    goal: "<= 16 B each, >= 1.5x the throughput of a promise per operation",
    count: 1_000_000,
    native: pendingNative,
    ours: pendingReused,
    isMet: (native, ours) => ours.bytes <= 16 && native.ns >= 1.5 * ours.ns,
  },
  {
    what: "the same, next to 1000 consumers at once, who share the turn that the producer gives",
    goal: "(for comparison)",
    count: 1_000_000,
    native: pendingNativeWide,
    ours: pendingReused,
    isMet: () => undefined,
  },
  {
    what: "TaskCompletionSource, inline continuation through the awaiter, next to resolve -> then",
    goal: ">= 2x faster",
    count: 100_000,
    native: resolveThen,
    ours: setResultContinuation,
    isMet: (native, ours) => native.ns >= 2 * ours.ns,
  },
  {
    what: "the same through then, which captures the context and makes a second task",
    goal: "(for comparison)",
    count: 100_000,
    native: resolveThen,
    ours: setResultThen("inline"),
    isMet: () => undefined,
  },
  {
    what: "capture + run, context unchanged, next to AsyncLocalStorage.snapshot()",
    goal: ">= 20x cheaper",
    count: 100_000,
    native: snapshotAndRun,
    ours: captureAndRun,
    isMet: (native, ours) => native.ns >= 20 * ours.ns,
  },
  {
    what: "token unsafeRegister + unregister, next to AbortSignal: neither captures a context",
    goal: ">= 5x faster",
    count: 100_000,
    native: listenUnlisten,
    ours: unsafeRegisterUnregister,
    isMet: (native, ours) => native.ns >= 5 * ours.ns,
  },
  {
    what: "the same with register, which captures the context",
    goal: ">= 5x faster",
    count: 100_000,
    native: listenUnlisten,
    ours: registerUnregister,
    isMet: (native, ours) => native.ns >= 5 * ours.ns,
  },
  {
    what: "create + register + cancel, next to AbortController",
    goal: ">= 5x faster",
    count: 20_000,
    native: abortOne,
    ours: cancelOne,
    isMet: (native, ours) => native.ns >= 5 * ours.ns,
  },
];

/** @param only measures the goals whose description contains it. */
export async function measureGoals(only: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { what, goal, count, native, ours, isMet } of goals) {
    if (!what.includes(only)) continue;
    const cost = await measure({ native, ours }, count);
    const ratio = cost.native.ns / cost.ours.ns;
    rows.push({
      what,
      goal,
      native: cost.native,
      ours: cost.ours,
      outcome: `${ratio.toFixed(1)}x`,
      isMet: isMet(cost.native, cost.ours),
    });
  }
  if (only === "") rows.push(await waitManyTimes(), await chains());
  return rows;
}

/** A million waits with one token: each ends because its task does, and must leave nothing on the token. */
async function waitManyTimes(): Promise<Row> {
  const { token } = new CancellationTokenSource();
  const waits = 1_000_000;
  const wait = async (): Promise<void> => {
    for (let i = 0; i < waits; i++) {
      const completion = new TaskCompletionSource<number>(inline);
      const waiting = completion.task.waitAsync({ signal: token });
      completion.setResult(1);
      if (waiting.status !== "succeeded") throw new Error("the wait did not end with its task");
      if (i % 10_000 === 0) await Task.yield();
    }
  };
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  await wait();
  globalThis.gc?.();
  const growth = process.memoryUsage().heapUsed - before;
  return {
    what: "waitAsync on a long-lived token, 1 000 000 times",
    goal: "no registration left, flat heap",
    native: undefined,
    ours: undefined,
    outcome: `heap ${growth >= 0 ? "+" : ""}${(growth / 1024).toFixed(0)} KiB`,
    isMet: growth < 1024 * 1024,
  };
}

async function chains(): Promise<Row> {
  const DEPTH = 12_000;
  const first = new TaskCompletionSource<number>(inline);
  let continuations: Task<number> = first.task;
  let unwraps: Task<number> = first.task;
  let awaits: Task<number> = first.task;
  const next = Task.async(function* (task: Task<number>) {
    return (yield* task) + 1;
  });
  for (let i = 0; i < DEPTH; i++) {
    continuations = continuations.then((value) => value + 1);
    const inner = unwraps;
    unwraps = Task.fromResult(0).continueWith(() => inner);
    awaits = next(awaits);
  }
  await Task.yield();
  first.setResult(0);
  const results = await Task.whenAll([continuations, unwraps, awaits]);
  return {
    what: "chains of 12 000 inline continuations, unwraps, awaits",
    goal: "no overflow",
    native: undefined,
    ours: undefined,
    outcome: results.join(", "),
    isMet: results[0] === DEPTH && results[1] === 0 && results[2] === DEPTH,
  };
}
