import { getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Task, TaskCompletionSource } from "../src/index.ts";

const ROUNDS = 10_000;

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
  await collect();
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

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
});
