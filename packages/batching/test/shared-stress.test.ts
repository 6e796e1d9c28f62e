/** Real threads that are ended at any instruction: what `push` had accepted arrives, once, whole and in order. */
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";
import { progressFor, startPusher } from "./start-pusher.ts";
import type { Pushed } from "./start-pusher.ts";

const SLOTS = 3;
const AT_ONCE = 3;
const SECONDS = Number(process.env["SKEIN_STRESS_SECONDS"] ?? 1);

describe("SharedProducer under stress", () => {
  it(
    "loses nothing and tears nothing while threads are ended at random",
    { timeout: SECONDS * 1000 + 120_000 },
    async () => {
      const consumer = new MultiProducerConcurrentConsumer<Pushed>({
        batchSize: 64,
        pushIntervalMs: 2,
        maxConcurrency: 2,
        slots: SLOTS,
        capacity: 500,
        sharedBytes: 32_768,
      });
      const handles = Array.from({ length: SLOTS }, (_, slot) => consumer.producer(slot).handle);
      /** By producer and slot, the number that must come next. */
      const expected = new Map<string, number>();
      const faults: string[] = [];
      consumer.start(async (items, slot) => {
        for (const { id, number, text, sum } of items) {
          const key = `${id}/${slot}`;
          if (number !== (expected.get(key) ?? 0))
            faults.push(`${key}: ${number} instead of ${expected.get(key) ?? 0}`);
          if (sum !== number + text.length || new Set(text).size > 1)
            faults.push(`${key}: ${number} is torn`);
          expected.set(key, number + 1);
        }
        await Promise.resolve();
      });

      const generations: Int32Array[] = [];
      let id = 0;
      const end = performance.now() + SECONDS * 1000;
      while (performance.now() < end) {
        const first = id;
        const progress = progressFor(first + AT_ONCE, SLOTS);
        const counters = new Int32Array(progress);
        const workers: Worker[] = [];
        for (; id < first + AT_ONCE; id++) {
          workers.push(startPusher({ handles, id, count: 10_000_000, progress, longest: 700 }));
        }
        const victims = workers.map(async (worker, index) => {
          const word = (first + index) * SLOTS;
          while (Atomics.load(counters, word) < 20) await new Promise((resolve) => setTimeout(resolve, 1));
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
          const exit = once(worker, "exit");
          await worker.terminate();
          await exit;
        });
        await Promise.all(victims);
        generations.push(counters);
      }
      expect(await consumer.complete()).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });

      for (const [generation, counters] of generations.entries()) {
        for (let word = generation * AT_ONCE * SLOTS; word < (generation + 1) * AT_ONCE * SLOTS; word++) {
          const returned = counters[word]!;
          const arrived = expected.get(`${Math.floor(word / SLOTS)}/${word % SLOTS}`) ?? 0;
          // The last push may have been accepted and not have returned.
          if (arrived !== returned && arrived !== returned + 1)
            faults.push(`${word}: ${arrived} of ${returned}`);
        }
      }
      expect(faults).toEqual([]);
      expect(consumer.stats().pumped).toBe([...expected.values()].reduce((sum, count) => sum + count, 0));
      // The memory is as large as before, whatever was lost: it can be filled again.
      const again = consumer.producer(0);
      consumer.start(() => new Promise(() => {}));
      expect(again.tryPush({ id: 0, number: 0, text: "x".repeat(20_000), sum: 0 })).toBe(true);
      await consumer
        .complete({ drain: false })
        .waitAsync({ timeoutMs: 1 })
        .catch(() => {});
    },
  );
});
