/** A Postgres server as the store, with a worker in another process. */
import { JobNotFoundError, PoolClosedError } from "@skein/pool";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { Client } from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { Gates, load, opened, store } from "../../../test/engines/gates.ts";
import type * as Engines from "../../../test/engines/engines.jobs.ts";
import { OrderError, tenant } from "../../../test/engines/engines.jobs.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { startPostgres } from "../../../test/support/postgres-server.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";
import { WorkerProcess } from "../../../test/support/worker-process.ts";
import {
  Cluster,
  ClusterUnavailableError,
  KeyConflictError,
  KeyNotFoundError,
  serveJobs,
} from "../src/index.ts";
import { errorOf, Parts } from "./clusters.ts";
import type * as Delivery from "./delivery.jobs.ts";

const enginesUrl = new URL("../../../test/engines/engines.jobs.ts", import.meta.url);
const deliveryUrl = new URL("./delivery.jobs.ts", import.meta.url);
const modules = { engines: enginesUrl.href, delivery: deliveryUrl.href };
const postgres = await startPostgres();
// Suites that are skipped are still collected.
const connection = postgres?.url ?? "postgres://localhost/postgres";
const gates = new Gates(false);
const shared = new Parts();
const startWorker = () => shared.use(new WorkerProcess({ connection, modules, threads: 4, lockMs: 10_000 }));

/** The server itself, as anybody who reaches it sees it. */
async function connected(): Promise<AsyncDisposable & { readonly client: Client }> {
  const client = new Client({ connectionString: connection });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

/** The server, by a way that breaks once, when somebody asks this from `arm` on: before the server has heard it, or has answered. */
async function breakingOnce(asked: string, lost: "question" | "answer") {
  const { hostname, port } = new URL(connection);
  let state: "whole" | "armed" | "broken" = "whole";
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    client.on("data", (data) => {
      const isIt = state === "armed" && data.includes(asked);
      if (isIt) state = "broken";
      if (isIt && lost === "question") end();
      else if (isIt) {
        server.removeAllListeners("data").once("data", end);
        server.write(data);
      } else server.write(data);
    });
    server.on("data", (data) => client.write(data));
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
  }).listen(0, hostname);
  await once(proxy, "listening");
  const url = new URL(connection);
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    arm(): void {
      state = "armed";
    },
    get hasBroken() {
      return state === "broken";
    },
    async [Symbol.asyncDispose]() {
      proxy.close();
    },
  };
}

