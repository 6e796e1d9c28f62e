/* oxlint-disable require-yield -- methods that complete without waiting are part of what is tested */
import { AsyncLocal } from "@skein/context";
import { describe, expect, it } from "vitest";
import {
  type ConfiguredValueTask,
  ManualResetValueTaskSource,
  Task,
  TaskCompletionSource,
  ValueTask,
  type ValueTaskSource,
  type ValueTaskStatus,
  awaiter,
} from "../src/index.ts";
import { untyped } from "./untyped.ts";

const DEPTH = 12_000;

const callBack = <S>(continuation: (state: S) => void, state: S): void => continuation(state);

const iteratorOf = (wait: ValueTask<number> | ConfiguredValueTask<number>): never =>
  untyped(wait[Symbol.iterator]());

/** A source of one operation, which completes when somebody waits for it. */
function eager(): ValueTaskSource<number> {
  let status: ValueTaskStatus = "pending";
  return {
    getStatus: () => status,
    getResult: () => 1,
    onCompleted(continuation, state) {
      status = "succeeded";
      continuation(state);
    },
  };
}

describe("A4.9 12 000 deep chains do not overflow", () => {
  it("then, inline", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) last = last.then((value) => value + 1);
    source.setResult(0);
    expect(await last).toBe(DEPTH);
  });

  it("continueWith, inline", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) last = last.continueWith((task) => task.result + 1, { policy: "inline" });
    source.setResult(0);
    expect(await last).toBe(DEPTH);
  });

  it("sources that complete each other", async () => {
    const sources = Array.from(
      { length: DEPTH },
      () => new TaskCompletionSource<number>({ continuations: "inline" }),
    );
    sources.forEach((source, index) => {
      void source.task.then((value) => sources[index + 1]?.setResult(value + 1));
    });
    sources[0]?.setResult(0);
    expect(await sources.at(-1)?.task).toBe(DEPTH - 1);
  });

  it("tasks that resolve to tasks", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) {
      const inner = last;
      last = Task.fromResult(0).continueWith(() => inner);
    }
    await Task.yield();
    source.setResult(7);
    expect(await last).toBe(7);
  });

  it("whenAll, whenAny and waitAsync of each other", async () => {
    const source = new TaskCompletionSource<unknown>({ continuations: "inline" });
    let last: Task<unknown> = source.task;
    for (let i = 0; i < DEPTH / 3; i++) {
      last = Task.whenAll([Task.whenAny([last])]).waitAsync({ signal: new AbortController().signal });
    }
    source.setResult(1);
    await last.continueWith((task) => task.status);
    expect(last.status).toBe("succeeded");
  });

  it("thenables that call back at once with the next one, in the context of the caller", async () => {
    const local = new AsyncLocal<string>();
    const seen = new Set<unknown>();
    const nested = (depth: number): PromiseLike<string> =>
      // oxlint-disable-next-line unicorn/no-thenable, typescript/no-unsafe-type-assertion -- the least that is one
      ({
        then(resolve: (value: unknown) => void) {
          seen.add(local.value);
          resolve(depth === 0 ? "end" : nested(depth - 1));
        },
      }) as PromiseLike<string>;
    const tasks = local.run("caller", () => [
      Task.from(nested(DEPTH)),
      Task.run(() => nested(DEPTH)),
      Task.fromResult(0).then(() => nested(DEPTH)),
    ]);
    expect(await Task.whenAll(tasks)).toEqual(["end", "end", "end"]);
    expect([...seen]).toEqual(["caller"]);
  });

  it("nested awaits", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const nested = async (task: Task<number>): Promise<number> => await task;
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) last = Task.from(nested(last));
    source.setResult(7);
    expect(await last).toBe(7);
  });

  it("generator methods that wait for each other", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const next = Task.async(function* (task: Task<number>) {
      return (yield* task) + 1;
    });
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) last = next(last);
    source.setResult(0);
    expect(await last).toBe(DEPTH);
  });

  it("generator methods that call each other, on one stack", async () => {
    const down: (n: number) => Task<number> = Task.async(function* (
      n: number,
    ): Generator<unknown, number, unknown> {
      return n === 0 ? 0 : (yield* down(n - 1)) + 1;
    });
    expect(await down(DEPTH)).toBe(DEPTH);
  });

  it("pooled methods, sources that complete each other inline, and methods that return tasks", async () => {
    const pooled = ValueTask.asyncPooled(function* (task: PromiseLike<number>) {
      return ((yield task) as number) + 1;
    });
    const first = new ManualResetValueTaskSource<number>();
    let last: ValueTask<number> = first.valueTask();
    for (let i = 0; i < DEPTH; i++) last = pooled(last);
    first.setResult(0);
    expect(await last).toBe(DEPTH);
    const sources = Array.from({ length: DEPTH }, () => new ManualResetValueTaskSource<number>());
    let ended = 0;
    sources.forEach((source, index) => {
      source.valueTask().unsafeOnCompleted(() => {
        ended++;
        sources[index + 1]?.setResult(1);
      }, undefined);
    });
    sources[0]?.setResult(1);
    await Task.yield();
    expect(ended).toBe(DEPTH);
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const passOn = Task.async(function* (task: Task<number>) {
      return task;
    });
    let returned: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) returned = passOn(returned);
    source.setResult(7);
    expect(await returned).toBe(7);
  });

  it.each<[string, () => Generator<unknown, unknown, unknown>]>([
    [
      "awaiters",
      function* () {
        return yield {
          [awaiter]: () => ({ isCompleted: false, getResult: () => 1, onCompleted: callBack }),
        };
      },
    ],
    ["sources", () => iteratorOf(ValueTask.fromSource(eager(), 0))],
    ["configured sources", () => iteratorOf(ValueTask.fromSource(eager(), 0).configureAwait({}))],
    [
      "configured sources that want no context",
      () => iteratorOf(ValueTask.fromSource(eager(), 0).configureAwait({ continueOnCapturedContext: false })),
    ],
  ])("%s that call back before their onCompleted returns", async (_, wait) => {
    const task = Task.async(function* () {
      let sum = 0;
      for (let i = 0; i < DEPTH; i++) sum += Number(yield* { [Symbol.iterator]: wait });
      return sum;
    })();
    expect(await task).toBe(DEPTH);
  });

  it("thenables that call each other back", async () => {
    const callbacks: (() => void)[] = [];
    const task = Task.async(function* (index: number) {
      const thenable: PromiseLike<void> = untyped({
        then: (resolve: () => void) => void (callbacks[index] = resolve),
      });
      yield thenable;
      callbacks[index + 1]?.();
    });
    const all = Task.whenAll(Array.from({ length: DEPTH }, (_, index) => task(index)));
    callbacks[0]?.();
    expect(await all).toHaveLength(DEPTH);
  });

  it("a method that waits 12 000 times for what completes at once, and for what completes inline", async () => {
    const source = new ManualResetValueTaskSource<number>();
    const task = Task.async(function* () {
      let sum = 0;
      for (let i = 0; i < DEPTH; i++) sum += (yield Task.fromResult(1)) as number;
      for (let i = 0; i < DEPTH; i++) {
        sum += yield* source.valueTask();
        source.reset();
      }
      return sum;
    })();
    for (let i = 0; i < DEPTH; i++) source.setResult(1);
    expect(await task).toBe(2 * DEPTH);
  });
});
