/** What is particular to a cluster, on a real Redis and real worker processes. What all engines do: test/engines. */
import { tracingChannel } from "node:diagnostics_channel";
import { join } from "node:path";
import { JobNotFoundError, QueueFullError, ThreadCrashedError, type TracedJob } from "@skein/pool";
import { describe, expect, it, vi } from "vitest";
import { opened, store } from "../../../test/engines/gates.ts";
import type * as Jobs from "../../../test/engines/engines.jobs.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { startRedis } from "../../../test/support/redis-server.ts";
import { runNode } from "../../../test/support/child.ts";
import { freePort } from "../../../test/support/server-process.ts";
import {
  Cluster,
  ClusterUnavailableError,
  InvalidPayloadError,
  PayloadTooLargeError,
  serveJobs,
  WorkerLostError,
} from "../src/index.ts";
import { resolveClusterOptions } from "../src/cluster-options.ts";
import { RemoteStore } from "../src/remote-store.ts";
import { errorOf, Parts, useClusters } from "./clusters.ts";

const url = new URL("../../../test/engines/engines.jobs.ts", import.meta.url);
const redis = await startRedis();
const { connection, modules, gates, started, own, start, inStore } = useClusters<typeof Jobs>(
  "engines",
  url,
  redis,
);

const LOCK_MS = 1000;

