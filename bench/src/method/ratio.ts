/**
 * The ratio of two medians and where it may lie: rounds are drawn again, with replacement, a few thousand times. Round i of one
 * contender and round i of the other stood next to each other in time and are drawn together, so that what slowed down both cancels.
 *
 * @see Efron, Tibshirani, "An Introduction to the Bootstrap", 1993
 */
import { median, quantile } from "./statistics.ts";

export interface Ratio {
  /** median(a) / median(b) */
  readonly value: number;
  /** 95 % of the resampled ratios lie between these. */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;
const SEED = 0x5eed;

/** The same samples give the same interval: the generator is seeded. */
export function ratioOfMedians(a: readonly number[], b: readonly number[]): Ratio {
  const random = randomIntegers(SEED);
  const paired = a.length === b.length;
  const ratios = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) {
    const drawn = a.map(() => random(a.length));
    const drawnB = paired ? drawn : b.map(() => random(b.length));
    ratios[i] = divide(median(drawn.map((at) => a[at]!)), median(drawnB.map((at) => b[at]!)));
  }
  return {
    value: divide(median(a), median(b)),
    low: quantile(ratios, 0.025),
    high: quantile(ratios, 0.975),
  };
}

function divide(a: number, b: number): number {
  return a === b ? 1 : a / b;
}

/** Marsaglia's xorshift32. @see Marsaglia, "Xorshift RNGs", 2003 */
export function randomIntegers(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}
