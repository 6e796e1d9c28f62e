/**
 * What the option `trace` costs: bursts of trivial jobs and forked jobs, on pools of one thread with and without it, in turns.
 * Wall time, and the CPU time of all threads, which other processes disturb less.
 *
 *   tsc -b packages/pool && node --expose-gc packages/pool/bench/trace.ts [--rounds 15]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ThreadPool } from "@skein/pool";
import type * as Jobs from "./fork-join.jobs.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" } } });
const rounds = Number(values.rounds);
const JOBS = 100_000;
const FORKS_OF = 21;

const folder = mkdtempSync(join(tmpdir(), "skein-bench-"));
const contenders = ["off", "on"].map((name): Contender => {
  const trace = name === "on" ? join(folder, "trace.json") : undefined;
  const pool = new ThreadPool({ maxThreads: 1, trace });
  return { name, pool, burst: { wall: [], cpu: [] }, forks: { wall: [], cpu: [] } };
});

interface Contender {
  readonly name: string;
  readonly pool: ThreadPool;
  readonly burst: Samples;
  readonly forks: Samples;
}

/** Nanoseconds per job. */
interface Samples {
  readonly wall: number[];
  readonly cpu: number[];
}

async function measure(samples: Samples, count: number, run: () => PromiseLike<unknown>): Promise<void> {
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await run();
  samples.wall.push(((performance.now() - startedAt) * 1e6) / count);
  const { user, system } = process.cpuUsage(cpu);
  samples.cpu.push(((user + system) * 1000) / count);
}

const forks = fibonacci(FORKS_OF + 1) - 1;
for (let round = -2; round < rounds; round++) {
  for (const { pool, burst, forks: forked } of contenders) {
    const jobs = pool.module<typeof Jobs>(new URL("./fork-join.jobs.ts", import.meta.url));
    await measure(burst, JOBS, () => Promise.all(Array.from({ length: JOBS }, (_, i) => jobs.one(i))));
    await measure(forked, forks, () => jobs.forkedFibonacci(FORKS_OF));
  }
  // The first rounds warm up.
  if (round < 0) for (const { burst, forks: forked } of contenders) clear(burst, forked);
}
for (const { name, burst, forks: forked } of contenders) {
  console.log(`trace ${name.padEnd(4)} burst: ${show(burst)}   fork + join: ${show(forked)}`);
}
const [, traced] = contenders;
const closing = performance.now();
await traced!.pool.close();
console.log(`written in ${Math.round(performance.now() - closing)} ms`);
await contenders[0]!.pool.close();
rmSync(folder, { recursive: true });

function clear(...samples: readonly Samples[]): void {
  for (const { wall, cpu } of samples) wall.length = cpu.length = 0;
}

function show({ wall, cpu }: Samples): string {
  return `${quantile(wall, 0.5)} ns (least ${quantile(wall, 0)}), CPU ${quantile(cpu, 0.5)} ns (least ${quantile(cpu, 0)})`;
}

function quantile(samples: readonly number[], q: number): number {
  return Math.round(samples.toSorted((a, b) => a - b)[Math.floor(q * (samples.length - 1))]!);
}

function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 2) + fibonacci(n - 1);
}
