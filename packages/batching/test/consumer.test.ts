import { createHook } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";
import type { BatchingOptions } from "../src/index.ts";
import { range, RecordingPump } from "./recording-pump.ts";
import { VirtualClock } from "./virtual-clock.ts";

const DAY_MS = 86_400_000;
let clock: VirtualClock;

beforeEach(() => {
  clock = new VirtualClock();
});
afterEach(() => clock[Symbol.dispose]());

function setUp(options: Partial<BatchingOptions<number>> = {}): {
  consumer: MultiProducerConcurrentConsumer<number>;
  recorder: RecordingPump<number>;
} {
  const consumer = new MultiProducerConcurrentConsumer<number>({
    batchSize: 3,
    pushIntervalMs: 100,
    maxConcurrency: 1,
    slots: 2,
    ...options,
  });
  return { consumer, recorder: new RecordingPump<number>() };
}

describe("start", () => {
  it("E2 passes items, slot, state and signal to the pump", async () => {
    const consumer = new MultiProducerConcurrentConsumer<number, { name: string }>({
      batchSize: 2,
      pushIntervalMs: 100,
      maxConcurrency: 1,
      slots: 2,
    });
    const recorder = new RecordingPump<number>();
    const state = { name: "state" };
    consumer.start(recorder.pump, state);
    consumer.push(1, 1);
    consumer.push(2, 1);
    await clock.settle();
    expect(recorder.calls[0]).toMatchObject({ items: [1, 2], slot: 1 });
    expect(recorder.calls[0]!.state).toBe(state);
    expect(recorder.calls[0]!.signal.aborted).toBe(false);
  });

  it("E2 refuses a second start until complete has resolved, and then starts again", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    expect(() => consumer.start(recorder.pump)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }),
    );
    consumer.push(1, 0);
    const completion = consumer.complete();
    await clock.settle();
    expect(() => consumer.start(recorder.pump)).toThrow("complete() has not finished");
    recorder.finishAll();
    await completion;
    const second = new RecordingPump<number>();
    consumer.start(second.pump);
    for (const item of [2, 3, 4]) consumer.push(item, 0);
    await clock.settle();
    expect(second.batches).toEqual([[2, 3, 4]]);
    expect(recorder.batches).toEqual([]);
  });

  it("E3 pumps what was pushed before it", async () => {
    const { consumer, recorder } = setUp({ maxConcurrency: 2 });
    for (const item of range(0, 4)) consumer.push(item, 0);
    await clock.advance(DAY_MS);
    expect(clock.timers).toBe(0);
    consumer.start(recorder.pump);
    await clock.advance(1);
    expect(recorder.batches).toEqual([[0, 1, 2], [3]]);
  });

  it("E16 a full backlog before the start meets the pump, not nothing", async () => {
    const { consumer, recorder } = setUp({ batchSize: 1, maxConcurrency: 100 });
    for (const item of range(0, 100)) consumer.push(item, item % 2);
    consumer.start(recorder.pump);
    await clock.settle();
    expect(recorder.calls).toHaveLength(100);
  });

  it("never calls the pump on the stack of a push", async () => {
    const { consumer, recorder } = setUp({ batchSize: 1 });
    consumer.start(recorder.pump);
    consumer.push(1, 0);
    expect(recorder.calls).toEqual([]);
    await clock.settle();
    expect(recorder.batches).toEqual([[1]]);
  });

  it("a pump that pushes does not recurse", async () => {
    const { consumer } = setUp({ batchSize: 1 });
    let depth = 0;
    let deepest = 0;
    let pumped = 0;
    consumer.start(([item]) => {
      deepest = Math.max(deepest, ++depth);
      pumped++;
      if (item! < 5000) consumer.push(item! + 1, 0);
      depth--;
    });
    consumer.push(1, 0);
    await clock.settle();
    expect({ pumped, deepest }).toEqual({ pumped: 5000, deepest: 1 });
  });
});

