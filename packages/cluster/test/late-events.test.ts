/** Events that come late, or before anybody reads them. */
import { createRedisBackend, Worker } from "bullmq";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { startRedis } from "../../../test/support/redis-server.ts";
import { useClusters } from "./clusters.ts";
import type { NewJob } from "../src/new-job.ts";
import { RemoteQueue } from "../src/remote-queue.ts";
import { redisStore, type Store } from "../src/store.ts";
import { eventually } from "../../../test/support/eventually.ts";
import type * as Jobs from "./delivery.jobs.ts";

const redis = await startRedis();
const { start } = useClusters<typeof Jobs>("delivery", new URL("./delivery.jobs.ts", import.meta.url), redis);

describe.skipIf(redis === null)("a job whose end is asked for all the time", () => {
  it("has told all its reports first", async () => {
    const { cluster, jobs, worker } = start({ pollMs: 1 });
    worker();
    for (let i = 0; i < 100; i++) {
      const seen: unknown[] = [];
      await cluster.run(jobs.reportMany, [3], { onProgress: (value) => seen.push(value) });
      expect(seen).toEqual([0, 1, 2]);
    }
  });
});

describe.skipIf(redis === null)("a job that is over before its caller reads events", () => {
  it("is told by them all the same", async () => {
    const name = "read-late";
    const store = redisStore(redis!.url);
    const readsLate: Store["backend"] = (...args) => {
      const made = createRedisBackend(...args);
      const setName = made.setName.bind(made);
      // What BullMQ does before it reads.
      made.setName = async (as) => {
        await sleep(300);
        await setName(as);
      };
      return made;
    };
    const commands = store.connect(() => {});
    const blocking = store.connect(() => {});
    const working = store.connect(() => {});
    const told: unknown[] = [];
    const queue = new RemoteQueue(name, { ...store, backend: readsLate }, commands, blocking, 60_000, {
      completed: (id, outcome) => told.push([id, outcome]),
      failed: (id, reason) => told.push([id, reason]),
      reported: () => {},
      error: (error) => told.push(error),
      underWay: () => 1,
    });
    const worker = new Worker(name, async () => "done", { connection: working.client });
    const over = new Promise((resolve) => worker.on("completed", resolve));
    const request = {} as NewJob["request"];
    const job = {
      id: "one",
      queue: name,
      priority: 1,
      attempts: 1,
      backoffMs: 0,
      expiresAt: null,
      children: [],
    };
    await queue.add([{ ...job, request: { ...request, fn: "any" } }]);
    await over;
    await eventually("it is told", () => told.length > 0);
    expect(told).toEqual([["one", "done"]]);
    await Promise.all([worker.close(), queue.close()]);
    for (const each of [commands, blocking, working]) each.disconnect();
  });
});
