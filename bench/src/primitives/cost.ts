/** What one operation costs: time and bytes. Runs in a process that has --expose-gc and a large young generation. */
import { median } from "../method/statistics.ts";
import type { Sample } from "../method/scenario.ts";

/** Does the thing `count` times. */
export type Way = (count: number) => unknown;

/** Measures once. */
export type Round = () => Sample | Promise<Sample>;

const WARM_UPS = 8;
const TIMED = 3;

/**
 * Time and bytes one after the other: what runs right after a forced collection is slower. Bytes are those of the whole loop, so a
 * collection inside it would spoil them, and it runs once more just before, because what V8 optimises anew allocates at first.
 */
export function costOf(way: Way, count: number): Round {
  let isWarm = false;
  return async () => {
    if (!isWarm) for (let i = 0; i < WARM_UPS; i++) await way(count);
    isWarm = true;
    await way(count);
    const ns: number[] = [];
    for (let i = 0; i < TIMED; i++) {
      const started = performance.now();
      await way(count);
      ns.push(((performance.now() - started) * 1e6) / count);
    }
    await way(count);
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    await way(count);
    const bytes = (process.memoryUsage().heapUsed - before) / count;
    return { ns: median(ns), bytes: Math.max(0, Math.round(bytes)) };
  };
}

/** The rounds of several ways of one thing, under their names. */
export function costsOf<K extends string>(
  ways: Readonly<Record<K, Way>>,
  count: number,
): Readonly<Record<K, Round>> {
  const rounds = Object.entries<Way>(ways).map(([name, way]) => [name, costOf(way, count)]);
  return Object.fromEntries(rounds) as Record<K, Round>;
}