describe("batches", () => {
  it("E4 E3 starts at exactly batchSize items of one slot, not at a sum over slots", async () => {
    const { consumer, recorder } = setUp({ pushIntervalMs: DAY_MS });
    consumer.start(recorder.pump);
    for (const slot of [0, 1, 0, 1]) consumer.push(slot, slot);
    await clock.settle();
    expect(recorder.calls).toEqual([]);
    consumer.push(0, 0);
    await clock.settle();
    expect(recorder.calls).toMatchObject([{ items: [0, 0, 0], slot: 0 }]);
  });

  it("E5 R8 a partial batch starts when its oldest item is pushIntervalMs old", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    consumer.push(1, 0);
    await clock.advance(60);
    consumer.push(2, 0);
    await clock.advance(39);
    expect(recorder.calls).toEqual([]);
    await clock.advance(1);
    expect(recorder.batches).toEqual([[1, 2]]);
  });

  it("E6 the rest of a full batch waits for its own time", async () => {
    const { consumer, recorder } = setUp({ maxConcurrency: 5 });
    consumer.start(recorder.pump);
    consumer.push(0, 0);
    await clock.advance(50);
    for (const item of range(1, 4)) consumer.push(item, 0);
    await clock.advance(99);
    expect(recorder.batches).toEqual([[0, 1, 2]]);
    await clock.advance(1);
    expect(recorder.batches).toEqual([[0, 1, 2], [3]]);
  });

  it("E6 R1 never mixes slots and never pumps an empty batch", async () => {
    const { consumer, recorder } = setUp({ slots: 3, maxConcurrency: 9 });
    consumer.start(recorder.pump);
    for (const item of range(0, 20)) consumer.push(item, item % 3);
    await clock.advance(DAY_MS);
    for (const { items, slot } of recorder.calls) {
      expect(items.length).toBeGreaterThan(0);
      expect(items.every((item) => item % 3 === slot)).toBe(true);
    }
    expect(recorder.batches.flat().toSorted((a, b) => a - b)).toEqual(range(0, 20));
  });

  it("E7 R9 starts the batches of a slot in the order of the pushes", async () => {
    const { consumer, recorder } = setUp({ maxConcurrency: 2 });
    consumer.start(recorder.pump);
    for (const item of range(0, 9)) consumer.push(item, 0);
    await clock.settle();
    expect(recorder.batches).toEqual([range(0, 3), range(3, 6)]);
    recorder.calls[1]!.finish();
    await clock.settle();
    expect(recorder.batches).toEqual([range(0, 3), range(3, 6), range(6, 9)]);
  });

  it("R3 runs up to maxConcurrency batches of a slot, and no more", async () => {
    const { consumer, recorder } = setUp({ maxConcurrency: 3 });
    consumer.start(recorder.pump);
    for (const item of range(0, 30)) consumer.push(item, 0);
    await clock.settle();
    expect(consumer.stats().slots).toEqual([
      { pending: 21, running: 3 },
      { pending: 0, running: 0 },
    ]);
  });

  it("E8 a slow slot delays no other", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    for (const item of [1, 2, 3]) consumer.push(item, 0);
    await clock.settle();
    for (const item of range(10, 22)) {
      consumer.push(item, 1);
      await clock.settle();
      for (const call of recorder.calls) if (call.slot === 1) call.finish();
      recorder.calls.splice(1);
    }
    await clock.settle();
    expect(consumer.stats()).toMatchObject({ pumped: 12, slots: [{ running: 1 }, { running: 0 }] });
  });

  it("E8 slots with a backlog take turns", async () => {
    const { consumer } = setUp();
    const order: number[] = [];
    for (const item of range(0, 9)) consumer.push(item, 0);
    for (const item of range(0, 9)) consumer.push(item, 1);
    consumer.start((_, slot) => void order.push(slot));
    await clock.settle();
    expect(order).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it("E9 E18 a backlog is worked off without another push or the interval", async () => {
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 100,
      pushIntervalMs: DAY_MS,
      maxConcurrency: 4,
      slots: 4,
    });
    for (const item of range(0, 2000)) consumer.push(item, item % 4);
    let pumped = 0;
    consumer.start(async (items) => {
      await Promise.resolve();
      pumped += items.length;
    });
    await clock.settle();
    expect(pumped).toBe(2000);
  });

  it("a partial batch whose time came while its slot was busy starts at once afterwards, with what came meanwhile", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    for (const item of range(0, 4)) consumer.push(item, 0);
    await clock.advance(150);
    consumer.push(4, 0);
    expect(recorder.batches).toEqual([[0, 1, 2]]);
    recorder.calls[0]!.finish();
    await clock.settle();
    expect(recorder.batches[1]).toEqual([3, 4]);
  });

  it("E10 the list of a full batch is used again", async () => {
    const { consumer } = setUp();
    const lists: (readonly number[])[] = [];
    consumer.start((items) => void lists.push(items));
    for (let round = 0; round < 3; round++) {
      for (const item of range(0, 3)) consumer.push(item, 0);
      await clock.settle();
    }
    expect(new Set(lists).size).toBe(1);
    expect([...lists[0]!]).toEqual([undefined, undefined, undefined]);
  });

  it("a batch may be larger than what its buffer has room for at first", async () => {
    const { consumer, recorder } = setUp({ batchSize: 5000, maxConcurrency: 2 });
    consumer.start(recorder.pump);
    for (let round = 0; round < 2; round++) {
      for (const item of range(0, 6500)) consumer.push(item, 0);
      await clock.advance(100);
      expect(recorder.batches).toEqual([range(0, 5000), range(5000, 6500)]);
      recorder.finishAll();
      await clock.settle();
    }
  });

  it("pushIntervalMs 0: a batch is what was pushed in one go", async () => {
    const { consumer, recorder } = setUp({ pushIntervalMs: 0, batchSize: 100, maxConcurrency: 9 });
    consumer.start(recorder.pump);
    consumer.push(1, 0);
    consumer.push(2, 0);
    await clock.settle();
    consumer.push(3, 0);
    await clock.settle();
    expect(recorder.batches).toEqual([[1, 2], [3]]);
    expect(clock.timers).toBe(0);
  });

  it("pushIntervalMs Infinity: only full batches, and no timer", async () => {
    const { consumer, recorder } = setUp({ pushIntervalMs: Infinity });
    consumer.start(recorder.pump);
    for (const item of range(0, 4)) consumer.push(item, 0);
    await clock.advance(DAY_MS);
    expect(recorder.batches).toEqual([[0, 1, 2]]);
    expect(clock.timers).toBe(0);
  });

  it("a thenable that calls back twice ends its batch once", async () => {
    const { consumer } = setUp();
    consumer.start(() => ({
      then(onFulfilled: (() => unknown) | null | undefined): never {
        onFulfilled?.();
        onFulfilled?.();
        return undefined as never;
      },
    }));
    for (const item of range(0, 6)) consumer.push(item, 0);
    await clock.settle();
    expect(consumer.stats()).toMatchObject({ pumped: 6, slots: [{ running: 0 }, { running: 0 }] });
  });
});