afterAll(async () => {
  await shared[Symbol.asyncDispose]();
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

  it("a flow that waits is withdrawn: at once its places are free", async () => {
    const its = new Cluster({ connection, name: "withdrawn", maxInFlight: 3, pollMs: 600_000 });
    try {
      const { echo } = its.module<typeof Engines>(enginesUrl);
      // Then the tables are there.
      expect(await errorOf(its.attach(echo, "none"))).toBeInstanceOf(KeyNotFoundError);
      const controller = new AbortController();
      const child = { job: echo, args: [1] };
      const flow = errorOf(its.flow(echo, [], [child, child], { signal: controller.signal }));
      await using store = await connected();
      await eventually("it is there", async () => {
        const { rowCount } = await store.client.query(
          "SELECT FROM bullmq.job WHERE queue LIKE 'skein.withdrawn.%'",
        );
        return rowCount === 3;
      });
      controller.abort();
      expect(await flow).toBe(controller.signal.reason);
      await eventually("another job is taken", async () => {
        const taken = new AbortController();
        const task = errorOf(its.run(echo, [1], { signal: taken.signal }));
        taken.abort();
        return (await task) === taken.signal.reason;
      });
    } finally {
      await its.close({ drain: false, timeoutMs: 1 });
    }
  });

  it("a job that the store is just taking when its caller closes is withdrawn", async () => {
    await using its = new Cluster({ connection, name: "taken" });
    const { echo } = its.module<typeof Engines>(enginesUrl);
    expect(await errorOf(its.attach(echo, "none"))).toBeInstanceOf(KeyNotFoundError);
    await using store = await connected();
    await store.client.query("BEGIN");
    await store.client.query("LOCK TABLE bullmq.job IN EXCLUSIVE MODE");
    const task = errorOf(echo(1));
    await using other = await connected();
    await eventually("the store is asked", async () => {
      const { rowCount } = await other.client.query(
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%add_job(%'",
      );
      return rowCount! > 0;
    });
    const closed = its.close({ drain: false, timeoutMs: 1 });
    expect(await task).toBeInstanceOf(PoolClosedError);
    await store.client.query("COMMIT");
    await closed;
    const { rowCount } = await store.client.query("SELECT FROM bullmq.job WHERE queue LIKE 'skein.taken.%'");
    expect(rowCount).toBe(0);
  });

  it("`attach` finds a job that this caller has submitted a turn before", async () => {
    await using its = new Cluster({ connection, name: "attached", onError: () => {} });
    const { echo } = its.module<typeof Engines>(enginesUrl);
    const errors: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      const controller = new AbortController();
      const { signal } = controller;
      const key = `job ${i}`;
      const job = errorOf(its.run(echo, [i], { key, signal }));
      await new Promise((resolve) => setImmediate(resolve));
      const attached = errorOf(its.attach(echo, key, { signal }));
      await Promise.race([attached, sleep(300)]);
      controller.abort();
      await job;
      errors.push((await attached) === signal.reason);
    }
    expect(errors).toEqual(errors.map(() => true));
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

  it.each([
    ["the results of a job's children", "status = 'processed'", "question", "a"],
    ["a job that it gives back", "move_to_delayed", "question", expect.any(JobNotFoundError)],
    ["a job that it has given back", "move_to_delayed", "answer", expect.any(JobNotFoundError)],
  ] as const)("a worker whose connection breaks asks again: %s", async (_, asked, lost, expected) => {
    await using breaking = await breakingOnce(asked, lost);
    const options = { name: "breaking", modules, skewMs: 1, onError: () => {} };
    await using _server = await serveJobs({ ...options, connection: breaking.url });
    breaking.arm();
    await using its = new Cluster({ connection, name: "breaking" });
    const { join, word, none } = its.module<typeof Delivery & { none(): void }>(deliveryUrl);
    const flow = () => its.flow(join, ["-"], [{ job: word, args: ["a"] }]);
    expect(await (asked === "move_to_delayed" ? errorOf(none()) : flow())).toEqual(expected);
    expect(breaking.hasBroken).toBe(true);
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

  it("of a turn that the store has taken a part of, nothing is left", async () => {
    await using its = new Cluster({ connection, name: "refused", onError: () => {} });
    const { echo } = its.module<typeof Engines>(enginesUrl);
    await using store = await connected();
    // A turn goes in parts of a hundred.
    await store.client.query(
      "ALTER TABLE bullmq.job ADD CHECK (queue NOT LIKE 'skein.refused.%' OR data::text NOT LIKE '%the last%')",
    );
    const refused = Array.from({ length: 101 }, (_, i) => errorOf(echo(i < 100 ? "fine" : "the last")));
    for (const error of await Promise.all(refused)) expect(error).toBeInstanceOf(ClusterUnavailableError);
    await eventually("those that were taken are removed", async () => {
      const { rowCount } = await store.client.query(
        "SELECT FROM bullmq.job WHERE queue LIKE 'skein.refused.%'",
      );
      return rowCount === 0;
    });
    const { rows } = await store.client.query(
      "SELECT FROM bullmq.event WHERE queue LIKE 'skein.refused.%' AND event = 'added'",
    );
    expect(rows).toHaveLength(100);
  });

  it("what the server has undone, since another statement was in its way, is asked again", async () => {
    await using its = new Cluster({ connection, name: "undone", onError: () => {} });
    await using store = await connected();
    // The first time alone: sequences are not undone.
    await store.client.query(`
      CREATE SEQUENCE public.attempts;
      CREATE FUNCTION public.undo() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.queue LIKE 'skein.undone.%' AND nextval('public.attempts') = 1 THEN
          RAISE EXCEPTION USING ERRCODE = 'deadlock_detected';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER undo BEFORE INSERT ON bullmq.job FOR EACH ROW EXECUTE FUNCTION public.undo();`);
    const controller = new AbortController();
    const { echo } = its.module<typeof Engines>(enginesUrl);
    const task = errorOf(its.run(echo, ["waits"], { signal: controller.signal }));
    await eventually("the job is there", async () => {
      const { rowCount } = await store.client.query(
        "SELECT FROM bullmq.job WHERE queue LIKE 'skein.undone.%'",
      );
      return rowCount === 1;
    });
    controller.abort();
    expect(await task).toBe(controller.signal.reason);
    const { rows } = await store.client.query("SELECT last_value::int FROM public.attempts");
    expect(rows).toEqual([{ last_value: 2 }]);
  });

  it("a database that is not there is an error with a code", async () => {
    const told = Promise.withResolvers<Error>();
    await using nowhere = new Cluster({
      connection: connection.replace(/postgres$/, "nowhere"),
      connectTimeoutMs: 500,
      onError: told.resolve,
    });
    const its = nowhere.module<typeof Engines>(enginesUrl);
    expect(await errorOf(its.add(1, 2))).toBeInstanceOf(ClusterUnavailableError);
    // The first attempt may take longer than that; from then on its error is the cause.
    await told.promise;
    const failure = await errorOf(its.add(1, 2));
    expect((failure as Error).cause).toMatchObject({ message: expect.stringContaining("nowhere") });
  });
});
