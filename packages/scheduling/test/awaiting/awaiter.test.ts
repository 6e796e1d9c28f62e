import { channel } from "node:diagnostics_channel";
import { setImmediate as turn } from "node:timers/promises";
import { AsyncLocal } from "@skein/context";
import { describe, expect, it } from "vitest";
import {
  type Awaiter,
  CustomAwaitable,
  InvalidOperationError,
  ManualScheduler,
  SynchronizationContext,
  Task,
  TaskCompletionSource,
  ValueTask,
  type ValueTaskSource,
  awaiter,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const failure = new Error("failure");

/** Records how it is used; completes when told. */
class Probe extends CustomAwaitable<number> implements Awaiter<number> {
  readonly calls: string[] = [];
  done: boolean;
  continuation: (() => void) | undefined;

  constructor(done: boolean) {
    super();
    this.done = done;
  }

  [awaiter](): Awaiter<number> {
    this.calls.push("awaiter");
    return this;
  }

  get isCompleted(): boolean {
    this.calls.push("isCompleted");
    return this.done;
  }

  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    this.calls.push("onCompleted");
    this.continuation = () => continuation(state);
  }

  getResult(): number {
    this.calls.push("getResult");
    return 7;
  }
}

describe("the awaiter pattern", () => {
  const ways: [string, (probe: Probe) => Task<unknown>][] = [
    [
      "yield*",
      (probe) =>
        Task.async(function* () {
          return yield* probe;
        })(),
    ],
    [
      "yield",
      (probe) =>
        Task.async(function* () {
          return yield probe;
        })(),
    ],
    ["Task.from", (probe) => Task.from(untyped({ [awaiter]: () => probe[awaiter]() }))],
    ["native await", (probe) => Task.from((async () => await probe)())],
  ];

  it.each(ways)("A8.1 %s: a completed one is read at once, exactly once", async (_, start) => {
    const probe = new Probe(true);
    expect(await start(probe)).toBe(7);
    expect(probe.calls.filter((call) => call === "getResult")).toHaveLength(1);
    expect(probe.calls).not.toContain("onCompleted");
    expect(probe.calls.indexOf("isCompleted")).toBeLessThan(probe.calls.indexOf("getResult"));
  });

  it.each(ways)("A8.1 %s: a pending one is waited for once, then read once", async (_, start) => {
    const probe = new Probe(false);
    const task = start(probe);
    await turn();
    expect(task.status).toBe("pending");
    probe.continuation?.();
    expect(await task).toBe(7);
    expect(probe.calls.filter((call) => call === "onCompleted")).toHaveLength(1);
    expect(probe.calls.filter((call) => call === "getResult")).toHaveLength(1);
  });

  it.each(ways)(
    "A8.2 %s: the second call of the continuation throws there, and harms nobody",
    async (_, start) => {
      const probe = new Probe(false);
      const task = start(probe);
      await turn();
      probe.continuation?.();
      await task;
      expect(() => probe.continuation?.()).toThrow(InvalidOperationError);
      expect(task.result).toBe(7);
      expect(probe.calls.filter((call) => call === "getResult")).toHaveLength(1);
    },
  );

  it("A8.2 a ValueTaskSource that calls back twice is told, while the method already waits for something else", () => {
    let call: (() => void) | undefined;
    let isDone = false;
    const source: ValueTaskSource<number> = {
      getStatus: () => (isDone ? "succeeded" : "pending"),
      getResult: () => 1,
      onCompleted: (continuation, state) => (call = () => continuation(state)),
    };
    const second = new TaskCompletionSource<number>({ continuations: "inline" });
    const task = Task.async(function* () {
      return (yield* ValueTask.fromSource(source, 0)) + (yield* second.task);
    })();
    isDone = true;
    call?.();
    expect(() => call?.()).toThrow(InvalidOperationError);
    expect(task.status).toBe("pending");
    second.setResult(2);
    expect(task.result).toBe(3);
  });

  it("refuses what [awaiter]() gives when that is no awaiter, and passes on what onCompleted throws", async () => {
    const wrong = Task.async(function* () {
      yield { [awaiter]: () => ({}) };
    })();
    expect(wrong.error).toBeInstanceOf(TypeError);
    const probe = new Probe(false);
    probe.onCompleted = () => {
      throw failure;
    };
    const caught = Task.async(function* () {
      try {
        yield* probe;
      } catch (error) {
        return error;
      }
      return null;
    })();
    expect(await caught).toBe(failure);
  });

  it("onCompleted flows the context, unsafeOnCompleted does not", () => {
    const local = new AsyncLocal<string>();
    const seen: (string | undefined)[] = [];
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    local.run("waiter", () => source.task[awaiter]().onCompleted(() => seen.push(local.value), undefined));
    local.run("completer", () => source.setResult(1));
    const other = new TaskCompletionSource<number>({ continuations: "inline" });
    local.run("waiter", () =>
      other.task[awaiter]().unsafeOnCompleted(() => seen.push(local.value), undefined),
    );
    local.run("completer", () => other.setResult(1));
    expect(seen).toEqual(["waiter", "completer"]);
  });

  it("one with unsafeOnCompleted alone will do everywhere; its caller brings the context", async () => {
    const local = new AsyncLocal<string>();
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const foreign: Awaiter<number> = untyped({
      isCompleted: false,
      getResult: () => 1,
      unsafeOnCompleted: <S>(continuation: (state: S) => void, state: S) =>
        source.task[awaiter]().unsafeOnCompleted(continuation, state),
    });
    const awaitable: PromiseLike<number> = untyped({ [awaiter]: () => foreign });
    class Custom extends CustomAwaitable<number> {
      [awaiter](): Awaiter<number> {
        return foreign;
      }
    }
    const seen: unknown[] = [];
    const tasks = local.run("waiter", () => {
      const wait: Awaiter<number> = untyped(new Custom()[Symbol.iterator]());
      wait.onCompleted((state) => seen.push(state, local.value), "state");
      return [
        Task.from(awaitable),
        Task.run(() => awaitable),
        Task.async(function* () {
          return yield awaitable;
        })(),
      ];
    });
    await Task.run(() => {});
    local.run("completer", () => source.setResult(0));
    expect(await Task.whenAll(tasks)).toEqual([1, 1, 1]);
    expect(seen).toEqual(["state", "waiter"]);
  });

  it("a pending task is no collection", () => {
    expect(() => Array.from(untyped(new TaskCompletionSource<number>().task))).toThrow(InvalidOperationError);
    expect(() => Task.whenAll(untyped(Task.fromResult(1)))).toThrow(TypeError);
  });
});

