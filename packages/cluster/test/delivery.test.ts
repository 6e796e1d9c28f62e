/** What becomes of jobs whose first run does not end well, and of those with a key. */
import { JobNotFoundError, stream, ThreadCrashedError, ThreadPool } from "@skein/pool";
import { jobModule } from "@skein/pool/engine";
import { AsyncLocalStorage } from "node:async_hooks";
import { runInNewContext } from "node:vm";
import { Queue, type Telemetry, Worker } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, opened, store } from "../../../test/engines/gates.ts";
import { tenant } from "../../../test/engines/engines.jobs.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { startRedis } from "../../../test/support/redis-server.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";
import type { WorkerProcess } from "../../../test/support/worker-process.ts";
import {
  Cluster,
  ClusterUnavailableError,
  type FlowChild,
  KeyConflictError,
  KeyNotFoundError,
  skeinTelemetry,
  VersionSkewError,
  WorkerLostError,
} from "../src/index.ts";
import { errorOf, Parts, useClusters } from "./clusters.ts";
import type * as Jobs from "./delivery.jobs.ts";

const url = new URL("./delivery.jobs.ts", import.meta.url);
const redis = await startRedis();
const { connection, gates, started, own, start, inStore } = useClusters<typeof Jobs>("delivery", url, redis);

/** As another telemetry: what was current at the call is current in the worker. */
const recorded = new AsyncLocalStorage<string>();
const span = {
  setSpanOnContext: (context: unknown) => context,
  setAttribute() {},
  setAttributes() {},
  addEvent() {},
  recordException() {},
  end() {},
};
const recording: Telemetry<string | undefined> = {
  tracer: { startSpan: () => span as never },
  contextManager: {
    with: (context, fn) => recorded.run(context as string, fn) as never,
    active: () => recorded.getStore(),
    getMetadata: (context) => JSON.stringify({ recorded: context }),
    fromMetadata: (_, metadata) => (JSON.parse(metadata) as { recorded?: string }).recorded,
  },
};

