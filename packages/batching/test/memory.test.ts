import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { AsyncLocal } from "@skein/context";
import { describe, expect, it } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";
import type { BatchingOptions } from "../src/index.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";

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

/** A request: its values are collected when nobody holds its context. */
class Request {
  readonly #ref: WeakRef<object>;

  constructor(run: () => void) {
    const store = { name: "request" };
    const value = { name: "request" };
    storage.run(store, () => local.run(value, run));
    this.#ref = new WeakRef(store);
  }

  /** Collects until it has gone. Who waits in vain fails by the time limit of its test. */
  async isOver(): Promise<void> {
    while (this.#ref.deref() !== undefined) await collect();
  }
}

const storage = new AsyncLocalStorage<object>();
const local = new AsyncLocal<object>();

describe("an idle consumer keeps no context", { timeout: timeLimit(120_000) }, () => {
  type Consumer = MultiProducerConcurrentConsumer<number>;
  interface Case {
    readonly name: string;
    readonly options: Partial<BatchingOptions<number>>;
    /** Inside the request. */
    readonly use: (consumer: Consumer) => void;
  }
  const pushAll = (consumer: Consumer): void => {
    for (let i = 0; i < 25; i++) consumer.push(i, i & 1);
  };
  const cases: Case[] = [
    { name: "of its pushes", options: {}, use: pushAll },
    { name: "of its pushes that flowed", options: { flowContext: true }, use: pushAll },
    {
      name: "of pushes whose batches failed",
      options: { flowContext: true, maxConcurrency: 9, name: "fails" },
      use: pushAll,
    },
    {
      name: "of a producer",
      options: { flowContext: true },
      use: (consumer) => {
        const producer = consumer.producer(0);
        for (let i = 0; i < 25; i++) producer.push(i);
      },
    },
    {
      name: "of pushes that had to wait",
      options: { capacity: 10, flowContext: true },
      use: (consumer) => {
        for (let i = 0; i < 25; i++) void consumer.pushAsync(i, 0);
      },
    },
    {
      name: "of who has started and completed it",
      options: {},
      use: (consumer) => {
        pushAll(consumer);
        void consumer.complete();
      },
    },
  ];
  it.each(cases)("$name, nor that of who has made it", async ({ options, use }) => {
    let consumer: Consumer | undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    let count = 0;
    const request = new Request(() => {
      consumer = new MultiProducerConcurrentConsumer<number>({
        batchSize: 10,
        pushIntervalMs: 1,
        maxConcurrency: 1,
        slots: 2,
        ...options,
      });
      consumer.start((items) => {
        count += items.length;
        if (count === 25) resolve();
        if (options.name === "fails") throw new Error("down");
      });
      use(consumer);
    });
    await promise;
    await request.isOver();
    expect(consumer!.stats().pushed).toBe(25);
    await consumer!.complete();
  });
});

describe("memory", { timeout: timeLimit(120_000) }, () => {
  it("a completed consumer lets go of its pump, its state and its signal", async () => {
    const consumer = new MultiProducerConcurrentConsumer<number, object>({
      batchSize: 1,
      pushIntervalMs: 1,
      maxConcurrency: 1,
      slots: 1,
    });
    const request = new Request(() => {
      const state = storage.getStore()!;
      const signals: AbortSignal[] = [];
      consumer.start((_items, _slot, _state, signal) => {
        signals.push(signal);
        signal.addEventListener("abort", () => state);
      }, state);
      consumer.push(1, 0);
    });
    await consumer.complete();
    await request.isOver();
    expect(consumer.stats().pumped).toBe(1);
  });

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
    expect(Math.min(...samples)).toBeLessThan(8);
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