describe("one who keeps the continuation and throws", () => {
  let late: () => void;
  const keep = <S>(continuation: (state: S) => void, state: S): void => {
    late = () => continuation(state);
    throw failure;
  };
  const source: ValueTaskSource<number> = {
    getStatus: () => "pending",
    getResult: () => 1,
    onCompleted: keep,
  };

  it.each<[string, () => Generator<unknown, unknown, unknown>]>([
    [
      "an awaiter",
      function* () {
        return yield { [awaiter]: () => ({ isCompleted: false, getResult: () => 1, onCompleted: keep }) };
      },
    ],
    ["a source", () => untyped(ValueTask.fromSource(source, 0)[Symbol.iterator]())],
    [
      "a configured source",
      () => untyped(ValueTask.fromSource(source, 0).configureAwait({})[Symbol.iterator]()),
    ],
  ])("has refused: %s may not resume the method later, in another wait", (_, begin) => {
    const next = new TaskCompletionSource<number>({ continuations: "inline" });
    const caught: unknown[] = [];
    const task = Task.async(function* () {
      try {
        yield* { [Symbol.iterator]: begin };
      } catch (error) {
        caught.push(error);
      }
      return yield* next.task;
    })();
    return Task.run(() => {
      expect(caught).toEqual([failure]);
      expect(() => late()).toThrow(InvalidOperationError);
      expect(task.status).toBe("pending");
      next.setResult(42);
      expect(task.result).toBe(42);
    });
  });
});

