/** User code that runs in the middle of the consumer's steps, and does what it likes there. */
import { SynchronizationContext } from "@skein/scheduling";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";
import type { BatchingOptions, BatchingStats } from "../src/index.ts";

function setUp<T = number>(options: Partial<BatchingOptions<T>> = {}): MultiProducerConcurrentConsumer<T> {
  return new MultiProducerConcurrentConsumer<T>({
    batchSize: 2,
    pushIntervalMs: 1,
    maxConcurrency: 1,
    slots: 2,
    ...options,
  });
}

/** Runs what is posted to it at once, on the stack of whoever completes a task. */
class AtOnce extends SynchronizationContext {
  override post<S>(callback: (state: S) => void, state: S): void {
    callback(state);
  }
}

const nothingElse = { discarded: [], failed: [], failedItemsDropped: 0 };

describe.each(["throws", "rejects"])("onError, for a pump that %s", (how) => {
  function failOnce(consumer: MultiProducerConcurrentConsumer<number>, seen: string[]): void {
    consumer.start((items, slot) => {
      seen.push(`${slot}: ${items.join()}`);
      if (seen.length > 1) return undefined;
      if (how === "throws") throw new Error("down");
      return Promise.reject(new Error("down"));
    });
  }

  it("sees its batch as running: the counts agree, and nobody takes its place", async () => {
    const stats: BatchingStats[] = [];
    const seen: string[] = [];
    const consumer: MultiProducerConcurrentConsumer<number> = setUp({
      onError: () => {
        stats.push(consumer.stats());
        return "drop";
      },
    });
    failOnce(consumer, seen);
    for (const item of [1, 2, 3]) consumer.push(item, 0);
    await consumer.complete();
    expect(stats).toMatchObject([
      { pushed: 3, pumped: 0, failed: 0, slots: [{ pending: 1, running: 1 }, {}] },
    ]);
    expect(seen).toEqual(["0: 1,2", "0: 3"]);
  });

  it.each(["drop", "retry"] as const)(
    "completes its consumer, then says %s: the batch has one end",
    async (verdict) => {
      const seen: string[] = [];
      const completions: PromiseLike<unknown>[] = [];
      const consumer: MultiProducerConcurrentConsumer<number> = setUp({
        onError: () => {
          completions.push(consumer.complete(), consumer[Symbol.asyncDispose]());
          return verdict;
        },
      });
      failOnce(consumer, seen);
      for (const item of [1, 2]) consumer.push(item, 0);
      await turn();
      expect(await Promise.all(completions)).toEqual([nothingElse, undefined]);
      expect(seen).toEqual(verdict === "drop" ? ["0: 1,2"] : ["0: 1,2", "0: 1,2"]);
      expect(consumer.stats()).toMatchObject({ pushed: 2, [verdict === "drop" ? "failed" : "pumped"]: 2 });
    },
  );

  it("completes it without a drain, then says retry: the items are given back", async () => {
    const completions: PromiseLike<unknown>[] = [];
    const consumer: MultiProducerConcurrentConsumer<number> = setUp({
      onError: () => {
        completions.push(consumer.complete({ drain: false }));
        return "retry";
      },
    });
    failOnce(consumer, []);
    for (const item of [1, 2, 3]) consumer.push(item, 0);
    await turn();
    expect(await completions[0]).toEqual({ ...nothingElse, discarded: [1, 2, 3] });
  });

  it("pushes what it was given, into its slot or another: nothing is lost or twice", async () => {
    for (const slot of [0, 1]) {
      const seen: string[] = [];
      const consumer: MultiProducerConcurrentConsumer<number> = setUp({
        onError: (_error, items) => {
          for (const item of items) consumer.push(item + 10, slot);
          return "drop";
        },
      });
      failOnce(consumer, seen);
      for (const item of [1, 2, 3]) consumer.push(item, 0);
      await turn();
      await consumer.complete();
      expect(seen).toEqual(slot === 0 ? ["0: 1,2", "0: 3,11", "0: 12"] : ["0: 1,2", "1: 11,12", "0: 3"]);
    }
  });
});

