import { getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AsyncAutoResetEvent,
  AsyncManualResetEvent,
  AsyncSemaphore,
  BlockingCollection,
  CancellationTokenSource,
  InvalidOperationError,
  SemaphoreFullError,
  Task,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const statuses = (tasks: readonly Task<unknown>[]): string[] => tasks.map((task) => task.status);

describe("AsyncAutoResetEvent", () => {
  it("A13.1 signals do not add up; with waiters one is released per set, in order", () => {
    const event = new AsyncAutoResetEvent();
    event.set();
    event.set();
    expect(statuses([event.waitAsync(), event.waitAsync()])).toEqual(["succeeded", "pending"]);
    const waits = [event.waitAsync(), event.waitAsync()];
    event.set();
    event.set();
    expect(statuses(waits)).toEqual(["succeeded", "pending"]);
    event.set();
    expect(statuses(waits)).toEqual(["succeeded", "succeeded"]);
    expect(event.waitAsync().status).toBe("pending");
  });

  it("A13.2 a wait on a signalled event completes at once and takes the signal", () => {
    const event = new AsyncAutoResetEvent({ initialState: true });
    expect(statuses([event.waitAsync(), event.waitAsync()])).toEqual(["succeeded", "pending"]);
  });

  it.each([
    ["asynchronous", undefined, []],
    ["inline", { continuations: "inline" }, ["resumed", "canceled"]],
  ] as const)("A13.3 continuations %s: inside set() and cancel()", async (_, options, inside) => {
    const event = new AsyncAutoResetEvent(options);
    const source = new CancellationTokenSource();
    const log: string[] = [];
    const first = event.waitAsync().then(() => log.push("resumed"));
    const second = event.waitAsync({ signal: source.token }).catch(() => log.push("canceled"));
    event.set();
    source.cancel();
    expect(log).toEqual(inside);
    await Task.whenAll([first, second]);
    expect(log).toEqual(["resumed", "canceled"]);
  });

  it("A13.4 a cancelled waiter takes no signal; its error carries the token", () => {
    const event = new AsyncAutoResetEvent();
    const source = new CancellationTokenSource();
    const first = event.waitAsync({ signal: source.token });
    const second = event.waitAsync();
    source.cancel();
    event.set();
    expect(statuses([first, second])).toEqual(["canceled", "succeeded"]);
    expect(first.error).toMatchObject({ token: source.token });
  });

  it("A13.5 deviation from AsyncEx: a token cancelled before keeps the signal for the next", () => {
    const event = new AsyncAutoResetEvent({ initialState: true });
    const source = new CancellationTokenSource();
    source.cancel();
    expect(event.waitAsync({ signal: source.token }).status).toBe("canceled");
    expect(event.waitAsync().status).toBe("succeeded");
  });

  it("A13.6 leaves nothing on a long-lived signal or in the queue", async () => {
    const event = new AsyncAutoResetEvent();
    const { signal } = new AbortController();
    for (let i = 0; i < 1000; i++) {
      const wait = event.waitAsync({ signal });
      event.set();
      await wait;
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
    const alive = new Set<WeakRef<object>>();
    for (let i = 0; i < 100; i++) {
      const source = new CancellationTokenSource();
      alive.add(new WeakRef(event.waitAsync({ signal: source.token })));
      source.cancel();
    }
    for (let i = 0; i < 3; i++) {
      await turn();
      globalThis.gc?.();
    }
    expect([...alive].filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });

  it("A13.1 as many waits succeed as signals were taken, in order, whatever is cancelled", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("set", "wait", "cancel"), { maxLength: 60 }), (moves) => {
        const event = new AsyncAutoResetEvent();
        const waits: { task: Task<void>; source: CancellationTokenSource }[] = [];
        let isSignalled = false;
        const waiting: Task<void>[] = [];
        const expected = new Map<Task<void>, string>();
        for (const move of moves) {
          if (move === "set") {
            event.set();
            const next = waiting.shift();
            if (next === undefined) isSignalled = true;
            else expected.set(next, "succeeded");
          } else if (move === "wait") {
            const source = new CancellationTokenSource();
            const task = event.waitAsync({ signal: source.token });
            waits.push({ task, source });
            if (isSignalled) expected.set(task, "succeeded");
            else waiting.push(task);
            isSignalled = false;
          } else {
            const victim = waits.shift();
            victim?.source.cancel();
            if (victim !== undefined && waiting.includes(victim.task)) {
              waiting.splice(waiting.indexOf(victim.task), 1);
              expected.set(victim.task, "canceled");
            }
          }
          for (const [task, status] of expected) expect(task.status).toBe(status);
          for (const task of waiting) expect(task.status).toBe("pending");
        }
      }),
    );
  });

  it("refuses wrong options", () => {
    expect(() => new AsyncAutoResetEvent({ initialState: untyped(1) })).toThrow(TypeError);
    expect(() => new AsyncAutoResetEvent({ continuations: untyped("now") })).toThrow(TypeError);
    expect(() => new AsyncAutoResetEvent().waitAsync({ signal: untyped({}) })).toThrow(TypeError);
  });
});

