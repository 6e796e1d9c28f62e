/** What else may happen while jobs are under way: the server is killed, the caller stands still, nobody tells it of anything. */
import { Cluster, type ClusterOptions } from "@skein/cluster";
import { Redis } from "ioredis";
import type { RedisServer } from "../../../../test/support/redis-server.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import { WorkerProcess } from "../../../../test/support/worker-process.ts";
import { type Counts, Tally, trialModules } from "./tally.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function trial(
  connection: string,
  name: string,
  options: ClusterOptions,
  run: (cluster: Cluster, tally: Tally) => Promise<void>,
): Promise<Counts> {
  const worker = new WorkerProcess({ connection, name, modules: trialModules, lockMs: 5000, threads: 8 });
  await worker.ready;
  const tally = new Tally();
  const cluster = new Cluster({ connection, name, onError: () => {}, ...options });
  try {
    await run(cluster, tally);
    const counts = await tally.counts(timeLimit(120_000));
    for (const [text, count] of tally.failures) console.log(`  ${count} rejected: ${text}`);
    return counts;
  } finally {
    await cluster.close({ drain: false, timeoutMs: 1000 });
    await worker[Symbol.asyncDispose]();
    tally[Symbol.dispose]();
  }
}

/** A server that keeps its data in an append-only file is killed under load and started again. */
export function serverKilled(server: RedisServer, name: string): Promise<Counts> {
  return trial(server.url, name, { connectTimeoutMs: 60_000 }, async (cluster, tally) => {
    for (let i = 0; i < 3000; i++) {
      tally.submit(cluster, 5, { retries: 50 });
      if (i % 50 === 0) await pause(20);
      if (i === 1000) void server.restart(1500);
    }
  });
}

/** The server keeps some 10,000 events; the caller reads none of them for so long. */
export function callerBlocked(connection: string, name: string, ms: number): Promise<Counts> {
  return trial(connection, name, {}, async (cluster, tally) => {
    for (let i = 0; i < 9000; i++) tally.submit(cluster, 0);
    await pause(500);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  });
}

/** The caller is not allowed to read events: it asks. */
export async function noEvents(connection: string, name: string): Promise<Counts> {
  const admin = new Redis(connection);
  await admin.call("ACL", "SETUSER", "deaf", "on", "nopass", "~*", "&*", "+@all", "-xread");
  admin.disconnect();
  const url = new URL(connection);
  url.username = "deaf";
  url.password = "x";
  return await trial(connection, name, { connection: url.href, pollMs: 200 }, async (cluster, tally) => {
    for (let i = 0; i < 500; i++) tally.submit(cluster, 1);
  });
}
