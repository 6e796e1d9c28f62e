import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BatchesFailedError, MultiProducerConcurrentConsumer } from "../src/index.ts";
import type { BatchingOptions } from "../src/index.ts";
import { range, RecordingPump } from "./recording-pump.ts";
import { VirtualClock } from "./virtual-clock.ts";

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

describe("complete", () => {
  it("E12 drains by default: partial batches are due at once, under the same bounds", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    for (const item of range(0, 5)) consumer.push(item, 0);
    consumer.push(9, 1);
    const completion = consumer.complete();
    await clock.settle();
    expect(recorder.calls.map(({ items, slot }) => [slot, ...items])).toEqual([
      [0, 0, 1, 2],
      [1, 9],
    ]);
    recorder.finishAll();
    await clock.settle();
    expect(recorder.batches).toEqual([[3, 4]]);
    expect(completion.isCompleted).toBe(false);
    recorder.finishAll();
    expect(await completion).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
    expect(clock.timers).toBe(0);
    expect(consumer.stats()).toMatchObject({ pushed: 6, pumped: 6 });
  });

  it("E13 the pump's signal is not aborted while draining", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    consumer.push(1, 0);
    const completion = consumer.complete();
    await clock.settle();
    expect(recorder.calls[0]!.signal.aborted).toBe(false);
    recorder.finishAll();
    await completion;
  });

  it("E12 drain: false pumps nothing more, asks running batches to end, and gives the rest back in order", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    for (const item of range(0, 8)) consumer.push(item, 0);
    for (const item of range(20, 22)) consumer.push(item, 1);
    await clock.settle();
    const completion = consumer.complete({ drain: false });
    expect(recorder.calls[0]!.signal.aborted).toBe(true);
    await clock.advance(1000);
    expect(recorder.calls).toHaveLength(1);
    expect(completion.isCompleted).toBe(false);
    recorder.finishAll();
    expect(await completion).toEqual({
      discarded: [...range(3, 8), 20, 21],
      failed: [],
      failedItemsDropped: 0,
    });
    expect(consumer.stats()).toMatchObject({ pushed: 10, pumped: 3, discarded: 7 });
    expect(clock.timers).toBe(0);
  });

  it("E14 without a start gives everything back; twice is harmless", async () => {
    const { consumer } = setUp();
    consumer.push(1, 1);
    consumer.push(2, 0);
    const first = consumer.complete();
    expect(consumer.complete({ drain: false })).toBe(first);
    expect(await first).toEqual({ discarded: [2, 1], failed: [], failedItemsDropped: 0 });
    expect(consumer.complete()).toBe(first);
    expect(consumer.stats()).toMatchObject({ pushed: 2, discarded: 2 });
  });

  it("concurrent calls share one task, and a later drain: false cuts a drain short", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    for (const item of range(0, 9)) consumer.push(item, 0);
    const first = consumer.complete();
    await clock.settle();
    expect(consumer.complete()).toBe(first);
    expect(consumer.complete({ drain: false })).toBe(first);
    expect(recorder.calls[0]!.signal.aborted).toBe(true);
    recorder.finishAll();
    expect((await first).discarded).toEqual(range(3, 9));
  });

  it("E15 a push after it began is refused, until the next start", async () => {
    const { consumer, recorder } = setUp();
    consumer.start(recorder.pump);
    const completion = consumer.complete();
    const refused = expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" });
    expect(() => consumer.push(1, 0)).toThrow(refused);
    expect(consumer.tryPush(1, 0)).toBe(false);
    await expect(consumer.pushAsync(1, 0)).rejects.toEqual(refused);
    expect(await completion).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
    expect(() => consumer.push(1, 0)).toThrow(refused);
    consumer.start(recorder.pump);
    consumer.push(1, 0);
    expect(consumer.stats().pushed).toBe(1);
  });

  it("a pump that completes its own consumer waits for itself and no longer", async () => {
    const { consumer } = setUp({ batchSize: 1 });
    const seen: number[] = [];
    let completion: PromiseLike<unknown> | undefined;
    consumer.start((items) => {
      seen.push(...items);
      completion ??= consumer.complete();
    });
    consumer.push(1, 0);
    consumer.push(2, 0);
    await clock.settle();
    expect(await completion).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
    expect(seen).toEqual([1, 2]);
  });

  it("await using drains", async () => {
    const seen: number[] = [];
    {
      await using consumer = setUp().consumer;
      consumer.start((items) => void seen.push(...items));
      consumer.push(1, 0);
    }
    expect(seen).toEqual([1]);
  });

  it("disposal does not hide failed batches that nobody was told of", async () => {
    const { consumer } = setUp();
    consumer.start(() => {
      throw new Error("no");
    });
    consumer.push(1, 0);
    const error: unknown = await consumer[Symbol.asyncDispose]().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BatchesFailedError);
    expect(error).toMatchObject({ code: "ERR_SKEIN_BATCHES_FAILED", failed: [{ items: [1], slot: 0 }] });
    await expect(consumer[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
});

describe("a failing pump", () => {
  it.each(["throws", "rejects"])(
    "E11 that %s loses nothing: the report has its items, and all go on",
    async (how) => {
      const { consumer } = setUp();
      const pumped: number[] = [];
      const error = new Error("first batch");
      consumer.start((items) => {
        if (items[0] !== 0) return void pumped.push(...items);
        if (how === "throws") throw error;
        return Promise.reject(error);
      });
      for (const item of range(0, 7)) consumer.push(item, 0);
      for (const item of range(10, 13)) consumer.push(item, 1);
      expect(await consumer.complete()).toEqual({
        discarded: [],
        failed: [{ items: [0, 1, 2], slot: 0, error }],
        failedItemsDropped: 0,
      });
      expect(pumped.toSorted((a, b) => a - b)).toEqual([...range(3, 7), ...range(10, 13)]);
      expect(consumer.stats()).toMatchObject({ pushed: 10, pumped: 7, failed: 3 });
    },
  );

  it("a rejection without an error is a failure too", async () => {
    const { consumer } = setUp();
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- that is the case
    consumer.start(() => Promise.reject());
    consumer.push(1, 0);
    expect((await consumer.complete()).failed).toEqual([{ items: [1], slot: 0, error: undefined }]);
  });

  it("onError 'drop': the handler has the items, the report does not", async () => {
    const seen: unknown[] = [];
    const { consumer } = setUp({
      onError: (...args) => {
        seen.push(args);
        return "drop";
      },
    });
    const error = new Error("no");
    consumer.start(() => {
      throw error;
    });
    consumer.push(1, 1);
    expect(await consumer.complete()).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
    expect(seen).toEqual([[error, [1], 1, 1]]);
    expect(consumer.stats()).toMatchObject({ failed: 1 });
  });

  it("onError 'retry': the batch comes again, first, after a growing pause; other slots go on", async () => {
    const attempts: number[] = [];
    const { consumer } = setUp({
      onError: (_error, _items, _slot, attempt) => {
        attempts.push(attempt);
        return "retry";
      },
    });
    const starts: [number, number, ...number[]][] = [];
    consumer.start((items, slot) => {
      starts.push([clock.now(), slot, ...items]);
      if (slot === 0 && attempts.length < 3) throw new Error("not yet");
    });
    for (const item of range(0, 6)) consumer.push(item, 0);
    for (const item of range(10, 13)) consumer.push(item, 1);
    await clock.advance(7);
    expect(starts).toEqual([
      [0, 0, 0, 1, 2],
      [0, 1, 10, 11, 12],
      [1, 0, 0, 1, 2],
      [3, 0, 0, 1, 2],
      [7, 0, 0, 1, 2],
      [7, 0, 3, 4, 5],
    ]);
    expect(attempts).toEqual([1, 2, 3]);
    expect(clock.timers).toBe(0);
  });

  it("several batches that fail together come again in their order", async () => {
    const { consumer, recorder } = setUp({ batchSize: 1, maxConcurrency: 3, onError: () => "retry" });
    consumer.start(recorder.pump);
    for (const item of range(0, 4)) consumer.push(item, 0);
    await clock.settle();
    const [first, second, third] = recorder.calls.splice(0);
    second!.fail(new Error("2"));
    first!.fail(new Error("1"));
    third!.finish();
    await clock.advance(10);
    expect(recorder.batches).toEqual([[0], [1], [3]]);
    recorder.finishAll();
    expect(await consumer.complete()).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
  });

  it("the pause of a batch is not cut short by another one of its slot that fails meanwhile", async () => {
    const { consumer, recorder } = setUp({ batchSize: 1, maxConcurrency: 2, onError: () => "retry" });
    consumer.start(recorder.pump);
    consumer.push(0, 0);
    consumer.push(1, 0);
    await clock.settle();
    const [, second] = recorder.calls;
    // Pauses of 1, 2 and 4 ms; then one of 8 begins.
    for (const pauseMs of [1, 2, 4, 0]) {
      recorder.calls.findLast(({ items }) => items[0] === 0)!.fail(new Error("0"));
      await clock.advance(pauseMs);
    }
    recorder.calls.splice(0);
    second!.fail(new Error("1"));
    await clock.advance(6);
    expect(recorder.batches).toEqual([]);
    await clock.advance(2);
    expect(recorder.batches).toEqual([[0], [1]]);
    // The next pause is as long as it should be: nothing is left of the one before.
    const [first] = recorder.calls.splice(0).toReversed();
    first!.fail(new Error("1 again"));
    await clock.advance(2);
    expect(recorder.batches).toEqual([[1]]);
    recorder.finishAll();
  });

  it("what was to be tried again when drain: false came is discarded", async () => {
    const { consumer, recorder } = setUp({ onError: () => "retry" });
    consumer.start(recorder.pump);
    for (const item of range(0, 4)) consumer.push(item, 0);
    await clock.settle();
    const completion = consumer.complete({ drain: false });
    recorder.calls[0]!.fail(new Error("aborted"));
    expect((await completion).discarded).toEqual(range(0, 4));
    expect(clock.timers).toBe(0);
  });

  it("while draining, a batch is tried again as well", async () => {
    let isBroken = true;
    const { consumer } = setUp({ onError: () => "retry" });
    consumer.start(() => {
      if (isBroken) throw new Error("broken");
    });
    consumer.push(1, 0);
    const completion = consumer.complete();
    await clock.advance(50);
    expect(completion.isCompleted).toBe(false);
    isBroken = false;
    await clock.advance(100);
    expect(await completion).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
  });

  it.each([
    [
      "throws",
      (): never => {
        throw new Error("handler");
      },
    ],
    ["says neither", (): never => undefined as never],
  ])("an onError that %s does not lose the batch", async (_, onError) => {
    const { consumer } = setUp({ onError });
    const error = new Error("pump");
    consumer.start(() => {
      throw error;
    });
    consumer.push(1, 0);
    const { failed } = await consumer.complete();
    expect(failed).toMatchObject([{ items: [1], slot: 0, error: { errors: [error, expect.any(Error)] } }]);
  });
});