describe("AsyncManualResetEvent", () => {
  it("set releases all, and lets through until reset", () => {
    const event = new AsyncManualResetEvent();
    const waits = [event.waitAsync(), event.waitAsync()];
    event.set();
    event.set();
    expect(statuses([...waits, event.waitAsync()])).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect(event.isSet).toBe(true);
    event.reset();
    expect([event.isSet, event.waitAsync().status]).toEqual([false, "pending"]);
  });

  it("one that resets and waits again from inside is not released twice by one set", () => {
    const event = new AsyncManualResetEvent({ continuations: "inline" });
    let rounds = 0;
    Task.async(function* () {
      for (;;) {
        yield* event.waitAsync();
        event.reset();
        rounds++;
      }
    })();
    event.set();
    expect(rounds).toBe(1);
    event.set();
    expect(rounds).toBe(2);
  });

  it("one that sets, resets and waits again from inside waits for the next set", () => {
    const event = new AsyncManualResetEvent({ continuations: "inline" });
    const late: Task<void>[] = [];
    void event.waitAsync().then(() => {
      event.reset();
      event.set();
      event.reset();
      late.push(event.waitAsync());
    });
    const second = event.waitAsync();
    event.set();
    expect([event.isSet, ...statuses([second, ...late])]).toEqual([false, "succeeded", "pending"]);
  });

  it("set releases all who waited, also one whose wait another ends meanwhile, and nobody else", () => {
    const event = new AsyncManualResetEvent({ continuations: "inline" });
    const source = new CancellationTokenSource();
    const late: Task<void>[] = [];
    void event.waitAsync().then(() => {
      event.reset();
      late.push(event.waitAsync());
      source.cancel();
    });
    const second = event.waitAsync({ signal: source.token });
    event.set();
    expect(statuses([second, ...late])).toEqual(["succeeded", "pending"]);
  });

  it("a cancelled token cancels also while it is set", () => {
    const event = new AsyncManualResetEvent({ initialState: true });
    const signal = AbortSignal.abort();
    expect(event.waitAsync({ signal }).status).toBe("canceled");
    expect(event.waitAsync().status).toBe("succeeded");
  });
});