describe("other user code", () => {
  it("the pump starts its own consumer: refused, and the batch has failed", async () => {
    const consumer = setUp();
    consumer.start(() => consumer.start(() => {}));
    consumer.push(1, 0);
    expect((await consumer.complete()).failed).toMatchObject([
      { items: [1], error: { code: "ERR_SKEIN_INVALID_OPERATION" } },
    ]);
  });

  it("an awaiter that resumes at once starts the consumer again while its completion refuses pushes", async () => {
    const consumer = setUp({ capacity: 1 });
    consumer.push(1, 0);
    const seen: number[] = [];
    SynchronizationContext.run(new AtOnce(), () => {
      void consumer.pushAsync(2, 0).then(undefined, () => {
        consumer.start((items) => void seen.push(...items));
        consumer.push(3, 0);
      });
    });
    expect(await consumer.complete()).toEqual({ ...nothingElse, discarded: [1] });
    expect(await consumer.complete()).toEqual(nothingElse);
    expect(seen).toEqual([3]);
  });

  it("an awaiter of the report that resumes at once starts the next round", async () => {
    const consumer = setUp();
    const seen: number[] = [];
    const pump = (items: readonly number[]): void => void seen.push(...items);
    consumer.start(pump);
    consumer.push(1, 0);
    SynchronizationContext.run(new AtOnce(), () => {
      void consumer.complete().then(() => {
        consumer.start(pump);
        consumer.push(2, 0);
      });
    });
    while (seen.length < 2) await turn();
    expect(await consumer.complete()).toEqual(nothingElse);
    expect(seen).toEqual([1, 2]);
  });

  it("an awaiter of a push that resumes at once, as there is room, fills it or completes", async () => {
    for (const how of ["fills", "completes"]) {
      const consumer = setUp({ batchSize: 1, capacity: 1 });
      const seen: number[] = [];
      const accepted = [1];
      consumer.push(1, 0);
      SynchronizationContext.run(new AtOnce(), () => {
        for (const item of [2, 3]) {
          void consumer.pushAsync(item, 0).then(
            () => {
              accepted.push(item);
              if (how === "completes") void consumer.complete();
              else if (consumer.tryPush(item + 10, 0)) accepted.push(item + 10);
            },
            () => {},
          );
        }
      });
      consumer.start((items) => void seen.push(...items));
      await turn();
      expect(await consumer.complete()).toEqual(nothingElse);
      expect(seen).toEqual(accepted);
      expect(accepted.slice(0, 2)).toEqual([1, 2]);
    }
  });

  it("a listener to the signal pushes and completes: refused, and one report", async () => {
    const consumer = setUp({ batchSize: 1 });
    const outcomes: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    consumer.start((_items, _slot, _state, signal) => {
      signal.addEventListener("abort", () => {
        outcomes.push(consumer.tryPush(9, 0), consumer.complete({ drain: false }) === completion());
        resolve();
      });
      return promise;
    });
    const completion = (): unknown => consumer.complete();
    consumer.push(1, 0);
    consumer.push(2, 0);
    await turn();
    expect(await consumer.complete({ drain: false })).toEqual({ ...nothingElse, discarded: [2] });
    expect(outcomes).toEqual([false, true]);
  });

  it("an item's getter that pushes to the same producer, or completes the consumer", async () => {
    const consumer = setUp<unknown>({ batchSize: 1 });
    const seen: unknown[] = [];
    consumer.start((items) => void seen.push(...(items as unknown[])));
    const producer = consumer.producer(0);
    producer.push({
      get inner() {
        producer.tryPush("pushed inside");
        return new Map([[1, "x".repeat(1000)]]);
      },
    });
    const last = {
      get inner() {
        void consumer.complete();
        return new Map();
      },
    };
    expect(() => producer.push(last)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }),
    );
    await consumer.complete();
    expect(seen.filter((item) => item === "pushed inside").length).toBeGreaterThan(0);
    expect(seen.at(-1)).toEqual({ inner: new Map([[1, "x".repeat(1000)]]) });
  });

  it("a failure that completes the consumer when it is shown", async () => {
    const consumer = setUp();
    const completions: PromiseLike<unknown>[] = [];
    const error = new Error("down");
    Object.defineProperty(error, "message", {
      get() {
        completions.push(consumer.complete());
        return "down";
      },
    });
    consumer.start(() => {
      throw error;
    });
    consumer.push(1, 0);
    consumer.push(2, 0);
    while (completions.length === 0) await turn();
    expect(await completions[0]).toMatchObject({ discarded: [], failed: [{ items: [1, 2] }] });
  });
});

describe.each([
  ["freezes", Object.freeze],
  ["seals", Object.seal],
  ["allows no extension of", Object.preventExtensions],
])("a pump that %s its batch", (_, protect) => {
  it.each([
    ["and returns", undefined],
    ["and awaits", Promise.resolve()],
  ])("%s: the next batches get another list", async (__, result) => {
    const consumer = setUp();
    const seen: string[] = [];
    consumer.start((items, slot) => {
      seen.push(`${slot}: ${items.join()}`);
      protect(items);
      return result;
    });
    for (let item = 0; item < 9; item++) {
      consumer.push(item, 0);
      consumer.push(item, 1);
      await turn();
    }
    expect(await consumer.complete()).toEqual(nothingElse);
    for (const slot of [0, 1])
      expect(
        seen
          .filter((batch) => batch.startsWith(`${slot}`))
          .join()
          .replaceAll(/\d: /gu, ""),
      ).toBe("0,1,2,3,4,5,6,7,8");
  });
});

it("a pushAsync made as another one is accepted waits behind those that came before", async () => {
  const consumer = setUp({ capacity: 2, slots: 1 });
  const order: number[] = [];
  consumer.push(1, 0);
  consumer.push(2, 0);
  const context = new AtOnce();
  SynchronizationContext.run(context, () => {
    void consumer.pushAsync(3, 0).then(() => void consumer.pushAsync(6, 0));
  });
  void consumer.pushAsync(4, 0);
  void consumer.pushAsync(5, 0);
  consumer.start((items) => void order.push(...items));
  while (order.length < 6) await turn();
  expect(order).toEqual([1, 2, 3, 4, 5, 6]);
  await consumer.complete();
});
