/** A Postgres server as the store, with a worker in another process. */
import { afterAll, describe, expect, it } from "vitest";
import { Gates, load, opened, store } from "../../../test/engines/gates.ts";
import type * as Engines from "../../../test/engines/engines.jobs.ts";
import { OrderError, tenant } from "../../../test/engines/engines.jobs.ts";
import { startPostgres } from "../../../test/support/postgres-server.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";
import { WorkerProcess } from "../../../test/support/worker-process.ts";
import { Cluster, ClusterUnavailableError, KeyConflictError } from "../src/index.ts";
import { errorOf } from "./clusters.ts";
import type * as Delivery from "./delivery.jobs.ts";

const enginesUrl = new URL("../../../test/engines/engines.jobs.ts", import.meta.url);
const deliveryUrl = new URL("./delivery.jobs.ts", import.meta.url);
const modules = { engines: enginesUrl.href, delivery: deliveryUrl.href };
const postgres = await startPostgres();
const connection = postgres?.url ?? "";
const gates = new Gates(false);
const shared = new AsyncDisposableStack();
const startWorker = () => shared.use(new WorkerProcess({ connection, modules, threads: 4, lockMs: 2000 }));

afterAll(async () => {
  await shared.disposeAsync();
  await postgres?.[Symbol.asyncDispose]();
  gates.remove();
}, timeLimit(60_000));

describe.skipIf(postgres === null)("a cluster on Postgres", () => {
  const cluster = shared.use(new Cluster({ connection, onError: () => {} }));
  const jobs = cluster.module<typeof Engines>(enginesUrl);
  const delivery = cluster.module<typeof Delivery>(deliveryUrl);

  it("a job waits until a worker comes; one that waits is withdrawn", async () => {
    const early = jobs.add(1, 2);
    const controller = new AbortController();
    const gate = gates.make(3);
    const withdrawn = errorOf(cluster.run(delivery.untilStopped, [gate], { signal: controller.signal }));
    controller.abort();
    expect(await withdrawn).toBe(controller.signal.reason);
    const worker = startWorker();
    expect(await early).toBe(3);
    await worker.ready;
    expect(load(gate, 1)).toBe(0);
  });

  it("values, contexts, errors, progress, keys and flows are as on Redis", async () => {
    const value = { map: new Map([[1, new Set([-0, "a\0b\ud800"])]]), big: 10n };
    expect(await jobs.echo(value)).toEqual(value);
    expect(await tenant.run("acme", () => jobs.ambient())).toEqual({ tenant: "acme", here: undefined });
    expect(await errorOf(jobs.fail(3))).toBeInstanceOf(OrderError);
    const seen: unknown[] = [];
    await cluster.run(jobs.report, [3], { onProgress: (said) => seen.push(said) });
    expect(seen).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }]);
    const gate = gates.make();
    const call = () =>
      cluster.run(delivery.failTimes, [gate, 1], { key: "order 7", attempts: 2, backoffMs: 1 });
    expect(await Promise.all([call(), call()])).toEqual([2, 2]);
    expect(await errorOf(cluster.run(delivery.failTimes, [gate, 0], { key: "order 7" }))).toBeInstanceOf(
      KeyConflictError,
    );
    const children = ["a", "b"].map((text) => ({ job: delivery.word, args: [text] }));
    expect(await cluster.flow(delivery.join, ["-"], children)).toBe("a-b");
    const many = Array.from({ length: 50 }, (_, i) => i);
    expect(await Promise.all(many.map((i) => jobs.add(i, 1)))).toEqual(many.map((i) => i + 1));
  });

  it("a job that runs is asked to stop", async () => {
    const controller = new AbortController();
    const gate = gates.make(3);
    const task = errorOf(cluster.run(delivery.untilStopped, [gate], { signal: controller.signal }));
    await opened(gate, 1);
    controller.abort();
    expect(await task).toBe(controller.signal.reason);
    await opened(gate, 2);
  });

  it("the server crashes and comes back: what ran, what waits and what is submitted meanwhile settles", async () => {
    const gate = gates.make();
    const running = cluster.run(jobs.hold, [gate], { retries: 50 });
    await opened(gate, 1);
    const restarted = postgres!.restart();
    const submitted = jobs.add(2, 2);
    await restarted;
    store(gate, 0, 1);
    expect(await running).toBe("released");
    expect(await submitted).toBe(4);
  });

  it("the job of a worker that was killed runs again", async () => {
    await using other = new WorkerProcess({ connection, name: "killed", modules, lockMs: 1000 });
    await using its = new Cluster({ connection, name: "killed" });
    const gate = gates.make();
    const task = its.run(its.module<typeof Engines>(enginesUrl).hold, [gate], { retries: 50 });
    await opened(gate, 1);
    await other.kill();
    store(gate, 1, 0);
    await using _ = new WorkerProcess({ connection, name: "killed", modules, lockMs: 1000 });
    await opened(gate, 1);
    store(gate, 0, 1);
    expect(await task).toBe("released");
  });

  it("a database that is not there is an error with a code", async () => {
    await using nowhere = new Cluster({
      connection: connection.replace(/postgres$/, "nowhere"),
      connectTimeoutMs: 500,
      onError: () => {},
    });
    const failure = await errorOf(nowhere.module<typeof Engines>(enginesUrl).add(1, 2));
    expect(failure).toBeInstanceOf(ClusterUnavailableError);
    expect((failure as Error).cause).toMatchObject({ message: expect.stringContaining("nowhere") });
  });
});
