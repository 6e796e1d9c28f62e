/** Events that come late, or before anybody reads them. */
import {
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  type JobProgress,
  Worker,
} from "bullmq";
import { type CarriedJob, encodeValue, type JobReport } from "@skein/pool/engine";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../../test/support/postgres-server.ts";
import { startRedis } from "../../../test/support/redis-server.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";
import { useClusters } from "./clusters.ts";
import type { NewJob } from "../src/new-job.ts";
import { resolveClusterOptions } from "../src/cluster-options.ts";
import { RemoteJobs } from "../src/remote-jobs.ts";
import { RemoteQueue } from "../src/remote-queue.ts";
import { defaultDelivery } from "../src/run-options.ts";
import { postgresStore, redisStore, type Store, type StoreConnection } from "../src/store.ts";
import { eventually } from "../../../test/support/eventually.ts";
import type * as Jobs from "./delivery.jobs.ts";

const redis = await startRedis();
const postgres = await startPostgres();
afterAll(() => postgres?.[Symbol.asyncDispose]());
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

function jobFor(queue: string): NewJob {
  const request = { fn: "any" } as NewJob["request"];
  return { id: "one", queue, request, priority: 1, attempts: 1, backoffMs: 0, expiresAt: null, children: [] };
}

/** A caller whose events come by `backend`, what it is told, and a connection for a worker. */
function listen(name: string, store: Store, backend: Store["backend"], underWay: number) {
  const [commands, blocking, working] = [1, 2, 3].map(() => store.connect(() => {})) as [
    StoreConnection,
    StoreConnection,
    StoreConnection,
  ];
  const told: unknown[] = [];
  const queue = new RemoteQueue(name, { ...store, backend }, commands, blocking, 60_000, {
    completed: (id, outcome) => told.push([id, outcome]),
    failed: (id, reason) => told.push([id, reason]),
    reported: (id, report) => told.push([id, report]),
    error: (error) => told.push(error),
    underWay: () => underWay,
  });
  const close = async (worker: { close(): Promise<void> }): Promise<void> => {
    await Promise.all([worker.close(), queue.close()]);
    for (const each of [commands, blocking, working]) each.disconnect();
  };
  return { queue, told, client: working.client, close };
}

describe.skipIf(postgres === null)(
  "a job that is over between a look for events and the wait for them",
  () => {
    it("is told when the readers are woken", async () => {
      const name = "wait-late";
      const store = postgresStore(postgres!.url);
      let waits = (): void => {};
      const waiting = new Promise<void>((resolve) => (waits = resolve));
      let mayWait = (): void => {};
      const over = new Promise<void>((resolve) => (mayWait = resolve));
      const waitsLate: Store["backend"] = (...args) => {
        const made = createPostgresBackend(...args);
        // BullMQ's own: it has no other seam between the two.
        const inner = made as unknown as { waitForEvent(ms: number): Promise<void> };
        const wait = inner.waitForEvent.bind(inner);
        inner.waitForEvent = async () => {
          waits();
          await over;
          // Without an end of its own.
          await wait(timeLimit(600_000));
        };
        return made;
      };
      const { queue, told, client, close } = listen(name, store, waitsLate, 0);
      await waiting;
      const worker = new Worker<unknown, string, string, IQueueBackend, JobProgress, never>(
        name,
        async (job) => {
          await job.updateProgress({ half: true });
          return "done";
        },
        { connection: client },
        store.backend,
      );
      const completed = new Promise((resolve) => worker.on("completed", resolve));
      await queue.add([jobFor(name)]);
      await completed;
      mayWait();

      await eventually("it is told", () => {
        queue.wakeReaders().catch((error: unknown) => told.push(error));
        return told.length > 1;
      });
      expect(told).toEqual([
        ["one", { half: true }],
        ["one", "done"],
      ]);
      await close(worker);
    });
  },
);

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
    const { queue, told, client, close } = listen(name, store, readsLate, 1);
    const worker = new Worker(name, async () => "done", { connection: client });
    const over = new Promise((resolve) => worker.on("completed", resolve));
    await queue.add([jobFor(name)]);
    await over;
    await eventually("it is told", () => told.length > 0);
    expect(told).toEqual([["one", "done"]]);
    await close(worker);
  });
});

describe.skipIf(redis === null)("a job that reports before its key was compared", () => {
  it("is heard from its beginning", async () => {
    const store = redisStore(redis!.url);
    const heard = Promise.withResolvers<void>();
    const comparesLate: Store["backend"] = (...args) => {
      const made = createRedisBackend(...args);
      const [read, data] = [made.readEvents.bind(made), made.getJobData.bind(made)];
      made.readEvents = async (...from) => {
        const events = await read(...from);
        if (JSON.stringify(events ?? null).includes("progress")) heard.resolve();
        return events;
      };
      made.getJobData = async (id) => {
        await heard.promise;
        await sleep(10);
        return await data(id);
      };
      return made;
    };
    const options = resolveClusterOptions({ connection: redis!.url, name: "early" });
    const remote = new RemoteJobs({ ...options, store: { ...store, backend: comparesLate } });
    const connection = store.connect(() => {});
    const report = (value: object): string => `J${JSON.stringify(value)}`;
    const worker = new Worker<unknown, unknown>(
      "skein.early.delivery",
      async (job) => {
        const first = [{ kind: "began" }, { kind: "progress", value: 1 }].map(report);
        await job.updateProgress({ texts: first });
        await heard.promise;
        await job.updateProgress({ texts: [report({ kind: "progress", value: 2 })] });
        return { kind: "result", text: "J7" };
      },
      { connection: connection.client },
    );
    const told: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      const job = {
        request: {
          fn: { kind: "export", url: import.meta.resolve("./delivery.jobs.ts"), name: "any" },
          args: encodeValue([], "args").value,
          context: null,
          reports: { postMessage: (said: unknown) => told.push(said) },
        },
        options: { priority: 1, retries: 0, own: { ...defaultDelivery, key: "one" } },
        isDecided: false,
      } as unknown as CarriedJob;
      remote.carry(job, { arrived: reject, failed: reject, settled: () => resolve() });
    });
    const values = told.filter((said) => (said as JobReport).kind === "progress");
    expect(told[0]).toEqual({ kind: "began" });
    expect(values).toEqual([1, 2].map((value) => ({ kind: "progress", value })));
    await remote.close();
    await worker.close();
    connection.disconnect();
  });
});
