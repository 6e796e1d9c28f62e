/**
 * What a push costs, how late an item is, and how that compares. Measures the built package:
 *
 *     pnpm build && pnpm --filter @skein/batching bench
 *
 * With names of parts behind it, only those: pushes, delays, neighbours, threads. Contenders take turns; each number is the median of the rounds.
 */
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import { contenders } from "./contenders.ts";
import type { MakeContender, Workload } from "./contenders.ts";
import { median, percentile, perSecond } from "./statistics.ts";

const ROUNDS = 9;
const PUSHES = 1_000_000;
const PUSHES_PER_TURN = 10_000;

async function pushThrough(make: MakeContender, workload: Workload, count: number): Promise<number> {
  const contender = make(workload);
  const start = performance.now();
  for (let pushed = 0; pushed < count;) {
    for (let i = 0; i < PUSHES_PER_TURN; i++) contender.push(pushed++, i % workload.slots);
    await turn();
  }
  await contender.finish();
  return performance.now() - start;
}

async function compare(title: string, workload: Workload, count: number): Promise<void> {
  const names = Object.keys(contenders);
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      globalThis.gc?.();
      times.get(name)!.push(await pushThrough(contenders[name]!, workload, count));
    }
  }
  const ours = median(times.get("skein")!);
  console.log(title);
  for (const name of names) {
    const ms = median(times.get(name)!);
    console.log(
      `  ${name.padEnd(12)}${perSecond(count, ms).padStart(12)}   ${(ms / ours).toFixed(1)}x the time`,
    );
  }
}

async function pushes(): Promise<void> {
  const consumer = new MultiProducerConcurrentConsumer<number>({
    batchSize: 100,
    pushIntervalMs: 50,
    maxConcurrency: 4,
    slots: 4,
  });
  let pumped = 0;
  consumer.start((items) => {
    pumped += items.length;
  });
  const times: number[] = [];
  const bytes: number[] = [];
  for (let round = 0; round < ROUNDS + 3; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const start = performance.now();
    for (let pushed = 0; pushed < PUSHES;) {
      for (let i = 0; i < PUSHES_PER_TURN; i++) consumer.push(pushed++, i & 3);
      await turn();
    }
    times.push(performance.now() - start);
    bytes.push((process.memoryUsage().heapUsed - before) / PUSHES);
  }
  await consumer.complete();
  const steady = 3;
  console.log(`push, no-op pump: ${perSecond(PUSHES, median(times.slice(steady)))}`);
  console.log(`allocated per push, batches and turns included: ${median(bytes.slice(steady)).toFixed(2)} B`);
  console.log(`pumped ${pumped} of ${(ROUNDS + 3) * PUSHES}`);
}

async function delays(intervalMs: number, batchMs: number): Promise<void> {
  const consumer = new MultiProducerConcurrentConsumer<number>({
    batchSize: 1000,
    pushIntervalMs: intervalMs,
    maxConcurrency: 1,
    slots: 2,
  });
  const late: number[] = [];
  consumer.start(async (items) => {
    const now = performance.now();
    for (const pushedAt of items) late.push(now - pushedAt);
    if (batchMs > 0) await delay(batchMs);
  });
  for (let i = 0; i < 600; i++) {
    consumer.push(performance.now(), i & 1);
    await delay(1);
  }
  await consumer.complete();
  const [p50, p99, max] = [50, 99, 100].map((percent) => percentile(late, percent).toFixed(1));
  console.log(
    `delay, interval ${intervalMs} ms, a batch takes ${batchMs} ms: p50 ${p50}, p99 ${p99}, max ${max} ms`,
  );
}

async function bothDelays(): Promise<void> {
  await delays(20, 0);
  await delays(20, 30);
}

async function fromThread(viaMemory: boolean, count: number): Promise<number> {
  const consumer = new MultiProducerConcurrentConsumer<object>({
    batchSize: 100,
    pushIntervalMs: 5,
    maxConcurrency: 4,
    slots: 1,
  });
  let pumped = 0;
  // From the first batch: the start of a thread, and what it loads, is not what is measured.
  let start = 0;
  const all = Promise.withResolvers<void>();
  consumer.start((items) => {
    if (pumped === 0) start = performance.now();
    pumped += items.length;
    if (pumped === count) all.resolve();
  });
  const handle = viaMemory ? consumer.producer(0).handle : null;
  const worker = new Worker(new URL("./pusher.worker.ts", import.meta.url), {
    workerData: { handle, count },
  });
  worker.on("message", (item: object) => consumer.push(item, 0));
  await all.promise;
  const ms = performance.now() - start;
  await consumer.complete();
  await worker.terminate();
  return ms;
}

async function threads(): Promise<void> {
  const count = 200_000;
  const times: Record<"memory" | "messages", number[]> = { memory: [], messages: [] };
  for (let round = 0; round < 5; round++) {
    times.memory.push(await fromThread(true, count));
    times.messages.push(await fromThread(false, count));
  }
  console.log(
    `from one other thread: shared memory ${perSecond(count, median(times.memory))}, postMessage and push ${perSecond(count, median(times.messages))}`,
  );
}

async function neighbours(): Promise<void> {
  const base = { slots: 4, intervalMs: 5, concurrency: 4 };
  const nextTurn = (): Promise<void> => turn();
  const hundred = { ...base, batchSize: 100 };
  await compare("pump that returns at once, batches of 100", { ...hundred, pump: () => {} }, PUSHES);
  await compare("async pump, batches of 100", { ...hundred, pump: async () => {} }, PUSHES);
  await compare("async pump, batches of 10", { ...base, batchSize: 10, pump: async () => {} }, 300_000);
  await compare("pump that waits for the event loop, batches of 100", { ...hundred, pump: nextTurn }, PUSHES);
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  pushes,
  delays: bothDelays,
  neighbours,
  threads,
};
const wanted = process.argv.slice(2);
console.log(`Node ${process.version}`);
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) await run();
}
