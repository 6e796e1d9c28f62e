/**
 * What a collection of the whole heap costs the calls behind it, when it comes while no job is under way: V8 throws away optimized code that has
 * seen a class of which no object is left. From the built package, one thread.
 *
 *   pnpm build && node packages/pool/bench/collections.ts [--collections 8]
 *
 * With `--trace-deopt-verbose` before the path, V8 names the functions: "embedded weak objects cleared".
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AsyncLocal } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import { Task } from "@skein/scheduling";
import type * as Jobs from "./streams.jobs.ts";

const WARM_UP = 30_000;
const CALLS = 1000;
const { values } = parseArgs({ options: { collections: { type: "string", default: "8" } } });
setFlagsFromString("--expose-gc");
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is what the flag brings
const collect = runInNewContext("gc") as () => void;

await using pool = new ThreadPool({ minThreads: 1, maxThreads: 1 });
const jobs = pool.module<typeof Jobs>(new URL("./streams.jobs.ts", import.meta.url));
const local = new AsyncLocal<string>({ name: "bench.collections", flow: "thread" });
let calls = 0;

const ways: Record<string, () => PromiseLike<unknown>> = {
  "round trip": () => jobs.one(),
  "another context for each": () => local.run(String(calls++), () => jobs.one()),
  "stream of three": async () => {
    for await (const _ of jobs.numbers(3)) calls++;
  },
  "Task.run": () => Task.run(() => 1),
  "first of two tasks": () => Task.whenAny([Task.run(() => 1), Task.run(() => 2)]),
};

console.log("us a call                  warm | behind a collection, 1,000 calls: median | most");
for (const [name, call] of Object.entries(ways)) {
  await measure(call, WARM_UP);
  const warm: number[] = [];
  const behind: number[] = [];
  for (let i = 0; i < Number(values.collections); i++) {
    warm.push(await measure(call, CALLS));
    await sleep(20);
    collect();
    await sleep(20);
    behind.push(await measure(call, CALLS));
    await measure(call, WARM_UP / 3);
  }
  const row = [median(warm), median(behind), Math.max(...behind)].map((us) => us.toFixed(2).padStart(5));
  console.log(`${name.padEnd(25)} ${row.join(" | ")}`);
}

/** @returns microseconds a call. */
async function measure(call: () => PromiseLike<unknown>, count: number): Promise<number> {
  const startedAt = performance.now();
  for (let i = 0; i < count; i++) await call();
  return ((performance.now() - startedAt) * 1000) / count;
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1]!;
}
