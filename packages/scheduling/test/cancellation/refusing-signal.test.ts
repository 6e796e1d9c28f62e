import { EventEmitter, getEventListeners } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  AsyncAutoResetEvent,
  AsyncSemaphore,
  BlockingCollection,
  CancellationTokenSource,
  ManualScheduler,
  SharedBlockingCollection,
  Task,
  TaskCompletionSource,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const refusal = new Error("takes no listener");

/** By its members a signal. */
const signal: AbortSignal = untyped({
  aborted: false,
  addEventListener() {
    throw refusal;
  },
  removeEventListener() {},
});

afterEach(() => {
  vi.useRealTimers();
});

describe("after a signal has refused the listener of a wait", () => {
  it("nobody waits at a semaphore or an event", () => {
    const semaphore = new AsyncSemaphore(0);
    expect(() => semaphore.waitAsync({ signal })).toThrow(refusal);
    semaphore.release();
    expect(semaphore.currentCount).toBe(1);
    const event = new AsyncAutoResetEvent();
    expect(() => event.waitAsync({ signal })).toThrow(refusal);
    event.set();
    expect(event.waitAsync().status).toBe("succeeded");
  });

  it("nobody waits at a collection, or at several", () => {
    const collection = new BlockingCollection<number>({ boundedCapacity: 1 });
    expect(() => collection.take({ signal })).toThrow(refusal);
    expect(() => BlockingCollection.takeFromAny([collection], { signal })).toThrow(refusal);
    collection.tryAdd(1);
    expect(() => collection.add(2, { signal })).toThrow(refusal);
    expect([collection.tryTake(), collection.count]).toEqual([1, 0]);
  });

  it("nobody waits at several collections where it calls back at once instead", () => {
    const eager: AbortSignal = untyped({
      aborted: false,
      addEventListener: (_: string, listener: { handleEvent(): void }) => listener.handleEvent(),
      removeEventListener() {},
    });
    const collection = new BlockingCollection<number>();
    expect(BlockingCollection.takeFromAny([collection], { signal: eager }).status).toBe("canceled");
    collection.tryAdd(1);
    expect(collection.tryTake()).toBe(1);
  });

  it("a wait at a shared collection is faulted, and takes nothing", async () => {
    const collection = new SharedBlockingCollection<number>();
    await expect(collection.take({ signal })).rejects.toBe(refusal);
    collection.tryAdd(1);
    expect(collection.tryTake()).toBe(1);
  });

  it("no timer runs", () => {
    vi.useFakeTimers();
    expect(() => Task.delay(1000, { signal })).toThrow(refusal);
    expect(() => new TaskCompletionSource().task.waitAsync({ signal, timeoutMs: 1000 })).toThrow(refusal);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a ManualScheduler has no time to go to", () => {
    const scheduler = new ManualScheduler();
    expect(() => scheduler.delay(1000, { signal })).toThrow(refusal);
    expect(() => scheduler.runUntil(new TaskCompletionSource().task)).toThrow("Nothing is left to run");
    expect(scheduler.now).toBe(0);
  });

  it("a source that was to be linked is on no parent", () => {
    const { signal: parent } = new AbortController();
    expect(() => CancellationTokenSource.linked(parent, signal)).toThrow(refusal);
    expect(getEventListeners(parent, "abort")).toEqual([]);
  });

  it("no listener is on an emitter", () => {
    const emitter = new EventEmitter();
    expect(() => Task.fromEvent(emitter, "ready", { signal })).toThrow(refusal);
    expect(emitter.eventNames()).toEqual([]);
  });
});
