/**
 * Fills a queue behind a job that holds the only thread, looks at the memory, lets go, and waits for all results.
 * Arguments: the product's name, the number of jobs, and of calls before that.
 */
import { answer } from "../method/child.ts";
import { productNamed } from "../pool/field.ts";

/** Promise.all takes two million at most. */
const AT_ONCE = 1_000_000;

const [name = "", count = "0", before = "200"] = process.argv.slice(2);
const jobs = Number(count);
const warmUps = Number(before);

const pool = await productNamed(name).open(1, "hold");
for (let i = 0; i < warmUps; i++) await pool.run(i);
const gate = new Int32Array(new SharedArrayBuffer(4));

const empty = memory();
const holding = pool.run(gate);
const started = performance.now();
const tasks: PromiseLike<unknown>[] = [];
for (let i = 0; i < jobs; i++) tasks.push(pool.run(i));
const submitMs = performance.now() - started;
const after = memory();
Atomics.store(gate, 0, 1);
Atomics.notify(gate, 0);
const drained = performance.now();
await holding;
const results: unknown[][] = [];
for (let from = 0; from < jobs; from += AT_ONCE) {
  results.push(await Promise.all(tasks.slice(from, from + AT_ONCE)));
}
const drainMs = performance.now() - drained;
for (const [i, result] of results.flat().entries()) {
  if (result !== i) throw new Error(`job ${i} came back as ${String(result)}`);
}
answer({
  totalMs: submitMs + drainMs,
  submitMs,
  heapBytes: (after.heap - empty.heap) / jobs,
  rssBytes: (after.rss - empty.rss) / jobs,
});

function memory(): { heap: number; rss: number } {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}
