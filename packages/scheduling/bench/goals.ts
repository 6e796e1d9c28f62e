/** The goals: each a pair, the native way and ours, and what must hold between them. */

import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal, ExecutionContext } from "@skein/context";
import {
  CancellationTokenSource,
  ManualResetValueTaskSource,
  Task,
  TaskCompletionSource,
  ValueTask,
  awaiter,
} from "@skein/scheduling";
import { measure } from "./measure.ts";
import type { Cost, Way } from "./measure.ts";

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

/** What a reader of a cache gets: mostly there already. */
class Cache {
  #value = 1;
  readonly #kept = ValueTask.fromResult(1);

  // oxlint-disable-next-line typescript/require-await -- that is what is measured.
  async readNative(): Promise<number> {
    return this.#value;
  }

  read(): ValueTask<number> {
    return ValueTask.fromResult(this.#value);
  }

  /** What is over a result can be used any number of times: one object per value, not per read. */
  readKept(): ValueTask<number> {
    return this.#kept;
  }
}

const cache = new Cache();
const settled = Promise.resolve();

async function awaitCompleted(count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += await cache.readNative();
  return sum;
}

function readKept(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const valueTask = cache.readKept();
    if (valueTask.isCompleted) sum += valueTask.getResult();
  }
  return sum;
}

function readFresh(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const valueTask = cache.read();
    if (valueTask.isCompleted) sum += valueTask.getResult();
  }
  return sum;
}

const yieldCompleted = Task.async(function* (count: number) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += yield* cache.read();
  return sum;
});

/** A promise per operation. The producer gives way after each, or nobody would consume it. */
async function pendingNative(count: number): Promise<number> {
  let resolve: (value: number) => void = nothing;
  const consume = async (): Promise<number> => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const operation = Promise.withResolvers<number>();
      resolve = operation.resolve;
      sum += await operation.promise;
    }
    return sum;
  };
  const consumer = consume();
  for (let i = 0; i < count; i++) {
    resolve(1);
    await settled;
  }
  return consumer;
}

/** The same with a thousand consumers who wait at once, so that the producer gives way once for all of them. */
async function pendingNativeWide(count: number): Promise<number> {
  const WIDTH = 1000;
  const resolvers: ((value: number) => void)[] = [];
  let sum = 0;
  const consume = async (slot: number): Promise<void> => {
    for (let i = slot; i < count; i += WIDTH) {
      const { promise, resolve } = Promise.withResolvers<number>();
      resolvers[slot] = resolve;
      sum += await promise;
    }
  };
  const consumers = Array.from({ length: WIDTH }, (_, slot) => consume(slot));
  for (let i = 0; i < count; i += WIDTH) {
    for (let slot = 0; slot < WIDTH; slot++) resolvers[slot]?.(1);
    await Promise.resolve();
  }
  await Promise.all(consumers);
  return sum;
}

const source = new ManualResetValueTaskSource<number>();

const consumePending = Task.async(function* (count: number) {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    source.reset();
    sum += yield* source.valueTask();
  }
  return sum;
});

function pendingReused(count: number): number {
  const consumer = consumePending(count);
  for (let i = 0; i < count; i++) source.setResult(1);
  return consumer.result;
}

let received = 0;
function receive(value: number): void {
  received += value;
}

async function resolveThen(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { promise, resolve } = Promise.withResolvers<number>();
    void promise.then(receive);
    resolve(1);
  }
  await Promise.resolve();
}

const inline = { continuations: "inline" } as const;

function setResultThen(count: number): void {
  for (let i = 0; i < count; i++) {
    const completion = new TaskCompletionSource<number>(inline);
    void completion.task.then(receive);
    completion.setResult(1);
  }
}

function receiveTask(task: Task<number>): void {
  received += task.result;
}

/** As in a program, where who waits is not who completes. */
function receiveFrom(task: Task<number>): void {
  task[awaiter]().unsafeOnCompleted(receiveTask, task);
}

function setResultContinuation(count: number): void {
  for (let i = 0; i < count; i++) {
    const completion = new TaskCompletionSource<number>(inline);
    receiveFrom(completion.task);
    completion.setResult(1);
  }
}

const request = new AsyncLocal<number>();
const storage = new AsyncLocalStorage<number>();

function nothing(): void {}

function snapshotAndRun(count: number): void {
  storage.run(1, () => {
    for (let i = 0; i < count; i++) AsyncLocalStorage.snapshot()(nothing);
  });
}

function captureAndRun(count: number): void {
  request.run(1, () => {
    for (let i = 0; i < count; i++) {
      const context = ExecutionContext.capture();
      if (context !== null) ExecutionContext.run(context, nothing);
    }
  });
}

const longLivedController = new AbortController();
const longLivedSource = new CancellationTokenSource();

function listenUnlisten(count: number): void {
  const { signal } = longLivedController;
  for (let i = 0; i < count; i++) {
    signal.addEventListener("abort", nothing);
    signal.removeEventListener("abort", nothing);
  }
}

function registerUnregister(count: number): void {
  const { token } = longLivedSource;
  for (let i = 0; i < count; i++) token.register(nothing).unregister();
}

function unsafeRegisterUnregister(count: number): void {
  const { token } = longLivedSource;
  for (let i = 0; i < count; i++) token.unsafeRegister(nothing).unregister();
}

function abortOne(count: number): void {
  for (let i = 0; i < count; i++) {
    const controller = new AbortController();
    controller.signal.addEventListener("abort", nothing);
    controller.abort();
  }
}

function cancelOne(count: number): void {
  for (let i = 0; i < count; i++) {
    const cancellation = new CancellationTokenSource();
    cancellation.token.register(nothing);
    cancellation.cancel();
  }
}

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
    ours: setResultThen,
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