describe("Task.yield", () => {
  it("A8.3 is never completed, and never throws", async () => {
    expect(Task.yield()[awaiter]().isCompleted).toBe(false);
    expect(await Task.yield()).toBeUndefined();
    expect(() => Task.yield()[awaiter]().onCompleted(untyped(null), undefined)).toThrow(TypeError);
  });

  it("A8.3 the target is chosen when somebody waits: context, scheduler, or a later turn", async () => {
    const scheduler = new ManualScheduler();
    const yielding = Task.yield();
    let resumed = 0;
    const method = Task.async(function* () {
      yield* yielding;
      resumed++;
    });
    SynchronizationContext.run(scheduler.synchronizationContext, () => void method());
    void Task.fromResult(1).continueWith(() => void method(), { policy: scheduler });
    expect(scheduler.pending).toBe(2);
    scheduler.runAll();
    scheduler.runAll();
    expect(resumed).toBe(2);
    const task = method();
    await Promise.resolve();
    expect(task.status).toBe("pending");
    await task;
    expect(resumed).toBe(3);
  });
});

describe("Task.configureAwait in a generator method", () => {
  it("A8.7 forceYielding suspends once, suppressThrowing gives undefined", async () => {
    const task = Task.async(function* () {
      const a = yield* Task.fromResult(1).configureAwait({ forceYielding: true });
      const b = yield* Task.fromError(failure).configureAwait({ suppressThrowing: true });
      return [a, b];
    })();
    expect(task.status).toBe("pending");
    expect(await task).toEqual([1, undefined]);
  });

  it("A8.6 continueOnCapturedContext: false affects that wait alone", () => {
    const scheduler = new ManualScheduler();
    const first = new TaskCompletionSource<number>({ continuations: "inline" });
    const second = new TaskCompletionSource<number>({ continuations: "inline" });
    const task = SynchronizationContext.run(scheduler.synchronizationContext, () =>
      Task.async(function* () {
        yield* first.task.configureAwait({ continueOnCapturedContext: false });
        expect(SynchronizationContext.current).toBeNull();
        yield* second.task;
        return SynchronizationContext.current;
      })(),
    );
    first.setResult(1);
    second.setResult(1);
    expect([scheduler.pending, task.status, task.result]).toEqual([0, "succeeded", null]);
  });
});

describe("stack traces", () => {
  it("an error that comes through several methods names each of them, with the place where it waits", async () => {
    const inner = Task.async(function* innermost() {
      yield* Task.yield();
      throw new Error("deep");
    });
    const middle = Task.async(function* middleOne() {
      yield* inner();
    });
    const outer = Task.async(function* outermost() {
      yield* middle();
    });
    const error = await outer().continueWith((task) => task.error as Error);
    const lines = (error.stack ?? "").split("\n").map((line) => line.trim());
    expect(lines[0]).toBe("Error: deep");
    expect(lines[1]).toMatch(/^at innermost .*awaiter\.test\.ts/);
    expect(lines[2]).toMatch(/^at async middleOne .*awaiter\.test\.ts/);
    expect(lines[3]).toMatch(/^at async outermost .*awaiter\.test\.ts/);
    expect(lines).toHaveLength(4);
  });

  it("of two methods that wait for one operation, one is written down; frozen errors are left alone", async () => {
    const error = new Error("shared");
    const source = new TaskCompletionSource<number>();
    const wait = Task.async(function* waitHere() {
      yield* source.task;
    });
    const waits = [wait(), wait()];
    source.setError(error);
    await Task.whenAll(waits).continueWith((task) => task.error);
    expect(error.stack?.match(/at async waitHere/g)).toHaveLength(1);
    const frozen = Object.freeze(new Error("frozen"));
    const fails = Task.async(function* () {
      yield* Task.fromError(frozen);
    })();
    expect(fails.error).toBe(frozen);
  });
});

describe("a method that can never complete", () => {
  it("is announced on skein:task:abandoned, one that completes is not", async () => {
    const names: unknown[] = [];
    const abandoned = channel("skein:task:abandoned");
    const listener = (message: unknown): void => void names.push(message);
    abandoned.subscribe(listener);
    const forget = Task.async(function* forgotten() {
      yield* new TaskCompletionSource<number>().task;
    });
    const finish = Task.async(function* finished() {
      yield* Task.yield();
    });
    await finish();
    (() => void forget())();
    // Until the engine has told; the test's own time is the limit.
    while (names.length === 0) {
      await turn();
      globalThis.gc?.();
    }
    abandoned.unsubscribe(listener);
    expect(names).toEqual([{ name: "forgotten" }]);
  });
});