describe("AsyncSemaphore", () => {
  it("lets so many enter; release lets in who came first", () => {
    const semaphore = new AsyncSemaphore(2);
    const waits = Array.from({ length: 4 }, () => semaphore.waitAsync());
    expect(statuses(waits)).toEqual(["succeeded", "succeeded", "pending", "pending"]);
    expect([semaphore.currentCount, semaphore.tryWait()]).toEqual([0, false]);
    expect(semaphore.release()).toBe(0);
    expect(statuses(waits)).toEqual(["succeeded", "succeeded", "succeeded", "pending"]);
    expect(semaphore.release(2)).toBe(0);
    expect([statuses(waits)[3], semaphore.currentCount]).toEqual(["succeeded", 1]);
    expect([semaphore.tryWait(), semaphore.currentCount]).toEqual([true, 0]);
  });

  it("a cancelled waiter takes nothing", () => {
    const semaphore = new AsyncSemaphore(0);
    const source = new CancellationTokenSource();
    const wait = semaphore.waitAsync({ signal: source.token });
    source.cancel();
    semaphore.release();
    expect([wait.status, semaphore.currentCount]).toEqual(["canceled", 1]);
    expect(semaphore.waitAsync({ signal: source.token }).status).toBe("canceled");
    expect(semaphore.currentCount).toBe(1);
  });

  it("a release above the maximum throws whoever waits", () => {
    const semaphore = new AsyncSemaphore(0, 1);
    const waits = [semaphore.waitAsync(), semaphore.waitAsync()];
    expect(() => semaphore.release(2)).toThrow(SemaphoreFullError);
    expect(statuses(waits)).toEqual(["pending", "pending"]);
    semaphore.release();
    semaphore.release();
    expect([...statuses(waits), semaphore.currentCount]).toEqual(["succeeded", "succeeded", 0]);
  });

  it("stays within its maximum when an inline waiter cancels another and releases", () => {
    const semaphore = new AsyncSemaphore(0, 2, { continuations: "inline" });
    const source = new CancellationTokenSource();
    void semaphore.waitAsync().then(() => {
      source.cancel();
      semaphore.release(2);
    });
    semaphore.waitAsync({ signal: source.token }).catch(() => {});
    semaphore.release(2);
    expect(semaphore.currentCount).toBe(2);
  });

  it("a release above the maximum throws and releases nothing", () => {
    const semaphore = new AsyncSemaphore(1, 2);
    expect(() => semaphore.release(2)).toThrow(SemaphoreFullError);
    expect(semaphore.currentCount).toBe(1);
    semaphore.release();
    expect(() => semaphore.release()).toThrow(expect.objectContaining({ code: "ERR_SKEIN_SEMAPHORE_FULL" }));
  });

  it.each([
    [() => new AsyncSemaphore(-1), RangeError],
    [() => new AsyncSemaphore(3, 2), RangeError],
    [() => new AsyncSemaphore(0, 0), RangeError],
    [() => new AsyncSemaphore(untyped("1")), TypeError],
    [() => new AsyncSemaphore(1).release(0), RangeError],
    [() => new AsyncSemaphore(1).release(untyped(null)), TypeError],
  ])("refuses wrong numbers %#", (call, error) => {
    expect(call).toThrow(error);
  });

  it("an inline waiter that releases at once sees a right count", () => {
    const semaphore = new AsyncSemaphore(0, 5, { continuations: "inline" });
    const counts: number[] = [];
    Task.async(function* () {
      yield* semaphore.waitAsync();
      counts.push(semaphore.currentCount);
      semaphore.release();
    })();
    semaphore.release(3);
    expect([counts, semaphore.currentCount]).toEqual([[2], 3]);
  });
});

