/** When requests are due, and which of them are heavy: the same for every variant, because the seed decides. */

export interface Arrivals {
  /** Milliseconds after the start, ascending. */
  readonly dueMs: Float64Array;
  readonly isHeavy: readonly boolean[];
}

/** One request in so many is heavy. */
export const HEAVY_ONE_IN = 20;

/**
 * Independent users: gaps are exponentially distributed around the rate, so requests come in bunches, as they do in life. Each
 * block of twenty has exactly one heavy request, at a random place.
 */
export function arrivals(seed: number, ratePerSecond: number, seconds: number): Arrivals {
  const random = randomOf(seed);
  const count = Math.round(ratePerSecond * seconds);
  const dueMs = new Float64Array(count);
  const isHeavy: boolean[] = [];
  let at = 0;
  let heavyAt = 0;
  for (let i = 0; i < count; i++) {
    if (i % HEAVY_ONE_IN === 0) heavyAt = i + Math.floor(random() * HEAVY_ONE_IN);
    at += (-Math.log(1 - random()) * 1000) / ratePerSecond;
    dueMs[i] = at;
    isHeavy.push(i === heavyAt);
  }
  return { dueMs, isHeavy };
}

/** Mulberry32: numbers in [0, 1) that only depend on the seed. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
