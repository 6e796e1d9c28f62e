/** BullMQ alone, with the settings of our worker: `node bare-worker.ts <url> <queue> <concurrency>`. */
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import * as jobs from "./bench.jobs.ts";

const [url, queue, concurrency] = process.argv.slice(2) as [string, string, string];
const connection = new Redis(url, { maxRetriesPerRequest: null });
const worker = new Worker(
  queue,
  async ({ name, data }: { name: string; data: unknown[] }) =>
    (jobs as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...data),
  { connection, concurrency: Number(concurrency), lockDuration: 5000, stalledInterval: 2000 },
);
await worker.waitUntilReady();
process.once("SIGTERM", () => void worker.close().then(() => process.exit(0)));
console.log("ready");
