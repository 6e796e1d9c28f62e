import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapacityExceededError, MultiProducerConcurrentConsumer } from "../src/index.ts";
import { RecordingPump } from "./recording-pump.ts";
import { VirtualClock } from "./virtual-clock.ts";

let clock: VirtualClock;
beforeEach(() => {
  clock = new VirtualClock();
});
afterEach(() => clock[Symbol.dispose]());

function setUp(): { consumer: MultiProducerConcurrentConsumer<number>; recorder: RecordingPump<number> } {
  const options = { batchSize: 2, pushIntervalMs: 100, maxConcurrency: 1, slots: 2, capacity: 2 };
  return {
    consumer: new MultiProducerConcurrentConsumer<number>(options),
    recorder: new RecordingPump<number>(),
  };
}

describe("capacity", () => {
  it("counts what waits in one slot: push throws, tryPush is false", async () => {
    const { consumer, recorder } = setUp();
    consumer.push(1, 0);
    expect(consumer.tryPush(2, 0)).toBe(true);
    expect(consumer.tryPush(3, 0)).toBe(false);
    expect(() => consumer.push(3, 0)).toThrow(CapacityExceededError);
    expect(() => consumer.push(3, 0)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_CAPACITY_EXCEEDED", slot: 0 }),
    );
    expect(consumer.tryPush(3, 1)).toBe(true);
    consumer.start(recorder.pump);
    await clock.settle();
    expect(consumer.tryPush(4, 0)).toBe(true);
  });

  it("pushAsync waits for room, in order", async () => {
    const { consumer, recorder } = setUp();
    const pushes = [1, 2, 3, 4, 5].map((item) => consumer.pushAsync(item, 0));
    expect(pushes.map(({ status }) => status)).toEqual([
      "succeeded",
      "succeeded",
      "pending",
      "pending",
      "pending",
    ]);
    consumer.start(recorder.pump);
    await clock.settle();
    expect(pushes.map(({ status }) => status)).toEqual([
      "succeeded",
      "succeeded",
      "succeeded",
      "succeeded",
      "pending",
    ]);
    expect(consumer.tryPush(9, 0)).toBe(false);
    recorder.finishAll();
    await clock.settle();
    recorder.finishAll();
    await clock.advance(100);
    expect(recorder.batches).toEqual([[5]]);
  });

  // Moving all that wait for each that goes would take minutes.
  it("hundreds of thousands that wait are admitted one by one, in order", async () => {
    const { consumer } = setUp();
    const count = 300_000;
    const pushes = Array.from({ length: count }, (_, i) => consumer.pushAsync(i, 0));
    let pumped = 0;
    consumer.start((items) => {
      for (const item of items) pumped += item === pumped ? 1 : 0;
    });
    await pushes.at(-1);
    await consumer.complete();
    expect(pumped).toBe(count);
  });

  it("a pushAsync that still waits when complete begins rejects; its item was not accepted", async () => {
    const { consumer } = setUp();
    for (const item of [1, 2]) consumer.push(item, 0);
    const waiting = consumer.pushAsync(3, 0);
    const completion = consumer.complete();
    await expect(waiting).rejects.toMatchObject({ code: "ERR_SKEIN_INVALID_OPERATION" });
    expect((await completion).discarded).toEqual([1, 2]);
  });
});
