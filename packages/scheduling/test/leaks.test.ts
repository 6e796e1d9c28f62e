import { getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { AsyncLocal } from "@skein/context";
import { describe, expect, it } from "vitest";
import {
  AsyncSemaphore,
  CancellationTokenSource,
  ManualResetValueTaskSource,
  Task,
  TaskCompletionSource,
  ValueTask,
} from "../src/index.ts";

const ROUNDS = 2_000;

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await turn();
    globalThis.gc?.();
  }
}

/** How many of `count` objects that `make` hands out are still reachable after a collection. */
async function survivors(count: number, make: () => object): Promise<number> {
  const refs: WeakRef<object>[] = [];
  for (let i = 0; i < count; i++) refs.push(new WeakRef(make()));
  const alive = (): number => refs.filter((ref) => ref.deref() !== undefined).length;
  // A frame that is being optimised may hold one a little longer; what leaks is held for good.
  for (let tries = 0; tries < 20; tries++) {
    await collect();
    if (alive() === 0) break;
  }
  return alive();
}

it("A12.5 whenEach lets go of what was taken while it waits for the rest", async () => {
  const sources: TaskCompletionSource<object>[] = [];
  function* tasks(): Generator<Task<object>> {
    for (let i = 0; i < 20; i++) {
      const source = new TaskCompletionSource<object>();
      sources.push(source);
      yield source.task;
    }
  }
  const steps = Task.whenEach(tasks())[Symbol.asyncIterator]();
  const alive = await survivors(10, () => {
    const result = {};
    sources.shift()?.setResult(result);
    void steps.next();
    return result;
  });
  expect(alive).toBe(0);
  sources.shift()?.setResult({});
  expect((await steps.next()).done).toBe(false);
});