describe.skipIf(redis === null)("Cluster", () => {
  it("a job waits until a worker comes, and several workers share the jobs", async () => {
    const { cluster, jobs, worker } = start();
    const early = jobs.add(1, 2);
    worker();
    expect(await early).toBe(3);
    await worker().ready;
    const [a, b] = [gates.make(3), gates.make(3)];
    const both = [a, b].map((gate) => cluster.run(jobs.hold, [gate]));
    await Promise.all([opened(a, 1), opened(b, 1)]);
    for (const gate of [a, b]) store(gate, 0, 1);
    expect(await Promise.all(both)).toEqual(["released", "released"]);
  });

  // These two wait for locks to run out, both at once.
  it.concurrent("the job of a worker that was killed runs again, or rejects if it has no `retries`", async () => {
    await using parts = new Parts();
    const { cluster, jobs, worker } = start({}, parts.use);
    const lost = worker({ lockMs: LOCK_MS, threads: 2 });
    const [gate, other] = [gates.make(), gates.make()];
    // More than one: with so short a lock a worker may pass for lost because the machine is busy.
    const again = cluster.run(jobs.hold, [gate], { retries: 50 });
    const once = errorOf(cluster.run(jobs.hold, [other], { retries: 0 }));
    await Promise.all([opened(gate, 1), opened(other, 1)]);
    await lost.kill();
    store(gate, 1, 0);
    worker({ lockMs: LOCK_MS });
    await opened(gate, 1);
    store(gate, 0, 1);
    expect(await again).toBe("released");
    expect(await once).toBeInstanceOf(WorkerLostError);
  });

  it.concurrent("a worker that cannot wait leaves its jobs to others", async () => {
    await using parts = new Parts();
    const { name, cluster, jobs, worker } = start({}, parts.use);
    const options = { connection, name, modules, lockMs: LOCK_MS, concurrency: 1, closeTimeoutMs: 20 };
    const first = await serveJobs({ ...options, onError: () => {} });
    const gate = gates.make();
    const task = cluster.run(jobs.hold, [gate], { retries: 50 });
    await opened(gate, 1);
    await first.close();
    store(gate, 1, 0);
    worker({ lockMs: LOCK_MS });
    await opened(gate, 1);
    store(gate, 0, 1);
    expect(await task).toBe("released");
  });

  it("a worker that closes ends its jobs first", async () => {
    const { cluster, jobs, worker } = start();
    const first = worker();
    const gate = gates.make();
    const task = cluster.run(jobs.hold, [gate]);
    await opened(gate, 1);
    const closing = first[Symbol.asyncDispose]();
    store(gate, 0, 1);
    expect(await task).toBe("released");
    await closing;
  });

  it("what somebody has removed from the store rejects", async () => {
    const { name, jobs } = start({ pollMs: 20 });
    const error = errorOf(jobs.add(1, 2));
    await inStore(name, async (queue) => {
      await eventually("it waits", async () => (await queue.getJobCountByTypes("prioritized")) === 1);
      await queue.obliterate({ force: true });
    });
    expect(await error).toBeInstanceOf(ClusterUnavailableError);
  });

  it("code never comes from the network: names that are no own export, and requests of others, fail alone", async () => {
    const { name, jobs, worker } = start();
    worker();
    const names = jobs as unknown as Record<string, typeof jobs.thread>;
    for (const unknown of ["__proto__x", "constructorOf", "node:fs", "../engines"])
      expect(await errorOf(names[unknown]!())).toBeInstanceOf(JobNotFoundError);
    await inStore(name, async (queue) => {
      const rest = { each: false, digest: null, context: null, reports: false, children: null };
      const limits = { lostRetries: 0, threadRetries: 0, leftMs: null, runTimeoutMs: null };
      const base = { v: 2, from: "1.0.0", fn: "add", args: "J[1,2]", ...rest, ...limits };
      for (const data of [
        { url: "https://example.com/evil.mjs", name: "run" },
        { ...base, v: 9 },
        { ...base, args: "X" },
        { ...base, args: "x".repeat(2 ** 20 + 1) },
        { ...base, args: 'R[["A",4294967295]]' },
        { ...base, fn: "__proto__" },
        { ...base, fn: "constructor" },
        { ...base, fn: "hasOwnProperty" },
        { ...base, leftMs: "soon" },
        { ...base, children: ["elsewhere"] },
        { ...base, context: "garbage" },
        { ...base, context: "W".repeat(50_000) },
      ]) {
        const job = await queue.add("add", data);
        const { returnvalue } = await eventually("it has ended", async () => {
          const seen = await queue.getJob(job.id!);
          return seen?.finishedOn === undefined ? null : seen;
        });
        expect(returnvalue).toMatchObject({ kind: "error" });
      }
    });
    expect(await jobs.add(2, 2)).toBe(4);
  });

  it.each([
    ['{"kind":"result","text":"J[7]"}', [7]],
    ['{"kind":"result","text":"X"}', InvalidPayloadError],
    ['{"kind":"error","text":"J{\\"error\\":5}"}', InvalidPayloadError],
    ['{"kind":"crashed","exitCode":7}', ThreadCrashedError],
    ['{"kind":"crashed","exitCode":7,"text":"X"}', InvalidPayloadError],
    ['{"kind":"crashed","exitCode":7,"text":"J{\\"thrown\\":5}"}', ThreadCrashedError],
    ['{"kind":"other"}', InvalidPayloadError],
    ["{", InvalidPayloadError],
  ])("an end that no event told is found, and read with care: %s", async (returnvalue, expected) => {
    const { name, jobs } = start({ pollMs: 20 });
    const outcome = jobs.add(1, 2).then(null, (error: unknown) => (error as Error).constructor);
    await inStore(name, async (queue, client) => {
      const [job] = await eventually("it waits", async () => {
        const waiting = await queue.getJobs("prioritized");
        return waiting.length === 1 ? waiting : null;
      });
      await client.hset(queue.toKey(job!.id!), { finishedOn: "1", returnvalue });
      await client.zadd(queue.toKey("completed"), 1, job!.id!);
    });
    expect(await outcome).toEqual(expected);
  });

  it("the end of each of many jobs is found, though no event told it", async () => {
    const { name, jobs } = start({ pollMs: 20 });
    const tasks = Array.from({ length: 1002 }, () => jobs.add(1, 2));
    for (const task of tasks.slice(0, -1)) Promise.resolve(task).catch(() => {}); // They end with the cluster.
    await inStore(name, async (queue, client) => {
      const last = await eventually("they wait", async () => {
        const waiting = await queue.getJobs("prioritized", 0, -1, true);
        return waiting.length === tasks.length ? waiting.at(-1) : null;
      });
      await client.hset(queue.toKey(last.id!), {
        finishedOn: "1",
        returnvalue: '{"kind":"result","text":"J7"}',
      });
      await client.zadd(queue.toKey("completed"), 1, last.id!);
    });
    expect(await tasks.at(-1)).toBe(7);
    for (const each of started) if (each instanceof Cluster) await each.close({ drain: false });
  });

  it("sizes are limited both ways", async () => {
    const { jobs, worker } = start({ maxPayloadBytes: 100 });
    worker();
    expect(await errorOf(jobs.echo("x".repeat(100)))).toMatchObject({
      constructor: PayloadTooLargeError,
      maxPayloadBytes: 100,
    });
    const { jobs: large, worker: its } = start({ maxPayloadBytes: 4 * 2 ** 20 });
    its();
    expect(await errorOf(large.echo("x".repeat(2 ** 20)))).toBeInstanceOf(PayloadTooLargeError);
    expect(await large.echo("x")).toBe("x");
  });

  it("no more jobs than `maxInFlight` are under way", async () => {
    const { jobs, worker } = start({ maxInFlight: 1 });
    const first = jobs.add(1, 1);
    expect(await errorOf(jobs.add(1, 2))).toMatchObject({
      constructor: QueueFullError,
      limit: "maxInFlight",
    });
    worker();
    expect(await first).toBe(2);
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("the jobs of a flow count for `maxInFlight`, until all of it is over", async () => {
    const { cluster, jobs, worker } = start({ maxInFlight: 3 });
    const child = { job: jobs.echo, args: [1] };
    const tooMany = cluster.flow(jobs.echo, [], [{ ...child, children: [child, child] }]);
    expect(await errorOf(tooMany)).toMatchObject({ constructor: QueueFullError, limit: "maxInFlight" });
    const flow = cluster.flow(jobs.echo, [], [child, child]);
    expect(await errorOf(jobs.echo(1))).toBeInstanceOf(QueueFullError);
    worker();
    expect(await flow).toEqual([1, 1]);
    expect(await jobs.echo(1)).toBe(1);
  });

  it("whoever traces a worker hears of its jobs, and not of what brings them to its threads", async () => {
    const { name, jobs } = start();
    const names: unknown[] = [];
    const onStart = (job: unknown): void => void names.push((job as TracedJob).name);
    const { start: calls } = tracingChannel("skein:job");
    calls.subscribe(onStart);
    own(await serveJobs({ connection, name, modules, concurrency: 1 }));
    expect(await jobs.add(1, 2)).toBe(3);
    calls.unsubscribe(onStart);
    expect(names).toEqual(["add"]);
  });

  it("two modules of one name are told apart, by an error", async () => {
    const { cluster, jobs, worker } = start();
    worker();
    expect(await jobs.add(1, 1)).toBe(2);
    const other = cluster.module<typeof Jobs>(new URL("./other/engines.jobs.ts", import.meta.url));
    expect(await errorOf(other.add(1, 1))).toMatchObject({ message: expect.stringContaining("engines") });
  });
});

it.skipIf(redis === null)("what is wrong with a connection is said by `onError` alone", async () => {
  const server = (await startRedis())!;
  const seen: Error[] = [];
  const options = {
    ...resolveClusterOptions({ connection: server.url }),
    onError: (error: Error) => seen.push(error),
  };
  const ignored = { completed: () => {}, failed: () => {}, reported: () => {}, underWay: () => 0 };
  const itsStore = new RemoteStore(options, ignored);
  const printed = vi.spyOn(console, "error");
  try {
    await itsStore.queueOf(url.href).wakeReaders();
    await itsStore.cancel(["none"]);
    await server[Symbol.asyncDispose]();
    await eventually("each connection has failed", () => seen.length >= 20);
    expect(printed).not.toHaveBeenCalled();
  } finally {
    printed.mockRestore();
    await itsStore.close();
    await server[Symbol.asyncDispose]();
  }
});

describe("a cluster without a server", () => {
  it("rejects with a code within `connectTimeoutMs`, on both sides", async () => {
    const connection = `redis://127.0.0.1:${await freePort()}`;
    const seen: Error[] = [];
    const options = { connection, connectTimeoutMs: 50, onError: (error: Error) => seen.push(error) };
    await using cluster = new Cluster(options);
    const throws = (): never => {
      throw new Error("of the program");
    };
    const other = new Cluster({ ...options, onError: throws });
    const task = errorOf(other.module<typeof Jobs>(url).add(1, 2));
    const failure = await errorOf(cluster.module<typeof Jobs>(url).add(1, 2));
    expect(await task).toBeInstanceOf(ClusterUnavailableError);
    await other.close();
    expect(failure).toBeInstanceOf(ClusterUnavailableError);
    expect(failure).toMatchObject({ code: "ERR_SKEIN_CLUSTER_UNAVAILABLE" });
    expect(await errorOf(serveJobs({ modules, ...options }))).toBeInstanceOf(ClusterUnavailableError);
    expect(seen.length).toBeGreaterThan(0);
  });

  it.each([
    ["a cluster that is closed before it has connected", "closed.mjs"],
    ["a worker that found no server", "unserved.mjs"],
  ])("nothing of %s keeps its process alive", async (_, program) => {
    for (const address of [
      `redis://127.0.0.1:${await freePort()}`,
      `postgres://127.0.0.1:${await freePort()}/x`,
    ]) {
      const args = [join(import.meta.dirname, "programs", program), address];
      expect(await runNode({ args })).toMatchObject({ code: 0, stdout: "over\n" });
    }
  });

  it("does without the global Promise and URL", async () => {
    const args = [join(import.meta.dirname, "programs", "replaced.mjs"), "redis://localhost"];
    expect(await runNode({ args })).toMatchObject({ code: 0, stdout: "over\n" });
  });

  it.each<[string, object]>([
    ["connection", { connection: "http://localhost" }],
    ["name", { connection: "redis://localhost", name: "a:b" }],
    ["maxInFlight", { connection: "redis://localhost", maxInFlight: 0 }],
    ["resultTtlMs", { connection: "redis://localhost", resultTtlMs: null }],
    ["keyPrefix", { connection: { keyPrefix: "jobs:" } }],
    ["keyPrefix", { connection: "redis://localhost?keyPrefix=jobs:" }],
    ["pollms", { connection: "redis://localhost", pollms: 5 }],
  ])("a bad `%s` throws at once, and is named", (option, options) => {
    expect(() => new Cluster(options)).toThrow(option);
  });

  it("an address of the environment is named as such", () => {
    for (const address of ["", "http://localhost", "redis://localhost?keyPrefix=jobs:"]) {
      vi.stubEnv("SKEIN_CLUSTER_URL", address);
      expect(() => new Cluster()).toThrow("SKEIN_CLUSTER_URL");
    }
    vi.unstubAllEnvs();
  });

  it("an address that is none is not told with its password; those of Valkey and Postgres are some", async () => {
    const bad =
      (connection: string): (() => Cluster) =>
      () =>
        new Cluster({ connection });
    expect(bad("http://user:secret@host")).toThrow(/got .*http:(?!.*secret)/);
    expect(bad("secret")).toThrow(/^(?!.*secret)/);
    for (const address of ["valkey://user:secret@host", "postgresql://user:secret@host/jobs"])
      await new Cluster({ connection: address }).close();
    // Of a class that a simulated browser has in place of Node's.
    const own = (href: string): URL => ({ href, toString: () => href }) as URL;
    await new Cluster({ connection: own("valkey://host") }).close();
    expect(() => new Cluster({ connection: own("http://host") })).toThrow(/got .*http:/);
  });

  it.each<[string, object]>([
    ["modules", { modules: {} }],
    ["modules", { modules: { "a/b": url } }],
    ["url", { modules: { geo: "https://example.com/geo.jobs.ts" } }],
    ["pool", { modules, pool: {} }],
    ["lockMs", { modules, lockMs: null }],
  ])("a bad `%s` of a worker rejects, and is named", async (option, options) => {
    const failure = await errorOf(serveJobs({ connection: "redis://localhost", ...options } as never));
    expect(failure).toMatchObject({ message: expect.stringContaining(option) });
  });
});
