import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";

const PUSHES = 1_000_000;
const PUSHES_PER_TURN = 10_000;

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await turn();
    globalThis.gc!();
  }
}

async function pushMany(consumer: MultiProducerConcurrentConsumer<number>, pushes: number): Promise<void> {
  for (let pushed = 0; pushed < pushes;) {
    for (let i = 0; i < PUSHES_PER_TURN; i++) consumer.push(pushed++, i & 3);
    await Promise.resolve();
  }
}

describe("memory", () => {
  it("R10 a push allocates nothing in steady state", async () => {
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 100,
      pushIntervalMs: 1000,
      maxConcurrency: 4,
      slots: 4,
    });
    let pumped = 0;
    consumer.start((items) => {
      pumped += items.length;
    });
    // Until the optimising compiler has done its work.
    await pushMany(consumer, 3 * PUSHES);
    const samples: number[] = [];
    for (let i = 0; i < 5; i++) {
      await collect();
      const before = process.memoryUsage().heapUsed;
      // Few enough for the young generation: no collection falsifies the bytes.
      await pushMany(consumer, PUSHES);
      samples.push((process.memoryUsage().heapUsed - before) / PUSHES);
    }
    // What is left is the cost of a turn and of a batch, spread over their items: 0.1 bytes, and 2 where storages run on async_hooks.
    // One object per push would be 16 bytes at least.
    expect(Math.min(...samples)).toBeLessThan(4);
    await consumer.complete();
    expect(pumped).toBe(3 * PUSHES + 5 * PUSHES);
  });

  it("keeps no item after its batch, and no context", async () => {
    const consumer = new MultiProducerConcurrentConsumer<object>({
      batchSize: 10,
      pushIntervalMs: 0,
      maxConcurrency: 2,
      slots: 2,
      flowContext: true,
    });
    consumer.start(() => {});
    const refs: WeakRef<object>[] = [];
    for (let i = 0; i < 1005; i++) {
      const item = {};
      refs.push(new WeakRef(item));
      consumer.push(item, i & 1);
    }
    await collect();
    expect(consumer.stats().pumped).toBe(1005);
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
    await consumer.complete();
  });

  it("a backlog is given back to the collector but for a bounded part", async () => {
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 10,
      pushIntervalMs: 1000,
      maxConcurrency: 1,
      slots: 1,
    });
    await collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 2_000_000; i++) consumer.push(i, 0);
    const full = process.memoryUsage().heapUsed - before;
    consumer.start(() => {});
    await collect();
    expect(consumer.stats().pumped).toBe(2_000_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(full / 5);
    await consumer.complete();
  });
});
