/**
 * Fork and join, from the built package: nothing is stolen on one thread, so what it costs is its own price.
 *
 *   pnpm build && node packages/pool/bench/fork-join.ts [--repetitions 15] [--numbers 4000000] [--rounds 5]
 *
 * Each number is the median of the repetitions, with the least of them: the machine may be busy with other things.
 */
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { ThreadPool } from "@skein/pool";
import type * as Jobs from "./fork-join.jobs.ts";

const { values } = parseArgs({
  options: {
    repetitions: { type: "string", default: "15" },
    numbers: { type: "string", default: "4000000" },
    rounds: { type: "string", default: "5" },
  },
});
const repetitions = Number(values.repetitions);
const rounds = Number(values.rounds);
const FORKS = 300_000;
const FIBONACCI = 27;

const url = new URL("./fork-join.jobs.ts", import.meta.url);
console.log(`Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"})`);

async function unstolen(): Promise<void> {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof Jobs>(url);
  for (const numbers of [0, 1, 2] as const) {
    // The first repetitions are not optimized yet.
    const ns = (await jobs.forkAndJoin(numbers, FORKS, repetitions + 2)).slice(2);
    print(`fork + join, ${numbers} numbers`, ns, "ns");
  }
  const { plain, forked } = await jobs.fibonacciNs(FIBONACCI, repetitions + 2);
  print(`fibonacci(${FIBONACCI}) plain, a call`, plain.slice(2), "ns");
  print(`fibonacci(${FIBONACCI}) forked, a call`, forked.slice(2), "ns");
}

async function sorting(): Promise<void> {
  const length = Number(values.numbers);
  const unsorted = Float64Array.from({ length }, () => Math.random());
  const data = new Float64Array(new SharedArrayBuffer(length * 8));
  const scratch = new Float64Array(new SharedArrayBuffer(length * 8));
  await using one = new ThreadPool({ maxThreads: 1 });
  await using both = new ThreadPool({ maxThreads: 2 });
  const [oneThread, twoThreads] = [one.module<typeof Jobs>(url), both.module<typeof Jobs>(url)];
  const contenders = {
    "plain sort": () => oneThread.plainSort(data),
    "merge sort, sequential": () => oneThread.sequentialSort(data, scratch, 0, length),
    "merge sort, forked, 1 thread": () => oneThread.forkedSort(data, scratch, 0, length),
    "merge sort, forked, 2 threads": () => twoThreads.forkedSort(data, scratch, 0, length),
  };
  const ms: Record<string, number[]> = {};
  for (let round = -1; round < rounds; round++) {
    for (const [name, sort] of Object.entries(contenders)) {
      data.set(unsorted);
      const startedAt = performance.now();
      await sort();
      // The first round warms up.
      if (round >= 0) (ms[name] ??= []).push(performance.now() - startedAt);
      if (data.some((x, i) => i > 0 && data[i - 1]! > x)) throw new Error(`${name} does not sort`);
    }
  }
  for (const [name, list] of Object.entries(ms)) print(`${length / 1e6} M numbers, ${name}`, list, "ms");
  const least = (name: string): number => Math.min(...ms[name]!);
  const gain = least("merge sort, forked, 1 thread") / least("merge sort, forked, 2 threads");
  console.log(`2 threads are ${gain.toFixed(2)} times as fast as one`);
}

function print(name: string, list: readonly number[], unit: string): void {
  const sorted = list.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  const digits = median < 10 ? 1 : 0;
  console.log(
    `${name.padEnd(48)} ${median.toFixed(digits).padStart(6)} ${unit}   least ${sorted[0]!.toFixed(digits)}`,
  );
}

await unstolen();
await sorting();
