/**
 * What the threads count, in shared memory, read by the host without asking anybody. Every word has one writer, which adds without
 * atomics: a reader may see a count a moment late, never a torn one. Counters go on when a thread is replaced, and wrap at 2^32.
 *
 * Times are in microseconds. A histogram has buckets of an eighth of their lower bound, so quantiles are right to 12 %.
 */
import { now as clockNow } from "./timers.ts";
/** A cache line. */
const LINE_WORDS = 16;
/** Words of a block: one for each submitter, and one for each thread. */
export const COUNTERS = {
  submitted: 0,
  completed: 1,
  failed: 2,
  canceled: 3,
  crashed: 4,
  executed: 5,
  stolen: 6,
  /** In units of 16 us, so that they last a day before they wrap. */
  busy: 7,
  parked: 8,
  /** Errors that floated after their job had returned. */
  stray: 9,
} as const;
export type Counter = keyof typeof COUNTERS;

const STEPS = 8;
const OCTAVES = 31;
const BUCKETS = STEPS * OCTAVES;
const MAX = BUCKETS;
const HISTOGRAM_WORDS = BUCKETS + 1;
const HISTOGRAMS: { readonly wait: number; readonly run: number } = {
  wait: LINE_WORDS,
  run: LINE_WORDS + HISTOGRAM_WORDS,
};
/** Whole lines. */
export const STATISTICS_WORDS: number =
  Math.ceil((LINE_WORDS + 2 * HISTOGRAM_WORDS) / LINE_WORDS) * LINE_WORDS;
/** See COUNTERS.busy. */
const TICK_US = 16;

export interface Distribution {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** One block, for its writer. */
export class Statistics {
  readonly #words: Int32Array;
  readonly #base: number;

  constructor(words: Int32Array, baseWord: number) {
    this.#words = words;
    this.#base = baseWord;
  }

  /** @param word One of COUNTERS, as a number: looking it up by name would cost more than counting. */
  count(word: number): void {
    this.#words[this.#base + word]!++;
  }

  /** By the host, when the writer is dead: what it had not settled never will be. */
  closeBooks(): void {
    const words = this.#words;
    const base = this.#base;
    words[base + COUNTERS.crashed] =
      (words[base + COUNTERS.submitted]! -
        words[base + COUNTERS.completed]! -
        words[base + COUNTERS.failed]! -
        words[base + COUNTERS.canceled]!) |
      0;
  }

  addTime(counter: "busy" | "parked", us: number): void {
    this.#words[this.#base + COUNTERS[counter]]! += Math.round(us / TICK_US);
  }

  /** `weight`: how many jobs this one stands for. */
  record(histogram: keyof typeof HISTOGRAMS, us: number, weight: number): void {
    const base = this.#base + HISTOGRAMS[histogram];
    this.#words[base + bucketOf(us)]! += weight;
    if (us > this.#words[base + MAX]!) this.#words[base + MAX] = us;
  }
}

/** All blocks, for whoever reads. */
export class StatisticsReader {
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #blocks: number;

  constructor(words: Int32Array, baseWord: number, blocks: number) {
    this.#words = words;
    this.#base = baseWord;
    this.#blocks = blocks;
  }

  total(counter: Counter): number {
    let sum = 0;
    for (let block = 0; block < this.#blocks; block++) sum += this.of(block, counter);
    return sum;
  }

  /**
   * Whether at some moment during the call every job that was ever submitted had settled. Settlements are read first: what is read of
   * submissions afterwards is not less, so equal sums were equal in between. A thread counts what its job submits before that job ends.
   */
  areSettled(): boolean {
    const settled =
      this.total("completed") + this.total("failed") + this.total("canceled") + this.total("crashed");
    return settled === this.total("submitted");
  }

  of(block: number, counter: Counter): number {
    return this.#words[this.#base + block * STATISTICS_WORDS + COUNTERS[counter]]! >>> 0;
  }

  timeMs(block: number, counter: "busy" | "parked"): number {
    return (this.of(block, counter) * TICK_US) / 1000;
  }

  /** In milliseconds, over all blocks; zeros before the first sample. */
  distribution(histogram: keyof typeof HISTOGRAMS): Distribution {
    const counts = new Float64Array(BUCKETS);
    let samples = 0;
    let sum = 0;
    let max = 0;
    for (let block = 0; block < this.#blocks; block++) {
      const base = this.#base + block * STATISTICS_WORDS + HISTOGRAMS[histogram];
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const count = this.#words[base + bucket]! >>> 0;
        counts[bucket]! += count;
        samples += count;
        sum += count * middleOf(bucket);
      }
      max = Math.max(max, this.#words[base + MAX]!);
    }
    const quantile = (q: number): number => {
      let left = Math.ceil(q * samples);
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        left -= counts[bucket]!;
        if (left <= 0) return Math.min(middleOf(bucket), max) / 1000;
      }
      return max / 1000;
    };
    if (samples === 0) return { p50: 0, p99: 0, max: 0, mean: 0 };
    return { p50: quantile(0.5), p99: quantile(0.99), max: max / 1000, mean: sum / samples / 1000 };
  }
}

/** 0 to 7 us have a bucket each; above, eight per doubling. */
export function bucketOf(us: number): number {
  const whole = us | 0;
  if (whole < STEPS) return whole < 0 ? 0 : whole;
  const octave = 31 - Math.clz32(whole);
  return (octave - 2) * STEPS + ((whole >> (octave - 3)) & (STEPS - 1));
}

export function middleOf(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const octave = Math.floor(bucket / STEPS) + 2;
  const width = 2 ** (octave - 3);
  return (STEPS + (bucket % STEPS)) * width + width / 2;
}

const originUs = (performance.timeOrigin * 1000) % 2 ** 32;

/** Comparable between threads of a process; wraps after 71 minutes, so use differences. Never 0. */
export function timestampUs(): number {
  return (originUs + clockNow() * 1000) | 1;
}