describe("what the pump returns", () => {
  it("a promise whose own `then` calls back twice, or throws, ends its batch once", async () => {
    const { consumer } = setUp({ batchSize: 1 });
    consumer.start(([item]) => {
      const promise = Promise.resolve();
      const then = (onFulfilled: () => void): void => {
        onFulfilled();
        onFulfilled();
        if (item === 2) throw new Error("then");
      };
      return Object.assign(promise, { then: then as never });
    });
    for (const item of [1, 2, 3]) consumer.push(item, 0);
    expect(await consumer.complete()).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
    expect(consumer.stats()).toMatchObject({ pumped: 3, failed: 0 });
  });

  it("a `then` that cannot be read is a failure of the batch", async () => {
    const { consumer } = setUp({ batchSize: 1, onError: () => "drop" });
    consumer.start(() => ({
      get then(): never {
        throw new Error("no");
      },
    }));
    consumer.push(1, 0);
    await consumer.complete();
    expect(consumer.stats()).toMatchObject({ pumped: 0, failed: 1 });
  });
});

describe("the timer", () => {
  it("R4 is one in all, and none while idle", async () => {
    const { consumer, recorder } = setUp({ slots: 50, maxConcurrency: 2 });
    consumer.start(recorder.pump);
    expect(clock.timers).toBe(0);
    for (let slot = 0; slot < 50; slot++) consumer.push(slot, slot);
    expect(clock.timers).toBe(1);
    await clock.advance(100);
    expect(recorder.calls).toHaveLength(50);
    expect(clock.timers).toBe(0);
    await clock.advance(DAY_MS);
    expect(recorder.calls).toHaveLength(50);
  });

  it("E17 is stopped when a full batch leaves nothing to wait for", async () => {
    const { consumer, recorder } = setUp({ pushIntervalMs: DAY_MS });
    consumer.start(recorder.pump);
    consumer.push(1, 0);
    expect(clock.timers).toBe(1);
    consumer.push(2, 0);
    consumer.push(3, 0);
    await clock.settle();
    expect(clock.timers).toBe(0);
  });

  it("is not moved by later pushes", async () => {
    const { consumer, recorder } = setUp({ batchSize: 1000 });
    consumer.start(recorder.pump);
    for (let ms = 0; ms < 100; ms++) {
      consumer.push(ms, 0);
      await clock.advance(1);
    }
    expect(recorder.batches).toEqual([range(0, 100)]);
  });

  it("real time: nothing is left after completion, and a started consumer that is idle has no timer", async () => {
    clock[Symbol.dispose]();
    // Timers of the consumers here, and of nobody else in this process.
    const timers = new Set<number>();
    const isOurs = (stack: string): boolean => /batching[\\/]src[\\/]/.test(stack);
    const hook = createHook({
      init: (id, type) => void (type === "Timeout" && isOurs(new Error("made").stack!) && timers.add(id)),
      destroy: (id) => void timers.delete(id),
    }).enable();
    try {
      const { consumer } = setUp({ pushIntervalMs: 1 });
      const { promise, resolve } = Promise.withResolvers<readonly number[]>();
      consumer.start((items) => resolve([...items]));
      expect(timers.size).toBe(0);
      consumer.push(1, 0);
      expect(timers.size).toBe(1);
      expect(await promise).toEqual([1]);
      // The hook is told in a later turn. A timer that is left fails the test by its time limit.
      while (timers.size > 0) await turn();
      consumer.push(2, 0);
      await consumer.complete();
      while (timers.size > 0) await turn();
    } finally {
      hook.disable();
    }
  });
});

