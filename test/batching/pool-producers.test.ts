import { contextOf, MultiProducerConcurrentConsumer } from "@skein/batching";
import { AsyncLocal } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import { describe, expect, it } from "vitest";
import type * as Jobs from "./pool-producers.jobs.ts";

const request = new AsyncLocal<string>({ name: "e2e.request", flow: "thread" });
const jobsUrl = new URL("./pool-producers.jobs.ts", import.meta.url);

describe("pool jobs as producers", () => {
  it("a producer is an argument like any other; its items carry the context of the job", async () => {
    await using pool = new ThreadPool({ maxThreads: 2 });
    const jobs = pool.module<typeof Jobs>(jobsUrl);
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 16,
      pushIntervalMs: 5,
      maxConcurrency: 1,
      slots: 2,
      flowContext: true,
    });
    const seen = new Map<number, unknown>();
    consumer.start((items, slot) => {
      for (const [index, item] of items.entries()) {
        seen.set(item, `${slot} ${contextOf(items, index).run(() => request.value)}`);
      }
    });
    const handles = [consumer.producer(0).handle, consumer.producer(1).handle];
    const runs = Array.from({ length: 20 }, (_, i) =>
      request.run(`request ${i}`, () => pool.run(jobs.store, [handles[i % 2]!, i * 100, 100])),
    );
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 20 }, (_, i) => `request ${i}`));
    await consumer.complete();
    expect(seen.size).toBe(2000);
    for (const [item, where] of seen) {
      const job = Math.floor(item / 100);
      expect(where).toBe(`${job % 2} request ${job}`);
    }
  });

  it("a thread that dies right after its pushes loses none of them", async () => {
    await using pool = new ThreadPool({ maxThreads: 2 });
    const jobs = pool.module<typeof Jobs>(jobsUrl);
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 100,
      pushIntervalMs: 5,
      maxConcurrency: 1,
      slots: 1,
    });
    const seen: number[] = [];
    consumer.start((items) => void seen.push(...items));
    const { handle } = consumer.producer(0);
    const crashes = Array.from({ length: 4 }, (_, i) => pool.run(jobs.storeAndDie, [handle, i * 500, 500]));
    const outcomes = await Promise.allSettled(crashes);
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    await consumer.complete();
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  });
});
