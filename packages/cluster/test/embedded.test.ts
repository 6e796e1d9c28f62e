/** The embedded database, in its own process, with a worker in another. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it, vi } from "vitest";
import { Gates, opened, store } from "../../../test/engines/gates.ts";
import type * as Jobs from "../../../test/engines/engines.jobs.ts";
import { OrderError, tenant } from "../../../test/engines/engines.jobs.ts";
import { WorkerProcess } from "../../../test/support/worker-process.ts";
import { DatabaseClient } from "../src/database-client.ts";
import { socketOf } from "../src/database-places.ts";
import { DatabasePool } from "../src/database-pool.ts";
import { Cluster } from "../src/index.ts";

const url = new URL("../../../test/engines/engines.jobs.ts", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "skein-embedded-"));
const connection = pathToFileURL(folder).href;
const gates = new Gates(false);

const owner = (): number => Number(readFileSync(join(folder, "owner.pid"), "utf8"));

afterAll(() => {
  if (existsSync(join(folder, "owner.pid"))) process.kill(owner(), "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  gates.remove();
});

it("a client that is closed while it connects connects no more; one that could not connect tries again", async () => {
  const own = join(folder, "client");
  writeFileSync(own, "");
  const client = new DatabaseClient(own, () => {});
  await expect(client.query("SELECT 1")).rejects.toThrow("EEXIST");
  rmSync(own);
  mkdirSync(own);
  const address = join(folder, "client.sock");
  writeFileSync(join(own, "owner.address"), address);
  const server = createServer().listen(address);
  const connecting = client.connect();
  client.disconnect();
  await expect(connecting).rejects.toThrow("it is closed");
  expect(client.isReady).toBe(false);
  await new Promise((resolve) => server.close(resolve)); // When nobody is connected.
});

it.skipIf(process.platform === "win32")("its socket has a path that systems take, whatever TMPDIR is", () => {
  vi.stubEnv("TMPDIR", join(tmpdir(), "x".repeat(100)));
  const socket = socketOf(folder);
  vi.unstubAllEnvs();
  expect(socket.length).toBeLessThan(104);
  expect(dirname(dirname(socket))).toBe("/tmp");
});

it("whoever is told of an error while it connects, and closes, waits for nothing", async () => {
  class Pool extends DatabasePool {
    readonly isReady = false;
    async query(): Promise<never> {
      throw new Error("it has no connection");
    }
    protected disconnected(): void {}
    async connect(): Promise<void> {
      this.disconnect();
      await this.sleep(2 ** 31 - 1);
    }
  }
  await expect(new Pool().connect()).resolves.toBeUndefined();
});

it("jobs run without a server; when its process is killed, the jobs are there afterwards", async () => {
  // Left behind by a process that was killed while it made the database.
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data", "PG_VERSION"), "17");
  writeFileSync(join(folder, "unfinished"), "");
  await using cluster = new Cluster({ connection, onError: () => {} });
  const jobs = cluster.module<typeof Jobs>(url);
  // Wherever the worker's own temporary files are, there is one database.
  vi.stubEnv("TMPDIR", folder);
  await using worker = new WorkerProcess({
    connection,
    modules: { engines: url.href },
    threads: 2,
    lockMs: 2000,
  });
  vi.unstubAllEnvs();
  expect(await jobs.add(1, 2)).toBe(3);
  await worker.ready;
  expect(await tenant.run("acme", () => jobs.ambient())).toEqual({ tenant: "acme", here: undefined });
  const value = { map: new Map([[1, new Set([-0, "a\0b\ud800"])]]), big: 10n };
  expect(await jobs.echo(value)).toEqual(value);
  const failure = await Promise.resolve(jobs.fail(3)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(OrderError);
  const seen: unknown[] = [];
  await cluster.run(jobs.report, [3], { onProgress: (each) => seen.push(each) });
  expect(seen).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }]);

  const gate = gates.make();
  const task = cluster.run(jobs.hold, [gate], { retries: 50 });
  await opened(gate, 1);
  const first = owner();
  process.kill(first, "SIGKILL");
  store(gate, 0, 1);
  expect(await task).toBe("released");
  expect(await cluster.run(jobs.add, [2, 2])).toBe(4);
  expect(owner()).not.toBe(first);
});
