/**
 * What a job leaves behind for the collector on the caller's thread, from the call to the result. Only the last result is awaited: what waiting for all of them takes is
 * the caller's. Needs a young generation that holds everything. Arguments: the contender's name, the number of calls, of calls before them.
 */
import { answer } from "../method/child.ts";
import { productNamed } from "../pool/field.ts";

const [name = "", calls = "1", before = "0"] = process.argv.slice(2);
const count = Number(calls);
const pool = await productNamed(name).open(1, "echo");
const tasks = Array.from<PromiseLike<unknown>>({ length: Math.max(count, Number(before)) });
await submit(Number(before));
await submit(Number(before));
globalThis.gc?.();
const from = process.memoryUsage().heapUsed;
const cpu = process.threadCpuUsage();
await submit(count);
const { user, system } = process.threadCpuUsage(cpu);
answer({ garbageBytes: (process.memoryUsage().heapUsed - from) / count, cpuUs: (user + system) / count });

/** One thread, first in, first out: when the last result is there, all are. */
async function submit(jobs: number): Promise<void> {
  for (let i = 0; i < jobs; i++) tasks[i] = pool.run(i);
  const last = await tasks[jobs - 1];
  if (last !== jobs - 1) throw new Error(`the last of ${jobs} jobs came back as ${String(last)}`);
}