describe.skipIf(redis === null)("delivery", () => {
  /** Of the tests for which any worker will do: each start takes long. */
  const shared = new Parts();
  const { cluster, jobs, worker: startShared } = start({}, shared.use);
  beforeAll(() => void startShared());
  afterAll(() => shared[Symbol.asyncDispose](), timeLimit(60_000));

  /** Starts a worker again whenever it ends. @returns what ends that. */
  function supervise(worker: () => WorkerProcess): () => Promise<void> {
    const supervisor = new AbortController();
    const supervised = (async () => {
      while (!supervisor.signal.aborted) await worker().ended;
    })();
    return async () => {
      supervisor.abort();
      for (const each of started.splice(1)) await each[Symbol.asyncDispose]();
      await supervised;
    };
  }

  it("a job that throws runs again as `attempts` say, and one whose thread died as `retries` do", async () => {
    const options = { attempts: 3, backoffMs: 1 };
    expect(await cluster.run(jobs.failTimes, [gates.make(), 2], options)).toBe(3);
    const failure = await errorOf(cluster.run(jobs.failTimes, [gates.make(), 3], options));
    expect(failure).toMatchObject({ constructor: RangeError, message: "run 3" });
    expect(await errorOf(jobs.failTimes(gates.make(), 1))).toMatchObject({ message: "run 1" });
    expect(await cluster.run(jobs.crashOnce, [gates.make()], { retries: 1 })).toBe(2);
    expect(await errorOf(jobs.crashOnce(gates.make()))).toBeInstanceOf(ThreadCrashedError);
  });

  it("a crash arrives with its cause, and in the words of a pool", async () => {
    const crash = await errorOf(jobs.crashWith("the reason"));
    const message = expect.stringMatching(
      /code 1 while it ran this job\. Look at `cause`\. .*Job: crashWith/,
    );
    expect(crash).toMatchObject({ constructor: ThreadCrashedError, exitCode: 1, message });
    expect((crash as Error).cause).toMatchObject({ constructor: RangeError, message: "the reason" });
    // Too large for the store: it stays with the worker.
    const large = await errorOf(jobs.crashWith("x".repeat(2 ** 19)));
    expect(large).toMatchObject({ constructor: ThreadCrashedError, exitCode: 1 });
    expect(large).not.toHaveProperty("cause");
  });

  it("the `retries` of a module hold for lost workers, whoever made it", async () => {
    const { name, cluster, jobs } = start();
    await using pool = new ThreadPool();
    const others = jobModule<typeof Jobs>(url, { retries: 0 });
    const tasks = [
      jobs.word("nothing said"),
      cluster.run(others.word, ["none"]),
      cluster.run(others.word, ["none, in low"], { priority: "low" }),
      cluster.run(others.word, ["of the call"], { retries: 3 }),
      cluster.run(pool.module<typeof Jobs>(url, { retries: 0 }).word, ["none, of a pool"]),
      cluster.run(jobModule<typeof Jobs>(url, { retries: 7 }).word, ["seven"]),
      cluster.map(others.word, ["none, of a map"]).next(),
      cluster.flow(others.join, ["none, of a flow"], []),
    ].map((task) => errorOf(task));
    const seen = await inStore(name, async (queue) => {
      const waiting = await eventually("they wait", async () => {
        const found = await queue.getJobs("prioritized");
        return found.length === tasks.length ? found : null;
      });
      const data = waiting.map(
        (each) => each.data as { args: string; lostRetries: number; threadRetries: number },
      );
      return data.map(({ args, lostRetries, threadRetries }) => [
        JSON.parse(args.slice(1))[0],
        lostRetries,
        threadRetries,
      ]);
    });
    await cluster.close({ drain: false });
    await Promise.all(tasks);
    expect(Object.fromEntries(seen.map(([said, ...rest]) => [said, rest]))).toEqual({
      "nothing said": [2, 0],
      none: [0, 0],
      "none, in low": [0, 0],
      "of the call": [3, 3],
      "none, of a pool": [0, 0],
      seven: [7, 7],
      "none, of a map": [0, 0],
      "none, of a flow": [0, 0],
    });
  });

  it("calls with one key are one job, for its caller, for others, and after its end", async () => {
    const { name, cluster, jobs, worker } = start();
    const gate = gates.make();
    const call = () => cluster.run(jobs.failTimes, [gate, 0], { key: "order 7" });
    const early = [call(), call()];
    worker();
    expect(await Promise.all(early)).toEqual([1, 1]);
    expect(await call()).toBe(1);
    const other = own(new Cluster({ connection, name }));
    const its = other.module<typeof Jobs>(url);
    expect(await other.attach(its.failTimes, "order 7")).toBe(1);
    expect(load(gate, 0)).toBe(1);
    expect(await errorOf(cluster.run(jobs.failTimes, [gate, 1], { key: "order 7" }))).toMatchObject({
      constructor: KeyConflictError,
      key: "order 7",
    });
    expect(await errorOf(cluster.attach(jobs.failTimes, "order 8"))).toBeInstanceOf(KeyNotFoundError);
    expect(() => cluster.attach(jobs.failTimes, "")).toThrow("key");
    expect(() => cluster.run(jobs.failTimes, [gate, 0], { attempts: 2 ** 31 })).toThrow(
      /attempts.*2147483647/,
    );
    expect(() => cluster.module(url, { key: "all" })).toThrow("key");
  });

  it("a call whose key is that of another job never gets its result", async () => {
    const gate = gates.make(3);
    const first = cluster.run(jobs.untilStopped, [gate], { key: "one" });
    await opened(gate, 1);
    const second = errorOf(cluster.run(jobs.untilStopped, [gates.make(3)], { key: "one" }));
    // This thread hears that the first has ended before it hears what the second one's key stands for.
    store(gate, 0, 1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    expect(await first).toBeUndefined();
    expect(await second).toBeInstanceOf(KeyConflictError);
  });

  it("`runTimeoutMs` holds for a call whose job runs already, under its key", async () => {
    const gate = gates.make(3);
    const first = cluster.run(jobs.untilStopped, [gate], { key: "runs" });
    await opened(gate, 1);
    const limits = { runTimeoutMs: 1, timeoutMs: timeLimit(20_000) };
    const second = errorOf(cluster.run(jobs.untilStopped, [gate], { key: "runs", ...limits }));
    expect(await second).toMatchObject({ code: "ERR_SKEIN_JOB_TIMEOUT", limit: "runTimeoutMs" });
    store(gate, 0, 1);
    expect(await first).toBeUndefined();
  });

  it("whoever stops waiting for a job with a key does not stop it", async () => {
    const gate = gates.make(3);
    const controller = new AbortController();
    const task = cluster.run(jobs.untilStopped, [gate], { key: "long", signal: controller.signal });
    await opened(gate, 1);
    controller.abort();
    expect(await errorOf(task)).toBe(controller.signal.reason);
    const again = cluster.attach(jobs.untilStopped, "long", { timeoutMs: 50 });
    expect(await errorOf(again)).toMatchObject({ code: "ERR_SKEIN_JOB_TIMEOUT" });
    expect(load(gate, 2)).toBe(0);
    store(gate, 0, 1);
    expect(await cluster.attach(jobs.untilStopped, "long")).toBeUndefined();
    expect(load(gate, 2)).toBe(0);
  });

  it("a job that was stopped leaves nothing of that to the next one", async () => {
    const controller = new AbortController();
    const [gate, next] = [gates.make(3), gates.make(3)];
    const stopped = errorOf(cluster.run(jobs.untilStopped, [gate], { signal: controller.signal }));
    await opened(gate, 1);
    controller.abort();
    expect(await stopped).toBe(controller.signal.reason);
    await opened(gate, 2);
    store(next, 0, 1);
    await jobs.untilStopped(next);
    expect(load(next, 2)).toBe(0);
  });

  it("of many short jobs no more run at once than `concurrency` says; what waits behind a long one goes to another worker", async () => {
    const { jobs, worker } = start();
    worker();
    const some = (count: number, ms: number) => Array.from({ length: count }, () => jobs.overlap(ms));
    const overlaps = await Promise.all([...some(60, 0), ...some(1, 5), ...some(30, 0)]);
    expect(new Set(overlaps)).toEqual(new Set([1]));
    const gate = gates.make();
    const before = some(60, 0);
    const blocked = jobs.block(gate);
    const behind = some(30, 0);
    await opened(gate, 1);
    worker();
    await Promise.all([...before, ...behind]);
    store(gate, 0, 1);
    await blocked;
  });

  it("a job whose caller is gone stops when its caller's time is over", async () => {
    const { name, jobs, worker, cluster } = start();
    worker();
    const gate = gates.make(3);
    // As it lies in the store, but for an id of which no caller knows.
    const task = cluster.run(jobs.untilStopped, [gate], { timeoutMs: 600_000 });
    await opened(gate, 1);
    await inStore(name, async (queue) => {
      const [active] = await queue.getJobs("active");
      const { leftMs } = active!.data as { leftMs: number };
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(600_000);
      const orphan = gates.make(3);
      const data = { ...(active!.data as object), args: `J${JSON.stringify([orphan])}`, leftMs: 20 };
      worker();
      const { id } = await queue.add("untilStopped", data, { priority: 1 });
      // It was asked to stop, or had not begun by then.
      await eventually("it has ended", async () => (await queue.getJob(id!))?.finishedOn !== undefined);
    });
    expect(load(gate, 2)).toBe(0);
    await cluster.close({ drain: false });
    expect(await task).toBeUndefined();
  });

  it("a job that ends its process takes no other with it", async () => {
    const { cluster, jobs, worker } = start();
    const options = { lockMs: 1500, threads: 4 };
    const end = supervise(() => worker(options));
    const others = [gates.make(), gates.make(), gates.make()];
    const innocents = others.map((gate) => cluster.run(jobs.innocent, [gate]));
    const gate = gates.make();
    const failure = await errorOf(cluster.run(jobs.poison, [gate, others], { retries: 1 }));
    expect(failure).toBeInstanceOf(WorkerLostError);
    expect(load(gate, 0)).toBeGreaterThan(1);
    expect(await Promise.all(innocents)).toEqual(["innocent", "innocent", "innocent"]);
    await end();
  });

  it("a job that ends its process takes none with it that was fetched ahead", async () => {
    const { cluster, jobs, worker } = start();
    const end = supervise(() => worker({ lockMs: 1500 }));
    const some = (count: number) => Array.from({ length: count }, () => jobs.overlap(0));
    const innocents = some(60);
    const failure = errorOf(cluster.run(jobs.poison, [gates.make(), []], { retries: 1 }));
    innocents.push(...some(60));
    expect(new Set(await Promise.all(innocents))).toEqual(new Set([1]));
    expect(await failure).toBeInstanceOf(WorkerLostError);
    await end();
  });

  it("a job that this worker's version lacks is left to others, then says which versions these are", async () => {
    const { name, jobs, worker } = start();
    worker({ skewMs: 20 });
    const unknown = jobs as unknown as Record<string, typeof jobs.failTimes>;
    const missing = await errorOf(unknown["failTime"]!(gates.make(), 0));
    expect(missing).toBeInstanceOf(JobNotFoundError);
    expect((missing as Error).cause).toBeInstanceOf(VersionSkewError);
    const ended = await inStore(name, async (queue) => {
      const job = await queue.add("later", { v: 99, from: "7.1.0" }, { priority: 1 });
      return await eventually("it has ended", async () => {
        const seen = await queue.getJob(job.id!);
        return seen?.finishedOn === undefined ? null : seen;
      });
    });
    expect(JSON.stringify(ended.returnvalue)).toMatch(/7\.1\.0, wire version 99.*wire version 2/);
    expect(ended.attemptsStarted).toBeGreaterThan(1);
  });

  it("reports come at most ten times a second, and none is missing", async () => {
    const { name, cluster, jobs, worker } = start();
    worker();
    const seen: unknown[] = [];
    await cluster.run(jobs.reportMany, [500], { onProgress: (value) => seen.push(value) });
    expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i));
    const events = await inStore(name, (queue, client) => client.xrange(queue.toKey("events"), "-", "+"));
    expect(events.filter(([, fields]) => fields[1] === "progress").length).toBeLessThan(20);
  });

  it("a flow runs its children first; the error of a child is the flow's", async () => {
    const words = (...texts: string[]): FlowChild<string>[] =>
      texts.map((text) => ({ job: jobs.word, args: [text] }));
    expect(await cluster.flow(jobs.join, ["-"], words("a", "b", "c"))).toBe("a-b-c");
    const inner = { job: jobs.join, args: ["+"], children: words("1", "2") };
    expect(await cluster.flow(jobs.join, ["-"], [inner, ...words("3")])).toBe("1+2-3");
    expect(await cluster.flow(jobs.join, ["-"], [])).toBe("");
    const failing = { job: jobs.join, args: ["+"], children: words("1", "") };
    expect(await errorOf(cluster.flow(jobs.join, ["-"], [failing, ...words("3")]))).toMatchObject({
      constructor: RangeError,
      message: "no word",
      code: "E_WORD",
    });
    expect(
      await errorOf(cluster.flow(jobs.join, ["-"], [{ job: jobs.word, args: [() => 1] }])),
    ).toMatchObject({
      path: "children[0].args[0]",
    });
    // The same as in a call.
    for (const none of [(function* () {})(), new Intl.NumberFormat(), stream(["a"])])
      expect(
        await errorOf(cluster.flow(jobs.join, ["-"], [{ job: jobs.word, args: [none as never] }])),
      ).toMatchObject({ code: "ERR_SKEIN_NOT_CLONEABLE", path: "children[0].args[0]" });
    const bytes = runInNewContext("new Uint8Array([1, 2]).buffer") as ArrayBuffer;
    const foreign = { job: jobs.byteLength, args: [bytes] };
    expect(await cluster.flow(jobs.join, ["-"], [foreign as never])).toBe("2");
    expect(() => cluster.flow(jobs.join, ["-"], [{ job: 5 } as never])).toThrow("job");
    const misspelt = [{ job: jobs.join, args: ["-"], chidren: words("1") }] as never;
    expect(() => cluster.flow(jobs.join, ["-"], misspelt)).toThrow(
      /children\[0\].*chidren|chidren.*children\[0\]/,
    );
    const many = Array.from({ length: 10_001 }, () => ({ job: jobs.word, args: ["1"] }));
    expect(() => cluster.flow(jobs.join, ["-"], many)).toThrow("children.length");
  });

  it("the options of a flow hold for each of its jobs, and where they say nothing those of the job's module", async () => {
    const again = cluster.module<typeof Jobs>(url, { attempts: 3, backoffMs: 0 });
    const failing = (its: typeof jobs, times: number) => ({
      job: its.failTimes,
      args: [gates.make(), times],
    });
    expect(await cluster.flow(jobs.join, ["-"], [failing(again, 2) as never])).toBe("3");
    expect(await errorOf(cluster.flow(again.join, ["-"], [failing(jobs, 1) as never]))).toMatchObject({
      message: "run 1",
    });
    const both = [failing(jobs, 1) as never, failing(again, 1) as never];
    expect(await cluster.flow(jobs.join, ["-"], both, { attempts: 2, backoffMs: 0 })).toBe("2-2");
  });

  it("a flow ends when the store itself gives one of its jobs up", async () => {
    const { name, cluster, jobs } = start();
    const inner = { job: jobs.join, args: ["+"], children: [{ job: jobs.word, args: ["1"] }] };
    const task = errorOf(cluster.flow(jobs.join, ["-"], [inner]));
    const client = new Redis(connection, { maxRetriesPerRequest: null });
    const fail = (): never => {
      throw new Error("given up");
    };
    const worker = new Worker(`skein.${name}.delivery`, fail, { connection: client });
    expect(await task).toBeInstanceOf(ClusterUnavailableError);
    await worker.close();
    client.disconnect();
  });

  it("`skeinTelemetry` carries the context through people's own queues, beside another telemetry", async () => {
    const client = new Redis(connection, { maxRetriesPerRequest: null });
    const telemetry = skeinTelemetry({ inner: recording });
    const seen = Promise.withResolvers<unknown>();
    const worker = new Worker("own", async () => seen.resolve([tenant.value, recorded.getStore()]), {
      connection: client,
      telemetry,
    });
    const queue = new Queue("own", { connection: client, telemetry });
    await tenant.run("acme", () => recorded.run("span 1", () => queue.add("mail", {})));
    expect(await seen.promise).toEqual(["acme", "span 1"]);
    expect(tenant.value).toBeUndefined();
    await worker.close();
    await queue.close();
    client.disconnect();
    const { contextManager } = skeinTelemetry();
    for (const garbage of ["", "{", '{"skein":5}', '{"skein":"garbage"}', "[]"])
      contextManager.with(contextManager.fromMetadata(contextManager.active(), garbage), () =>
        expect(tenant.value).toBeUndefined(),
      );
  });

  it("`skeinTelemetry` keeps what another telemetry writes, whatever its form", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (const theirs of [traceparent, "", "5", '["a"]', '{"traceparent":"00"}']) {
      const inner: Telemetry["contextManager"] = {
        ...recording.contextManager,
        getMetadata: () => theirs,
        fromMetadata: (_, metadata) => metadata,
      };
      const { contextManager } = skeinTelemetry({ inner: { ...recording, contextManager: inner } });
      for (const flowing of [undefined, "acme"]) {
        const write = (): string => contextManager.getMetadata(contextManager.active());
        const metadata = flowing === undefined ? write() : tenant.run(flowing, write);
        const context = contextManager.fromMetadata(contextManager.active(), metadata) as { inner: string };
        const expected = theirs === "" || theirs.startsWith("{") ? metadata : theirs;
        expect(context.inner).toBe(expected);
        contextManager.with(context, () => expect(tenant.value).toBe(flowing));
      }
    }
  });

  it("a job that waits for jobs of the cluster leaves its slot to them", async () => {
    const { name, jobs, worker } = start();
    worker({ threads: 1 });
    expect(await jobs.nested(connection, name, 3)).toBe(3);
  });

  it("the failure of a job that its job has forgotten shows on that thread", async () => {
    const { name, jobs, worker } = start();
    worker({ threads: 1 });
    expect(await jobs.forget(connection, name)).toBe("RangeError: no word");
  });
});
