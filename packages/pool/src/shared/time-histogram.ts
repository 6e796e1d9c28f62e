/**
 * How often which times were met, in buckets of an eighth of their lower bound: what is read of them is right to 12 %, a middle to 6 %. Times are
 * counted in microseconds and told in milliseconds.
 */

const STEPS = 8;
/** Times up to 4 years. */
const OCTAVES = 45;
export const BUCKETS: number = STEPS * OCTAVES;
/** Longer times, half an hour and more, are shifted into 31 bits. */
const LONG_US = 2 ** 31;
const SHIFT_OCTAVES = 16;
const SHIFT = 2 ** SHIFT_OCTAVES;

/** Counts as they were at one moment. */
export class TimeHistogram {
  readonly #counts: Float64Array;
  readonly #maxUs: number;
  /** How many times were met. */
  readonly count: number;

  /** @param counts By bucket. @param maxUs No time was longer. */
  constructor(counts: Float64Array, maxUs: number) {
    this.#counts = counts;
    this.#maxUs = maxUs;
    this.count = counts.reduce((sum, count) => sum + count, 0);
  }

  /** What has been met since `earlier` was read. */
  since(earlier: TimeHistogram): TimeHistogram {
    const counts = this.#counts.map((count, bucket) => count - earlier.#counts[bucket]!);
    const longest = counts.findLastIndex((count) => count > 0);
    return new TimeHistogram(counts, longest < 0 ? 0 : Math.min(this.#maxUs, endOf(longest)));
  }

  get minMs(): number {
    const shortest = this.#counts.findIndex((count) => count > 0);
    return shortest < 0 ? 0 : Math.min(middleOf(shortest), this.#maxUs) / 1000;
  }

  get maxMs(): number {
    return this.count === 0 ? 0 : this.#maxUs / 1000;
  }

  get meanMs(): number {
    return this.count === 0 ? 0 : this.#sum((us) => us) / this.count / 1000;
  }

  get deviationMs(): number {
    if (this.count === 0) return 0;
    const mean = this.meanMs * 1000;
    return Math.sqrt(this.#sum((us) => (us - mean) ** 2) / this.count) / 1000;
  }

  /** The time that so many percent of all did not exceed. @param percentile Above 0, up to 100. */
  percentileMs(percentile: number): number {
    if (this.count === 0) return 0;
    // Divided last: 7 percent of 100 are 7, where 0.07 * 100 is more.
    let left = Math.max(1, Math.ceil((percentile * this.count) / 100));
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return Math.min(middleOf(bucket), this.#maxUs) / 1000;
    }
    return this.maxMs;
  }

  /** The buckets that are not empty, by their middles, ascending. */
  entriesMs(): [ms: number, count: number][] {
    const entries: [number, number][] = [];
    for (const [bucket, count] of this.#counts.entries())
      if (count > 0) entries.push([middleOf(bucket) / 1000, count]);
    return entries;
  }

  #sum(of: (us: number) => number): number {
    return this.#counts.reduce(
      (sum, count, bucket) => (count > 0 ? sum + count * of(middleOf(bucket)) : sum),
      0,
    );
  }
}

/** 0 to 7 us have a bucket each; above, eight per doubling. */
export function bucketOf(us: number): number {
  if (us >= LONG_US) return bucketOf(Math.min(us / SHIFT, LONG_US - 1)) + SHIFT_OCTAVES * STEPS;
  const whole = us | 0;
  if (whole < STEPS) return whole < 0 ? 0 : whole;
  const octave = 31 - Math.clz32(whole);
  return (octave - 2) * STEPS + ((whole >> (octave - 3)) & (STEPS - 1));
}

export function middleOf(bucket: number): number {
  return bucket < STEPS ? bucket : startOf(bucket) + widthOf(bucket) / 2;
}

function endOf(bucket: number): number {
  return bucket < STEPS ? bucket : startOf(bucket) + widthOf(bucket);
}

function startOf(bucket: number): number {
  return (STEPS + (bucket % STEPS)) * widthOf(bucket);
}

function widthOf(bucket: number): number {
  return 2 ** (Math.floor(bucket / STEPS) - 1);
}
