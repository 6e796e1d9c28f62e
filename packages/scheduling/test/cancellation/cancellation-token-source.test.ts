import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  CancellationToken,
  CancellationTokenSource,
  ObjectDisposedError,
  OperationCanceledError,
  Task,
  TaskCompletionSource,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const failure = new Error("failure");

describe("linked sources", () => {
  it("A11.10 is cancelled with any parent, or at once, over several levels, with its reason", () => {
    const a = new CancellationTokenSource();
    const b = new CancellationTokenSource();
    const linked = CancellationTokenSource.linked(a.token, b.token);
    const deeper = CancellationTokenSource.linked(linked.token, CancellationToken.none);
    b.cancel("b");
    expect([linked.isCancellationRequested, deeper.isCancellationRequested]).toEqual([true, true]);
    expect(deeper.token.reason).toBe("b");
    expect(a.isCancellationRequested).toBe(false);
    const late = CancellationTokenSource.linked(a.token, b.token);
    expect([late.isCancellationRequested, late.token.reason]).toEqual([true, "b"]);
  });

  it("A11.10 refuses no parents, and what is none", () => {
    expect(() => CancellationTokenSource.linked()).toThrow(TypeError);
    expect(() => CancellationTokenSource.linked(untyped(null))).toThrow(TypeError);
  });

  it("A11.10 disposal unhooks from the parents, also when those were disposed of before", () => {
    const parent = new CancellationTokenSource();
    const { signal } = new AbortController();
    const linked = CancellationTokenSource.linked(parent.token, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    linked[Symbol.dispose]();
    expect(getEventListeners(signal, "abort")).toEqual([]);
    parent.cancel();
    expect(linked.isCancellationRequested).toBe(false);
    const other = new CancellationTokenSource();
    const orphan = CancellationTokenSource.linked(other.token);
    other[Symbol.dispose]();
    orphan[Symbol.dispose]();
    expect(orphan.isCancellationRequested).toBe(false);
  });

  it("A11.10 one that was cancelled leaves nothing on its other parents", () => {
    const { signal } = new AbortController();
    const parent = new CancellationTokenSource();
    CancellationTokenSource.linked(signal, parent.token);
    parent.cancel();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("0.8 a child's errors arrive as an AggregateError, also with throwOnFirstError", () => {
    const parent = new CancellationTokenSource();
    const child = CancellationTokenSource.linked(parent.token);
    child.token.register(() => {
      throw failure;
    });
    let thrown: unknown;
    try {
      parent.cancel(undefined, { throwOnFirstError: true });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AggregateError);
    expect((thrown as AggregateError).errors).toEqual([failure]);
  });
});

describe("throwOnFirstError", () => {
  it("aborts the signal all the same, which is no callback", () => {
    const source = new CancellationTokenSource();
    const { signal } = source;
    let calls = 0;
    signal.addEventListener("abort", () => calls++);
    source.token.register(() => calls++);
    source.token.register(() => {
      throw failure;
    });
    expect(() => source.cancel("stop", { throwOnFirstError: true })).toThrow(failure);
    expect([signal.aborted, signal.reason, source.signal, calls]).toEqual([true, "stop", signal, 1]);
  });
});

describe("time", () => {
  it("A11.11 cancelAfter replaces an earlier time; -1 takes it back; cancelled it does nothing", async () => {
    const never = new CancellationTokenSource(60_000);
    never.cancelAfter(1);
    never.cancelAfter(-1);
    const soon = new CancellationTokenSource(60_000);
    soon.cancelAfter(1);
    const fired = new TaskCompletionSource<void>();
    soon.token.register(() => fired.setResult());
    // The timers themselves do not keep the process alive.
    const keepAlive = setInterval(() => {}, 1000);
    await fired.task;
    clearInterval(keepAlive);
    // Timers of one length fire in order: the one that was taken back would have been first.
    expect([never.isCancellationRequested, soon.isCancellationRequested]).toEqual([false, true]);
    soon.cancelAfter(1);
  });

  it("A11.11 a source made with 0 is cancelled, with a time it will be", async () => {
    expect(new CancellationTokenSource(0).isCancellationRequested).toBe(true);
    const source = new CancellationTokenSource(1);
    const fired = new TaskCompletionSource<void>();
    source.token.register(() => fired.setResult());
    // The timer itself does not keep the process alive.
    const keepAlive = setInterval(() => {}, 1000);
    await fired.task;
    clearInterval(keepAlive);
    expect(source.isCancellationRequested).toBe(true);
  });

  it.each([-2, 2 ** 31, Number.NaN])("A11.11 refuses %s ms", (ms) => {
    expect(() => new CancellationTokenSource(ms)).toThrow(RangeError);
    expect(() => new CancellationTokenSource().cancelAfter(ms)).toThrow(RangeError);
  });
});

describe("disposal and reset", () => {
  it("A11.12 afterwards acting on the source throws, asking and registering do not", () => {
    const source = new CancellationTokenSource();
    const { token } = source;
    let calls = 0;
    token.register(() => calls++);
    source[Symbol.dispose]();
    source[Symbol.dispose]();
    for (const act of [
      () => source.token,
      () => source.signal,
      () => source.cancel(),
      () => source.cancelAfter(1),
      () => source.tryReset(),
    ])
      expect(act).toThrow(ObjectDisposedError);
    expect([source.isCancellationRequested, token.isCancellationRequested]).toEqual([false, false]);
    expect(token.register(() => calls++).unregister()).toBe(false);
    expect(calls).toBe(0);
  });

  it("one that was cancelled before still runs what is registered, in a microtask or inside a callback", async () => {
    const calls: string[] = [];
    let signal: AbortSignal;
    let wait: Task<void>;
    {
      using source = new CancellationTokenSource();
      ({ signal } = source);
      wait = Task.delay(60_000, { signal: source.token });
      source.token.register(() => calls.push("async"));
      void source.cancelAsync(failure);
    }
    await expect(wait).rejects.toMatchObject({ reason: failure });
    expect([signal.reason, calls]).toEqual([failure, ["async"]]);
    const other = new CancellationTokenSource();
    other.token.register(() => calls.push("first"));
    other.token.register(() => other[Symbol.dispose]());
    other.cancel();
    expect(calls).toEqual(["async", "first"]);
  });

  it("A11.14 tryReset drops all registrations and makes it new; a cancelled one stays cancelled", () => {
    const source = new CancellationTokenSource(60_000);
    let calls = 0;
    const registration = source.token.register(() => calls++);
    expect(source.tryReset()).toBe(true);
    expect(registration.unregister()).toBe(false);
    source.token.register(() => (calls += 10));
    source.cancel();
    expect([calls, source.tryReset()]).toEqual([10, false]);
  });

  it("A11.14 deviation: one that is linked or has handed out its signal cannot be reset", () => {
    const source = new CancellationTokenSource();
    expect(source.signal.aborted).toBe(false);
    expect(source.tryReset()).toBe(false);
    expect(CancellationTokenSource.linked(source.token).tryReset()).toBe(false);
  });
});

describe("cancelAsync", () => {
  it("A11.13 the state changes at once, callbacks run later, the task completes behind them", async () => {
    const source = new CancellationTokenSource();
    const calls: string[] = [];
    source.token.register(() => calls.push("callback"));
    const task = source.cancelAsync("why");
    expect([source.isCancellationRequested, source.token.reason, task.status]).toEqual([
      true,
      "why",
      "pending",
    ]);
    expect(calls).toEqual([]);
    expect(source.cancelAsync().status).toBe("succeeded");
    await task;
    expect(calls).toEqual(["callback"]);
  });

  it("A11.6 callbacks without a context of their own see that of whoever cancels", async () => {
    const storage = new AsyncLocalStorage<string>();
    const source = new CancellationTokenSource();
    const seen: unknown[] = [];
    const look = (): void => void seen.push(storage.getStore());
    storage.run("who registers", () => {
      source.token.register(look);
      source.token.unsafeRegister(look);
      CancellationTokenSource.linked(source.token).token.unsafeRegister(look);
      source.signal.addEventListener("abort", look);
    });
    await storage.run("who cancels", () => source.cancelAsync());
    expect(seen).toEqual(["who cancels", "who cancels", "who cancels", "who registers"]);
  });

  it("A11.13 without callbacks the task is completed; errors fault it; disposed it is returned faulted", async () => {
    expect(new CancellationTokenSource().cancelAsync().status).toBe("succeeded");
    const failing = new CancellationTokenSource();
    failing.token.register(() => {
      throw failure;
    });
    await expect(async () => await failing.cancelAsync()).rejects.toBe(failure);
    const disposed = new CancellationTokenSource();
    disposed[Symbol.dispose]();
    expect(disposed.cancelAsync().error).toBeInstanceOf(ObjectDisposedError);
  });
});

describe("AbortSignal", () => {
  it("the source's signal fires with it, with the reason untouched or an OperationCanceledError", () => {
    const source = new CancellationTokenSource();
    const { signal } = source;
    expect(source.signal).toBe(signal);
    let fired = 0;
    signal.addEventListener("abort", () => fired++);
    source.cancel("why");
    expect([fired, signal.aborted, signal.reason]).toEqual([1, true, "why"]);
    const silent = new CancellationTokenSource();
    silent.cancel();
    expect(silent.signal.reason).toBeInstanceOf(OperationCanceledError);
    expect(silent.signal.reason).toMatchObject({ token: silent.token });
  });

  it("a signal's token is one and the same, fires with it, and listens only while somebody is registered", () => {
    const controller = new AbortController();
    const { signal } = controller;
    const token = CancellationToken.from(signal);
    expect(CancellationToken.from(signal)).toBe(token);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    const order: number[] = [];
    token.register(() => order.push(1));
    token.register(() => order.push(2)).unregister();
    token.register(() => order.push(3));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    controller.abort("why");
    expect([order, token.isCancellationRequested, token.reason]).toEqual([[3, 1], true, "why"]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(() => CancellationToken.from(untyped(null))).toThrow(TypeError);
  });

  it("a token gives a signal: its source's, the one it came from, or one that never fires", () => {
    const source = new CancellationTokenSource();
    expect(source.token.signal).toBe(source.signal);
    const { signal } = new AbortController();
    expect(CancellationToken.from(signal).signal).toBe(signal);
    expect(CancellationToken.none.signal.aborted).toBe(false);
    expect(CancellationToken.canceled.signal.aborted).toBe(true);
    const disposed = new CancellationTokenSource();
    const { token } = disposed;
    disposed[Symbol.dispose]();
    expect(token.signal.aborted).toBe(false);
  });

  it("a token of a signal aborted before it was asked knows it", () => {
    const token = CancellationToken.from(AbortSignal.abort("early"));
    expect([token.isCancellationRequested, token.reason]).toEqual([true, "early"]);
  });

  it("fetch-like code that takes a signal is cancelled by a source", async () => {
    const source = new CancellationTokenSource();
    const wait = turn(undefined, { signal: source.signal });
    source.cancel(failure);
    await expect(wait).rejects.toMatchObject({ name: "AbortError", cause: failure });
  });
});

describe("everything that takes a signal takes a token", () => {
  const pending = (): Task<number> => new TaskCompletionSource<number>().task;
  const ways: [string, (token: CancellationToken) => Task<unknown>][] = [
    ["waitAsync", (token) => pending().waitAsync({ signal: token })],
    ["continueWith", (token) => pending().continueWith(() => 1, { signal: token })],
    ["delay", (token) => Task.delay(60_000, { signal: token })],
    ["run", (token) => Task.run(() => 1, { signal: token })],
    ["fromEvent", (token) => Task.fromEvent(new EventTarget(), "never", { signal: token })],
  ];
  it.each(ways)("A12.1 A12.2 %s, cancelled while it waits and before it began", async (_, start) => {
    const source = new CancellationTokenSource();
    const task = start(source.token);
    source.cancel("why");
    await task.continueWith(() => {});
    const early = start(source.token);
    await early.continueWith(() => {});
    for (const one of [task, early]) {
      expect(one.status).toBe("canceled");
      expect(one.error).toMatchObject({ token: source.token, reason: "why" });
    }
  });

  it("whenEach, setCanceled and fromCanceled", async () => {
    const source = new CancellationTokenSource();
    const next = Task.whenEach([pending()], { signal: source.token })[Symbol.asyncIterator]().next();
    source.cancel();
    await expect(next).rejects.toMatchObject({ token: source.token });
    const completion = new TaskCompletionSource<number>();
    completion.setCanceled(source.token);
    expect(completion.task.error).toMatchObject({ token: source.token });
    expect(Task.fromCanceled(source.token).error).toMatchObject({ token: source.token });
    expect(() => completion.trySetCanceled(untyped(5))).toThrow(TypeError);
  });

  it("A12.1 a token that cannot be cancelled is none", () => {
    const task = pending();
    expect(task.waitAsync({ signal: CancellationToken.none })).toBe(task);
  });

  it("A12.1 the waiter's code does not run inside cancel()", async () => {
    const source = new CancellationTokenSource();
    const steps: string[] = [];
    const done = Task.async(function* () {
      try {
        yield* new TaskCompletionSource<number>({ continuations: "inline" }).task.waitAsync({
          signal: source.token,
        });
      } catch {
        steps.push("resumed");
      }
    })();
    source.cancel();
    steps.push("cancelled");
    await done;
    expect(steps).toEqual(["cancelled", "resumed"]);
  });
});
