/**
 * `pnpm --filter @skein/cluster bench`: the goals of a cluster on Redis, each as a ratio, in one run. On Linux, on a quiet machine with two cores or
 * more: our two workers, the server and this process share them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "@skein/cluster";
import { Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";
import { startRedis } from "../../../test/support/redis-server.ts";
import { WorkerProcess } from "../../../test/support/worker-process.ts";
import * as here from "./bench.jobs.ts";
import type * as Jobs from "./bench.jobs.ts";

const url = new URL("./bench.jobs.ts", import.meta.url);
const WORKERS = 2;
const COMPUTE_MS = 5;
const COMPUTING = 400;
const TINY = 4000;
const ITEMS = 20_000;
/** Before they are measured: until then V8 still compiles the workers, which do half of them each. */
const WARM_TRIPS = 12_000;
const ROUND_TRIPS = 2000;

const redis = (await startRedis())!;
const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
const blocking = new Redis(redis.url, { maxRetriesPerRequest: null });

const ours = Array.from(
  { length: WORKERS },
  () =>
    new WorkerProcess({ connection: redis.url, name: "bench", modules: { bench: url.href }, lockMs: 5000 }),
);
await Promise.all(ours.map(({ ready }) => ready));
const cluster = new Cluster({ connection: redis.url, name: "bench" });
const jobs = cluster.module<typeof Jobs>(url);

const oneByOne = await time(() => all(Array.from({ length: TINY }, (_, i) => jobs.tiny(i))));
const chunked = await time(async () => {
  for await (const _ of cluster.map(
    jobs.tiny,
    Array.from({ length: ITEMS }, (_, i) => i),
    { chunkSize: 100 },
  ));
});
goal("map with chunks of 100, items/s against jobs/s", ">= 30", ITEMS / chunked / (TINY / oneByOne));

const ourCpu = await cpuOf(
  () => all(Array.from({ length: TINY }, (_, i) => jobs.tiny(i))),
  ours.map(({ pid }) => pid),
);
const ourTrips = await warmRoundTrips((i) => jobs.tiny(i));
const rounds = calibrate();
await all(Array.from({ length: 50 }, () => jobs.compute(rounds)));
const computed = await time(() => all(Array.from({ length: COMPUTING }, () => jobs.compute(rounds))));
const direct = await time(async () => {
  for (let i = 0; i < 100; i++) here.compute(rounds);
});
goal(
  "jobs of 5 ms CPU on two workers, share of what two cores can do",
  ">= 0.75",
  (COMPUTING * (direct / 100)) / WORKERS / computed,
);
const [ourLast, ...ourOthers] = ours;
for (const worker of ourOthers) await worker[Symbol.asyncDispose]();
const ourTrip = await roundTrip((i) => jobs.tiny(i));
await cluster.close();
await ourLast![Symbol.asyncDispose]();

const bare = Array.from({ length: WORKERS }, startBare);
await Promise.all(bare.map((child) => once(child.stdout!, "data")));
const queue = new Queue("bare", { connection });
// Each `waitUntilFinished` listens to it.
queue.setMaxListeners(TINY);
const events = new QueueEvents("bare", { connection: blocking });
await events.waitUntilReady();
const age = { age: 3600 };
const opts = { removeOnComplete: age, removeOnFail: age, priority: 2 };
const add = async (name: string, data: unknown[]): Promise<unknown> =>
  await (await queue.add(name, data, opts)).waitUntilFinished(events);
const bareCpu = await cpuOf(
  async () => {
    const added = await queue.addBulk(
      Array.from({ length: TINY }, (_, i) => ({ name: "tiny", data: [i], opts })),
    );
    await all(added.map((job) => job.waitUntilFinished(events)));
  },
  bare.map(({ pid }) => pid!),
);
const bareTrips = await warmRoundTrips((i) => add("tiny", [i]));
const [bareLast, ...bareOthers] = bare;
for (const child of bareOthers) await stop(child);
const bareTrip = await roundTrip((i) => add("tiny", [i]));
goal("CPU of a tiny job, caller and workers, against BullMQ alone", "<= 1.3", ourCpu / bareCpu);
goal("round trip, p50, one worker, against BullMQ's waitUntilFinished", "<= 1.5", ourTrip / bareTrip);
goal("round trip, p50, two workers, against the same", "<= 1.5", ourTrips / bareTrips);

await stop(bareLast!);
await queue.close();
await events.close();
connection.disconnect();
blocking.disconnect();
await redis[Symbol.asyncDispose]();

function calibrate(): number {
  let count = 10_000;
  for (;;) {
    const start = performance.now();
    here.compute(count);
    const ms = performance.now() - start;
    if (ms > COMPUTE_MS) return Math.round((count * COMPUTE_MS) / ms);
    count *= 2;
  }
}

function startBare(): ChildProcess {
  const program = join(import.meta.dirname, "bare-worker.ts");
  return spawn(process.execPath, [program, redis.url, "bare", "1"], { stdio: ["ignore", "pipe", "inherit"] });
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  await once(child, "exit");
}

async function all(tasks: Iterable<PromiseLike<unknown>>): Promise<void> {
  await Promise.all(tasks);
}

async function time(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Microseconds of other processes, as Linux counts them: in hundredths of a second. */
function cpuOfProcesses(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each) * 10_000;
}

/** Microseconds for a job, of this process and the workers together. */
async function cpuOf(run: () => Promise<void>, pids: readonly number[]): Promise<number> {
  const seen = (): number => {
    const { user, system } = process.cpuUsage();
    return user + system + cpuOfProcesses(pids);
  };
  await run();
  const before = seen();
  await run();
  return (seen() - before) / TINY;
}

async function warmRoundTrips(call: (i: number) => PromiseLike<unknown>): Promise<number> {
  for (let i = 0; i < WARM_TRIPS; i++) await call(i);
  return await roundTrip(call);
}

async function roundTrip(call: (i: number) => PromiseLike<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const start = performance.now();
    await call(i);
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[ROUND_TRIPS >> 1]!;
}

function goal(what: string, expected: string, measured: number): void {
  console.log(`${what}: ${measured.toFixed(2)} (goal ${expected})`);
}
