/** What a round does with a pool: bursts, windows, one call after the other. Every result is checked, after the clock has stopped. */
import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "../method/statistics.ts";
import type { JobPool } from "../peers/product.ts";

/** What is over sooner is repeated: a few milliseconds would measure the scheduler of the system. */
export const ROUND_MS = 150;

/** Repeats `once`, which gives a rate per second of a fixed amount of work, until enough time has been measured. The rate of all together. */
export async function longEnough(once: () => Promise<number>): Promise<number> {
  const until = performance.now() + ROUND_MS;
  const rates: number[] = [];
  do rates.push(await once());
  while (performance.now() < until);
  // Equal amounts: their common rate is the harmonic mean.
  return rates.length / rates.reduce((sum, rate) => sum + 1 / rate, 0);
}

/** All calls at once. Calls per second. */
export async function burst(pool: JobPool, count: number): Promise<number> {
  const started = performance.now();
  const calls: PromiseLike<unknown>[] = [];
  for (let i = 0; i < count; i++) calls.push(pool.run(i));
  const results = await Promise.all(calls);
  const seconds = (performance.now() - started) / 1000;
  for (const [i, result] of results.entries()) expectSame(result, i);
  return count / seconds;
}

/** `width` calls under way; each that comes back makes the next one. Calls per second. */
export async function windowed(pool: JobPool, count: number, width: number): Promise<number> {
  let next = 0;
  let sum = 0;
  const perSecond = await callers(count, width, async () => {
    const result = await pool.run(next++);
    // Not in one expression: `sum` would be read before the wait.
    sum += result as number;
  });
  expectSame(sum, (count * (count - 1)) / 2);
  return perSecond;
}

/** The same with one value for all calls, and one result. */
export function windowedOver(
  pool: JobPool,
  count: number,
  width: number,
  value: unknown,
  result: unknown,
): Promise<number> {
  return callers(count, width, async () => expectSame(await pool.run(value), result));
}

async function callers(count: number, width: number, call: () => Promise<void>): Promise<number> {
  let left = count;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left--;
      await call();
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: Math.min(width, count) }, caller));
  return (count / (performance.now() - started)) * 1000;
}

export interface Latencies {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** One call after the other, for as long as a round has to be. */
export async function roundTrips(pool: JobPool): Promise<Latencies> {
  const us: number[] = [];
  const until = performance.now() + ROUND_MS;
  while (performance.now() < until) await oneTrip(pool, us);
  return latencies(us);
}

/** One call after the other, each after a pause. */
export async function spacedTrips(pool: JobPool, count: number, pauseMs: number): Promise<Latencies> {
  const us: number[] = [];
  while (us.length < count) {
    await sleep(pauseMs);
    await oneTrip(pool, us);
  }
  return latencies(us);
}

async function oneTrip(pool: JobPool, us: number[]): Promise<void> {
  const value = us.length;
  const started = performance.now();
  const result = await pool.run(value);
  us.push((performance.now() - started) * 1000);
  expectSame(result, value);
}

export function latencies(us: readonly number[] | Float64Array): Latencies {
  return { p50Us: quantile(us, 0.5), p99Us: quantile(us, 0.99) };
}

/** @throws Error when they differ. */
export function expectSame(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`wrong result: ${String(actual)} instead of ${String(expected)}`);
}
