/**
 * Times and bytes of several ways to do one thing, in one run: the ways take turns, so that what disturbs the machine disturbs
 * all of them, and medians are taken.
 */

/** One way: does the thing `count` times. */
export type Way = (count: number) => unknown;

export interface Cost {
  readonly ns: number;
  readonly bytes: number;
}

const WARM_UP = 5;
const TIMED_ROUNDS = 21;
const WEIGHED_ROUNDS = 5;

/**
 * Time and bytes in separate rounds: a forced collection before each round would make the next one slower. Bytes are those
 * of the whole loop, so a collection inside it would spoil them: run with a large young generation. The lowest count is taken:
 * until V8 has optimised a loop anew it allocates what it does not later.
 */
export async function measure<K extends string>(
  ways: Readonly<Record<K, Way>>,
  count: number,
): Promise<Record<K, Cost>> {
  const names = Object.keys(ways) as K[];
  const times = new Map<K, number[]>(names.map((name) => [name, []]));
  const bytes = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let round = -WARM_UP; round < TIMED_ROUNDS; round++) {
    for (const name of names) {
      const start = performance.now();
      await ways[name](count);
      const elapsed = performance.now() - start;
      if (round >= 0) times.get(name)?.push((elapsed * 1e6) / count);
    }
  }
  for (let round = 0; round < WEIGHED_ROUNDS; round++) {
    for (const name of names) {
      // V8 drops the optimised code of what has not run for a few collections.
      await ways[name](count);
      globalThis.gc?.();
      const before = process.memoryUsage().heapUsed;
      await ways[name](count);
      bytes.get(name)?.push((process.memoryUsage().heapUsed - before) / count);
    }
  }
  const costs = names.map((name): [K, Cost] => [
    name,
    { ns: median(times.get(name) ?? []), bytes: Math.max(0, Math.min(...(bytes.get(name) ?? []))) },
  ]);
  return Object.fromEntries(costs) as Record<K, Cost>;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
