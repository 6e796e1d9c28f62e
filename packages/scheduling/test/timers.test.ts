import { getEventListeners } from "node:events";
import { mock } from "node:test";
import { setImmediate as realTurn, setTimeout as realDelay } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  CancellationTokenSource,
  EventLoopScheduler,
  MessageLoop,
  SharedBlockingCollection,
  Task,
  TaskCompletionSource,
  TimeoutError,
} from "../src/index.ts";

const realGlobals = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
  vi.unstubAllGlobals();
});

const fakes: [string, () => void][] = [
  [
    "vi.useFakeTimers",
    () =>
      void vi.useFakeTimers({
        toFake: ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "performance"],
      }),
  ],
  [
    "node's mock.timers",
    () => mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"] }),
  ],
  [
    "globals that do nothing",
    () => {
      for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"])
        vi.stubGlobal(name, () => {});
    },
  ],
];

describe.each(fakes)("while timers are replaced by %s", (_, replace) => {
  it("queues, message loops and schedulers go on, and so they do afterwards", async () => {
    const loop = new MessageLoop();
    const policies = ["asynchronous", "yield", new EventLoopScheduler()] as const;
    const all = (): Promise<unknown> =>
      Promise.all([
        ...policies.map((policy) => Task.fromResult(1).continueWith(() => {}, { policy })),
        Task.run(() => {}),
        Task.yield(),
        new Promise<void>((resolve) => loop.post(resolve, undefined)),
      ]);
    replace();
    expect(await all()).toHaveLength(6);
    vi.useRealTimers();
    mock.timers.reset();
    vi.unstubAllGlobals();
    expect(await all()).toHaveLength(6);
  });

  it("a fault that nobody observes is still told", async () => {
    const heard = new Promise<unknown>((resolve) => process.once("unhandledRejection", resolve));
    const failure = new Error("failure");
    replace();
    Task.fromError(failure);
    expect(await heard).toBe(failure);
  });

  it("a shared collection is waited for", async () => {
    const items = new SharedBlockingCollection<number>();
    replace();
    const taken = items.take();
    items.tryAdd(1);
    expect(await taken).toBe(1);
  });
});

describe("time that the user asked for", () => {
  it("runs on the global timers of the moment of the call: fake timers steer it", async () => {
    vi.useFakeTimers();
    const source = new CancellationTokenSource();
    source.cancelAfter(500);
    const delay = Task.delay(1000);
    const wait = new TaskCompletionSource<void>().task.waitAsync({ timeoutMs: 2000 });
    expect(vi.getTimerCount()).toBe(3);
    vi.advanceTimersByTime(999);
    expect([source.isCancellationRequested, delay.status]).toEqual([true, "pending"]);
    vi.advanceTimersByTime(1);
    expect([delay.status, wait.status]).toEqual(["succeeded", "pending"]);
    vi.advanceTimersByTime(1000);
    expect(wait.error).toBeInstanceOf(TimeoutError);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a timer is ended by the clearTimeout that was there when it began", () => {
    vi.useFakeTimers();
    const source = new CancellationTokenSource();
    const delays = [Task.delay(1000, { signal: source.token })];
    const fake = globalThis.setTimeout;
    const clearFake = globalThis.clearTimeout;
    Object.assign(globalThis, realGlobals);
    delays.push(Task.delay(1000, { signal: source.token }));
    Object.assign(globalThis, { setTimeout: fake, clearTimeout: clearFake });
    source.cancel();
    expect([vi.getTimerCount(), ...delays.map((delay) => delay.status)]).toEqual([0, "canceled", "canceled"]);
  });

  it("timers may be numbers, as in browsers", async () => {
    const callbacks = new Map<number, () => void>();
    vi.stubGlobal("setTimeout", (callback: (state: unknown) => void, _ms: number, state: unknown) => {
      callbacks.set(callbacks.size + 1, () => callback(state));
      return callbacks.size;
    });
    vi.stubGlobal("clearTimeout", (id: number) => callbacks.delete(id));
    const source = new CancellationTokenSource();
    source.cancelAfter(10);
    source.cancelAfter(20);
    const delay = Task.delay(30);
    expect(callbacks.size).toBe(2);
    for (const callback of callbacks.values()) callback();
    expect([source.isCancellationRequested, delay.status]).toEqual([true, "succeeded"]);
  });

  it("a setTimeout that throws throws to the caller, and leaves nothing on the signal", () => {
    const source = new CancellationTokenSource();
    vi.stubGlobal("setTimeout", () => {
      throw new Error("no timers");
    });
    expect(() => Task.delay(10, { signal: source.token })).toThrow("no timers");
    expect(() => new TaskCompletionSource().task.waitAsync({ signal: source.token, timeoutMs: 10 })).toThrow(
      "no timers",
    );
    expect(() => source.cancel()).not.toThrow();
  });

  it("real timers are real again as soon as the fake ones are gone", async () => {
    vi.useFakeTimers();
    await realTurn();
    vi.useRealTimers();
    await Task.delay(1);
    await realDelay(1);
    expect(globalThis.setTimeout).toBe(realGlobals.setTimeout);
  });
});

it("a setTimeout that calls back at once leaves nothing on the signal", async () => {
  vi.stubGlobal("setTimeout", (fn: (state: unknown) => void, _: number, state: unknown) => fn(state));
  const { signal } = new AbortController();
  const source = new TaskCompletionSource<void>();
  const delay = Task.delay(10, { signal });
  const wait = source.task.waitAsync({ timeoutMs: 10, signal });
  expect([delay.status, wait.status]).toEqual(["succeeded", "faulted"]);
  expect(wait.error).toBeInstanceOf(TimeoutError);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("a clearTimeout that throws keeps no wait from its end", () => {
  vi.stubGlobal("clearTimeout", () => {
    throw new Error("no such timer");
  });
  vi.stubGlobal("setTimeout", () => 7);
  const controller = new AbortController();
  const { signal } = controller;
  const source = new TaskCompletionSource<number>({ continuations: "inline" });
  const delay = Task.delay(10, { signal });
  const waits = [
    source.task.waitAsync({ timeoutMs: 10, signal }),
    new TaskCompletionSource().task.waitAsync({ timeoutMs: 10, signal }),
  ];
  source.setResult(1);
  controller.abort();
  expect([delay, ...waits].map(({ status }) => status)).toEqual(["canceled", "succeeded", "canceled"]);
});