describe("BlockingCollection", () => {
  it("A14.1 take waits for an item; completed and empty it rejects; tryTake misses with undefined", async () => {
    const items = new BlockingCollection<number>();
    expect(items.tryTake()).toBeUndefined();
    const first = items.take();
    const second = items.take();
    await items.add(1);
    expect(statuses([first, second])).toEqual(["succeeded", "pending"]);
    items.completeAdding();
    expect(second.error).toBeInstanceOf(InvalidOperationError);
    expect(items.take().error).toBeInstanceOf(InvalidOperationError);
    expect(items.tryTake()).toBeUndefined();
  });

  it("A14.1 the consuming iteration ends normally; plain iteration is a snapshot and takes nothing", async () => {
    const items = new BlockingCollection<number>();
    for (const n of [1, 2, 3]) items.tryAdd(n);
    const snapshot = items[Symbol.iterator]();
    items.tryAdd(4);
    expect([...snapshot]).toEqual([1, 2, 3]);
    expect([...items]).toEqual([1, 2, 3, 4]);
    expect(items.count).toBe(4);
    const consumed: number[] = [];
    const consumer = (async () => {
      for await (const item of items.getConsumingIterable()) consumed.push(item);
    })();
    await turn();
    items.tryAdd(5);
    items.completeAdding();
    await consumer;
    expect([consumed, items.isCompleted]).toEqual([[1, 2, 3, 4, 5], true]);
  });

  it("A14.2 add after completeAdding is refused; waiting adds are refused and have added nothing", () => {
    const items = new BlockingCollection<number>({ boundedCapacity: 1 });
    expect(items.add(1).status).toBe("succeeded");
    const waiting = items.add(2);
    expect([items.tryAdd(3), waiting.status]).toEqual([false, "pending"]);
    items.completeAdding();
    items.completeAdding();
    expect(waiting.error).toBeInstanceOf(InvalidOperationError);
    expect(items.add(4).error).toBeInstanceOf(InvalidOperationError);
    expect(() => items.tryAdd(5)).toThrow(InvalidOperationError);
    expect([items.count, items.isAddingCompleted, items.isCompleted]).toEqual([1, true, false]);
    expect([items.tryTake(), items.isCompleted]).toEqual([1, true]);
  });

  it("A14.2 a producer that is refused takes an item: there is no room for the next one", () => {
    const collection = new BlockingCollection<string>({ boundedCapacity: 1, continuations: "inline" });
    collection.tryAdd("first");
    const taken: unknown[] = [];
    const refused = collection.add("a");
    const next = collection.add("b");
    refused.catch(() => void taken.push(collection.tryTake()));
    next.catch(() => {});
    collection.completeAdding();
    expect(statuses([refused, next])).toEqual(["faulted", "faulted"]);
    expect([taken, [...collection], collection.isCompleted]).toEqual([["first"], [], true]);
  });

  it("A14.3 first in, first out, for those who wait for room as well", () => {
    const items = new BlockingCollection<number>({ boundedCapacity: 1 });
    const adds = [1, 2, 3].map((n) => items.add(n));
    expect([items.tryTake(), items.tryTake(), items.tryTake()]).toEqual([1, 2, 3]);
    expect(statuses(adds)).toEqual(["succeeded", "succeeded", "succeeded"]);
  });

  it("A14.3 a token cancels waits for items and for room, with an error that carries it", () => {
    const items = new BlockingCollection<number>({ boundedCapacity: 1 });
    const source = new CancellationTokenSource();
    const take = items.take({ signal: source.token });
    const other = new BlockingCollection<number>({ boundedCapacity: 1 });
    other.tryAdd(1);
    const add = other.add(2, { signal: source.token });
    source.cancel();
    for (const task of [
      take,
      add,
      items.take({ signal: source.token }),
      items.add(9, { signal: source.token }),
    ])
      expect(task.error).toMatchObject({ token: source.token });
    expect([items.count, other.count]).toEqual([0, 1]);
  });

  it("A14.3 addToAny and takeFromAny use the first that can, or wait for it", async () => {
    const full = new BlockingCollection<string>({ boundedCapacity: 1 });
    const free = new BlockingCollection<string>({ boundedCapacity: 1 });
    full.tryAdd("full");
    expect(await BlockingCollection.addToAny([full, free], "a")).toBe(1);
    const waiting = BlockingCollection.addToAny([full, free], "b");
    expect(waiting.status).toBe("pending");
    expect(free.tryTake()).toBe("a");
    expect(await waiting).toBe(1);
    expect(await BlockingCollection.takeFromAny([free, full])).toEqual({ item: "b", index: 0 });
    expect(await BlockingCollection.takeFromAny([free, full])).toEqual({ item: "full", index: 1 });
    const source = new CancellationTokenSource();
    const taking = BlockingCollection.takeFromAny([free, full]);
    const canceled = BlockingCollection.takeFromAny([free, full], { signal: source.token });
    source.cancel();
    expect(canceled.status).toBe("canceled");
    full.tryAdd("late");
    expect(await taking).toEqual({ item: "late", index: 1 });
    full.completeAdding();
    free.completeAdding();
    const nothing = BlockingCollection.takeFromAny([free, full]);
    expect(nothing.error).toBeInstanceOf(InvalidOperationError);
    expect(BlockingCollection.addToAny([free], "x").error).toBeInstanceOf(InvalidOperationError);
    expect(() => BlockingCollection.takeFromAny([])).toThrow(TypeError);
  });

  it("A14.3 a list that changes afterwards is not the one that is waited at", async () => {
    const first = new BlockingCollection<number>({ boundedCapacity: 1 });
    const second = new BlockingCollection<number>({ boundedCapacity: 1 });
    const list = [first, second];
    const taking = BlockingCollection.takeFromAny(list);
    list.length = 0;
    second.tryAdd(1);
    expect(await taking).toEqual({ item: 1, index: 1 });
    const all = [first, second];
    for (const one of all) one.tryAdd(2);
    const adding = BlockingCollection.addToAny(all, 3);
    all.reverse();
    first.tryTake();
    expect(await adding).toBe(0);
  });

  it("A14.3 a signal that fires in the code of whoever is served comes too late: what was moved has been moved", () => {
    const collection = new BlockingCollection<number>({ boundedCapacity: 1, continuations: "inline" });
    const served = new AbortController();
    void collection.take().continueWith(() => served.abort(), { policy: "inline" });
    const adding = BlockingCollection.addToAny([collection], 1, { signal: served.signal });
    expect([adding.status, served.signal.aborted]).toEqual(["succeeded", true]);

    collection.tryAdd(2);
    const admitted = new AbortController();
    void collection.add(3).continueWith(() => admitted.abort(), { policy: "inline" });
    const taking = BlockingCollection.takeFromAny([collection], { signal: admitted.signal });
    expect([taking.status, admitted.signal.aborted]).toEqual(["succeeded", true]);
    expect([taking.result.item, collection.tryTake()]).toEqual([2, 3]);
  });

  it("A14.1 getConsumingIterable refuses a wrong option at once", () => {
    const collection = new BlockingCollection<number>();
    expect(() => collection.getConsumingIterable({ signal: untyped(5) })).toThrow(TypeError);
  });

  it("A14.3 items come out once and in order, whatever the mix of adds and takes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("add", "take", "tryAdd", "tryTake"), { maxLength: 80 }),
        fc.integer({ min: 1, max: 5 }),
        async (moves, boundedCapacity) => {
          const items = new BlockingCollection<number>({ boundedCapacity });
          let next = 0;
          const adds: Task<void>[] = [];
          const takes: Task<number>[] = [];
          const direct: number[] = [];
          for (const move of moves) {
            if (move === "add") adds.push(items.add(next++));
            else if (move === "take") takes.push(items.take());
            else if (move === "tryAdd") {
              if (items.tryAdd(next)) next++;
            } else {
              const item = items.tryTake();
              if (item !== undefined) direct.push(item);
            }
            expect(items.count).toBeLessThanOrEqual(boundedCapacity);
          }
          const rest: number[] = [];
          for (let item = items.tryTake(); item !== undefined; item = items.tryTake()) rest.push(item);
          const taken = takes.filter((task) => task.status === "succeeded").map((task) => task.result);
          expect(taken).toEqual(taken.toSorted((a, b) => a - b));
          expect([...taken, ...direct, ...rest].toSorted((a, b) => a - b)).toEqual(
            Array.from({ length: next }, (_, n) => n),
          );
        },
      ),
    );
  });

  it.each([0, -1, 1.5])("refuses a capacity of %s", (boundedCapacity) => {
    expect(() => new BlockingCollection({ boundedCapacity })).toThrow(RangeError);
  });
});