describe("nothing stays behind on a long-lived task or signal", () => {
  it("0.11 waits that were aborted leave no continuation on the task", async () => {
    const longLived = new TaskCompletionSource<number>();
    const alive = await survivors(ROUNDS, () => {
      const controller = new AbortController();
      const wait = longLived.task.waitAsync({ signal: controller.signal });
      controller.abort();
      return wait;
    });
    expect(alive).toBe(0);
    expect(longLived.task.status).toBe("pending");
  });

  it("0.11 waits whose task ended leave no listener on the signal, faulted tasks included", async () => {
    const { signal } = new AbortController();
    const alive = await survivors(ROUNDS, () => {
      const source = new TaskCompletionSource<number>();
      const wait = source.task.waitAsync({ signal, timeoutMs: 60_000 });
      wait.catch(() => {});
      if (Math.random() < 0.5) source.setResult(1);
      else source.setError(new Error("failure"));
      return wait;
    });
    await collect();
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(alive).toBe(0);
  });

  it("A12.4 losers of whenAny hold nothing of it", async () => {
    const longLived = new TaskCompletionSource<number>();
    const alive = await survivors(ROUNDS, () => {
      const winner = new TaskCompletionSource<number>();
      const any = Task.whenAny([longLived.task, winner.task]);
      winner.setResult(1);
      return any;
    });
    expect(alive).toBe(0);
  });

  it("A12.5 a whenEach that was left early holds nothing", async () => {
    const longLived = new TaskCompletionSource<number>();
    const { signal } = new AbortController();
    const streams: WeakRef<object>[] = [];
    for (let i = 0; i < 100; i++) {
      const each = Task.whenEach([longLived.task, 1], { signal });
      streams.push(new WeakRef(each));
      for await (const task of each) {
        expect(task.result).toBe(1);
        break;
      }
    }
    await collect();
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(streams.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
  });

  it("A12.5 a whenEach that handed out everything leaves no listener", async () => {
    const { signal } = new AbortController();
    const source = new TaskCompletionSource<number>();
    const iterator = Task.whenEach([source.task, 1], { signal })[Symbol.asyncIterator]();
    await iterator.next();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    const last = iterator.next();
    source.setResult(2);
    expect((await last).value?.result).toBe(2);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("A12.2 a cancelled delay leaves neither timer nor listener, an elapsed one no listener", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const controller = new AbortController();
    const delays = Array.from({ length: 100 }, () => Task.delay(60_000, { signal: controller.signal }));
    expect(timers()).toBe(before + 100);
    controller.abort();
    expect(timers()).toBe(before);
    expect(delays.every((delay) => delay.status === "canceled")).toBe(true);
    const { signal } = new AbortController();
    await Task.delay(1, { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("continueWith that was cancelled leaves the task, one that ran leaves the signal", async () => {
    const longLived = new TaskCompletionSource<number>();
    const alive = await survivors(1000, () => {
      const controller = new AbortController();
      const continuation = longLived.task.continueWith(() => 1, { signal: controller.signal });
      controller.abort();
      return continuation;
    });
    expect(alive).toBe(0);
    const { signal } = new AbortController();
    await Task.fromResult(1).continueWith(() => 1, { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("0.11 waits with a long-lived token leave no registration, whatever ended them", async () => {
    const longLived = new CancellationTokenSource();
    const alive = await survivors(ROUNDS, () => {
      const source = new TaskCompletionSource<number>();
      const wait = source.task.waitAsync({ signal: longLived.token, timeoutMs: 60_000 });
      source.setResult(1);
      return wait;
    });
    expect(alive).toBe(0);
    let calls = 0;
    longLived.token.register(() => calls++);
    longLived.cancel();
    expect(calls).toBe(1);
  });

  it("A11.10 linked sources that were disposed of or cancelled leave their parents", async () => {
    const parent = new CancellationTokenSource();
    const { signal } = new AbortController();
    const alive = await survivors(1000, () => {
      const linked = CancellationTokenSource.linked(parent.token, signal);
      if (Math.random() < 0.5) linked.cancel();
      else linked[Symbol.dispose]();
      return linked;
    });
    expect(alive).toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("A11.7 registrations that were taken off are gone, state and callback included", async () => {
    const { token } = new CancellationTokenSource();
    const alive = await survivors(1000, () => {
      const state = {};
      token.register(() => {}, state).unregister();
      return state;
    });
    expect(alive).toBe(0);
  });

  it("A2.13 A9.7 a completed method holds neither its locals nor its context, though its task is kept", async () => {
    const local = new AsyncLocal<object>();
    const kept: Task<number>[] = [];
    const source = new TaskCompletionSource<void>();
    const alive = await survivors(100, () => {
      const value = {};
      const method = Task.async(function* () {
        const own = value;
        yield* source.task;
        return Object.keys(own).length;
      });
      kept.push(local.run(value, () => method()));
      return value;
    });
    expect(alive).toBe(100);
    source.setResult();
    await Task.whenAll(kept);
    const values: WeakRef<object>[] = [];
    for (let i = 0; i < 100; i++) {
      const value = {};
      values.push(new WeakRef(value));
      kept.push(
        local.run(value, () =>
          Task.async(function* () {
            const own = value;
            yield* Task.yield();
            return Object.keys(own).length;
          })(),
        ),
      );
    }
    await Task.whenAll(kept);
    await collect();
    expect(values.filter((ref) => ref.deref() !== undefined)).toEqual([]);
    expect(kept.every((task) => task.isCompleted)).toBe(true);
  });

  it("A7.1 a source that was reset holds nothing of its last operation", async () => {
    const source = new ManualResetValueTaskSource<object>();
    const refs: WeakRef<object>[] = [];
    const use = (): void => {
      const result = {};
      const state = {};
      refs.push(new WeakRef(result), new WeakRef(state));
      source.valueTask().onCompleted(() => {}, state);
      source.setResult(result);
      source.reset();
    };
    for (let i = 0; i < 100; i++) use();
    await collect();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });

  it("A9.8 pooled sources hold nothing of the methods they served", async () => {
    const method = ValueTask.asyncPooled(function* (value: object) {
      yield* Task.yield();
      return value;
    });
    const refs: WeakRef<object>[] = [];
    const use = async (): Promise<void> => {
      const value = {};
      refs.push(new WeakRef(value));
      await method(value);
    };
    for (let i = 0; i < 100; i++) await use();
    await collect();
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
  });

  it("A13.6 a semaphore's waiters that were cancelled are gone", async () => {
    const semaphore = new AsyncSemaphore(0);
    const alive = await survivors(1000, () => {
      const source = new CancellationTokenSource();
      const wait = semaphore.waitAsync({ signal: source.token });
      source.cancel();
      return wait;
    });
    expect(alive).toBe(0);
  });
});