describe("other people's clocks", () => {
  it("the fake timers of a test framework govern it", async () => {
    clock[Symbol.dispose]();
    vi.useFakeTimers();
    try {
      const { consumer, recorder } = setUp();
      consumer.start(recorder.pump);
      expect(vi.getTimerCount()).toBe(0);
      consumer.push(1, 0);
      expect(vi.getTimerCount()).toBe(1);
      await vi.advanceTimersByTimeAsync(99);
      expect(recorder.calls).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(recorder.batches).toEqual([[1]]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("invalid arguments are refused by name", () => {
  const valid = { batchSize: 1, pushIntervalMs: 1, maxConcurrency: 1, slots: 1 };
  it.each([
    ["batchSize", 0, "ERR_SKEIN_OUT_OF_RANGE"],
    ["batchSize", 1.5, "ERR_SKEIN_OUT_OF_RANGE"],
    ["batchSize", undefined, "ERR_SKEIN_INVALID_ARG_TYPE"],
    ["batchSize", "1", "ERR_SKEIN_INVALID_ARG_TYPE"],
    ["pushIntervalMs", -1, "ERR_SKEIN_OUT_OF_RANGE"],
    ["pushIntervalMs", Number.NaN, "ERR_SKEIN_OUT_OF_RANGE"],
    ["pushIntervalMs", 2 ** 31, "ERR_SKEIN_OUT_OF_RANGE"],
    ["pushIntervalMs", null, "ERR_SKEIN_INVALID_ARG_TYPE"],
    ["maxConcurrency", 0, "ERR_SKEIN_OUT_OF_RANGE"],
    ["maxConcurrency", Infinity, "ERR_SKEIN_OUT_OF_RANGE"],
    ["slots", 0, "ERR_SKEIN_OUT_OF_RANGE"],
    ["slots", {}, "ERR_SKEIN_INVALID_ARG_TYPE"],
    ["capacity", 0, "ERR_SKEIN_OUT_OF_RANGE"],
    ["capacity", "5", "ERR_SKEIN_INVALID_ARG_TYPE"],
    ["onError", "drop", "ERR_SKEIN_INVALID_ARG_TYPE"],
    ["flowContext", 1, "ERR_SKEIN_INVALID_ARG_TYPE"],
    ["sharedBytes", 100, "ERR_SKEIN_OUT_OF_RANGE"],
    ["name", 5, "ERR_SKEIN_INVALID_ARG_TYPE"],
  ])("E1 %s: %s", (name, value, code) => {
    const options = { ...valid, [name]: value };
    expect(() => new MultiProducerConcurrentConsumer(options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(`\`options.${name}\``) }),
    );
  });

  it("a capacity below batchSize needs an interval: no batch would ever be full", () => {
    const make = (capacity: number, pushIntervalMs: number): unknown =>
      new MultiProducerConcurrentConsumer({ ...valid, batchSize: 3, capacity, pushIntervalMs });
    expect(() => make(2, Infinity)).toThrow("Expected `options.capacity` to be at least `batchSize`, 3");
    for (const [capacity, interval] of [
      [3, Infinity],
      [2, 1000],
      [Infinity, Infinity],
    ] as const)
      expect(() => make(capacity, interval)).not.toThrow();
  });

  it("an unknown option is refused, and the one that was probably meant is named", () => {
    const refused = (message: string): unknown =>
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_UNKNOWN_OPTION", message });
    const make = (options: object) => (): unknown =>
      new MultiProducerConcurrentConsumer({ ...valid, ...options });
    expect(make({ batchsize: 5 })).toThrow(
      refused("Unknown option `batchsize` in `options`. Did you mean `batchSize`?"),
    );
    expect(make({ maxConcurency: 5 })).toThrow(
      refused("Unknown option `maxConcurency` in `options`. Did you mean `maxConcurrency`?"),
    );
    expect(make({ xyzzy: 5 })).toThrow("Unknown option `xyzzy` in `options`. Known options: batchSize, ");
    const { consumer } = setUp();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what callers without types may pass
    expect(() => consumer.complete({ drian: false } as never)).toThrow(
      refused("Unknown option `drian` in `options`. Did you mean `drain`?"),
    );
    // Nothing has happened: it takes items as before.
    consumer.push(1, 0);
  });

  it("options are the caller's own", () => {
    Object.assign(Object.prototype, { capacity: 1 });
    try {
      const consumer = new MultiProducerConcurrentConsumer<number>(valid);
      consumer.push(1, 0);
      consumer.push(2, 0);
      expect(consumer.stats().pushed).toBe(2);
    } finally {
      Reflect.deleteProperty(Object.prototype, "capacity");
    }
  });

  it.each([-1, 2, 0.5, Number.NaN, Infinity])("E3 slot %s is out of range", (slot) => {
    const { consumer } = setUp();
    const outOfRange = expect.objectContaining({ name: "RangeError", code: "ERR_SKEIN_OUT_OF_RANGE" });
    expect(() => consumer.push(1, slot)).toThrow(outOfRange);
    expect(() => consumer.tryPush(1, slot)).toThrow(outOfRange);
    expect(() => consumer.pushAsync(1, slot)).toThrow(outOfRange);
    expect(() => consumer.producer(slot)).toThrow(outOfRange);
  });

  it.each(["0", null, undefined, "length"])("slot %j is not a number", (slot) => {
    const { consumer } = setUp();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what callers without types may pass
    expect(() => consumer.push(1, slot as never)).toThrow(TypeError);
  });

  it("a pump that is no function, options of complete that are none", () => {
    const { consumer } = setUp();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what callers without types may pass
    expect(() => consumer.start(null as never)).toThrow("Expected `pump` to be a function, got null");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what callers without types may pass
    expect(() => consumer.complete({ drain: "no" } as never)).toThrow("`options.drain`");
  });
});
