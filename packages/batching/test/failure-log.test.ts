import { once } from "node:events";
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";
import type { BatchingOptions } from "../src/index.ts";

interface Warning extends Error {
  readonly code?: string;
}

const warnings: Warning[] = [];
const note = (warning: Warning): void => void warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", note);
});
afterEach(() => void process.off("warning", note));

function failing(
  options: Partial<BatchingOptions<number>> = {},
  error: unknown = new Error("database down"),
): MultiProducerConcurrentConsumer<number> {
  const consumer = new MultiProducerConcurrentConsumer<number>({
    batchSize: 10,
    pushIntervalMs: 0,
    maxConcurrency: 1,
    slots: 1,
    ...options,
  });
  consumer.start(() => {
    throw error;
  });
  return consumer;
}

async function pushBatches(
  consumer: MultiProducerConcurrentConsumer<number>,
  batches: number,
): Promise<void> {
  for (let i = 0; i < batches * 10; i++) {
    consumer.push(i, 0);
    if (i % 10 === 9) await Promise.resolve();
  }
  await turn();
}

describe("batches that fail without onError", () => {
  it("a warning tells of the first before complete(), with code, name and error; then of the 10th, the 100th", async () => {
    const consumer = failing({ name: "orders" });
    const heard = once(process, "warning");
    await pushBatches(consumer, 1);
    await heard;
    expect(warnings).toMatchObject([
      {
        name: "BatchesFailedWarning",
        code: "SKEIN_BATCHES_FAILED",
        message: expect.stringContaining(
          'A batch of the consumer "orders" has failed with Error: database down.',
        ),
      },
    ]);
    await pushBatches(consumer, 8);
    expect(warnings).toHaveLength(1);
    await pushBatches(consumer, 91);
    expect(warnings.slice(1).map(({ message }) => message.split(". ")[0])).toEqual([
      '10 batches of the consumer "orders" have failed, the first with Error: database down',
      '100 batches of the consumer "orders" have failed, the first with Error: database down',
    ]);
    await consumer.complete();
  });

  it("keeps as many failed items as may wait in a slot, the first ones, and counts the others", async () => {
    const consumer = failing({ capacity: 35 });
    await pushBatches(consumer, 10);
    const report = await consumer.complete();
    expect(report.failed.flatMap(({ items }) => items)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(report.failedItemsDropped).toBe(70);
    expect(consumer.stats()).toMatchObject({ pushed: 100, failed: 100 });
    // The next report begins anew.
    consumer.start(() => Promise.reject(new Error("still down")));
    await pushBatches(consumer, 1);
    expect(await consumer.complete()).toMatchObject({ failed: [{ slot: 0 }], failedItemsDropped: 0 });
  });

  it("without a capacity 10000 are kept, and one batch however large it is", async () => {
    const consumer = failing();
    await pushBatches(consumer, 1500);
    const { failed, failedItemsDropped } = await consumer.complete();
    expect([failed.length, failedItemsDropped]).toEqual([1000, 5000]);
    const large = failing({ batchSize: 20_000 });
    for (let i = 0; i < 40_000; i++) large.push(i, 0);
    const report = await large.complete();
    expect([report.failed.length, report.failed[0]!.items.length, report.failedItemsDropped]).toEqual([
      1, 20_000, 20_000,
    ]);
  });

  it("disposal says how many were not kept", async () => {
    const consumer = failing({ capacity: 10 });
    await pushBatches(consumer, 3);
    await expect(consumer[Symbol.asyncDispose]()).rejects.toMatchObject({
      code: "ERR_SKEIN_BATCHES_FAILED",
      message:
        "1 batches failed, and 20 items in more that were not kept, and no `onError` decided about them",
      failedItemsDropped: 20,
    });
  });

  it("an onError that throws counts as none, one that decides is silent", async () => {
    const broken = failing({
      onError: () => {
        throw new Error("handler");
      },
    });
    await pushBatches(broken, 1);
    expect(warnings).toHaveLength(1);
    const decided = failing({ onError: () => "drop" });
    await pushBatches(decided, 20);
    expect(warnings).toHaveLength(1);
    await Promise.all([broken.complete(), decided.complete()]);
  });

  it.each([
    ["the value null", null],
    ["an error that cannot be shown", Object.create(null)],
    [
      "an error that cannot be shown",
      Object.defineProperty(new Error("x"), "message", {
        get() {
          throw new Error("no message");
        },
      }),
    ],
    [`Error: ${"x".repeat(493)}…`, new Error("x".repeat(5000))],
  ])("whatever the error is: %s", async (text, error) => {
    const consumer = failing({}, error);
    await pushBatches(consumer, 1);
    expect(warnings).toMatchObject([{ message: expect.stringContaining(`has failed with ${text}.`) }]);
    expect((await consumer.complete()).failed).toHaveLength(1);
  });

  it("listeners to warnings run in nobody's context, and an emitWarning of the program's is not needed", async () => {
    const storage = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    const listener = (): void => void stores.push(storage.getStore());
    // oxlint-disable-next-line typescript/unbound-method -- put back below
    const { emitWarning } = process;
    process.on("warning", listener);
    process.emitWarning = () => {
      throw new Error("patched");
    };
    try {
      const consumer = failing();
      await storage.run("request", () => pushBatches(consumer, 1));
      await consumer.complete();
      expect(stores).toEqual([undefined]);
    } finally {
      process.emitWarning = emitWarning;
      process.off("warning", listener);
    }
  });
});
