/**
 * Statistics: what the threads count, in shared memory, read by the host without asking anybody. Counts have 63 bits and never go back;
 * they go on when a thread is replaced. Times are in microseconds, histograms as time-histogram.ts has them.
 *
 * Words      of each count: LOW Int32, all its bits; HIGH Int32, how often bit 31 of LOW has changed
 * State      | HIGH against bit 31 of LOW | means                                                                    |
 *            | same parity                | the count is HIGH * 2^31 + the low 31 bits of LOW                        |
 *            | other parity               | HIGH is one behind: its write is under way, or its writer ended before it |
 * Moves      add LOW, plain, by less than 2^31, as long as bit 31 stays
 *            carry instead, when it changes: HIGH as it should have been, LOW, HIGH one more, by atomic stores
 * Invariants I1 Each count has one writer at a time: the thread in its place.
 *            I2 HIGH is never ahead of LOW, and at most one behind: carry mends what a writer that ended has left.
 * Pairings   [T1] the writer stores LOW before HIGH; the reader loads HIGH before LOW. So a reader that sees a new HIGH sees the new LOW.
 * Liveness   Readers take one look, whatever the writer does. A plain write may be seen a moment late, never torn.
 * Sources    the idea of a sequence lock, with the parity for the sequence.   Tests: test/shared/statistics.test.ts
 */
import { load, store } from "./atomics.ts";
import { bucketOf, BUCKETS, TimeHistogram } from "./time-histogram.ts";

/** A cache line. */
const LINE_WORDS = 16;
/** LOW and HIGH. */
const COUNT_WORDS = 2;
/** Counts of a block, by word: one block for each submitter, and one for each thread. */
export const COUNTERS = {
  submitted: 0,
  completed: 2,
  failed: 4,
  canceled: 6,
  crashed: 8,
  executed: 10,
  stolen: 12,
  busy: 14,
  parked: 16,
  /** Errors that floated after their job had returned. */
  stray: 18,
} as const;
export type Counter = keyof typeof COUNTERS;
const COUNTERS_WORDS = 2 * LINE_WORDS;

const MAX = BUCKETS * COUNT_WORDS;
const HISTOGRAM_WORDS = MAX + COUNT_WORDS;
const HISTOGRAMS: { readonly wait: number; readonly run: number } = {
  wait: COUNTERS_WORDS,
  run: COUNTERS_WORDS + HISTOGRAM_WORDS,
};
/** Whole lines. */
export const STATISTICS_WORDS: number =
  Math.ceil((COUNTERS_WORDS + 2 * HISTOGRAM_WORDS) / LINE_WORDS) * LINE_WORDS;
/** What is added at once, at most. */
const MAX_STEP = 2 ** 30;

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
    this.#add(this.#base + word, 1);
  }

  /** By the host, when the writer is dead: what it had not settled never will be. */
  closeBooks(): void {
    const value = (word: number): number => valueOf(this.#words, this.#base + word);
    const { submitted, completed, failed, canceled, crashed } = COUNTERS;
    const settled = value(completed) + value(failed) + value(canceled) + value(crashed);
    this.#addMuch(this.#base + crashed, value(submitted) - settled);
  }

  addTime(counter: "busy" | "parked", us: number): void {
    this.#addMuch(this.#base + COUNTERS[counter], Math.round(us));
  }

  /** `weight`: how many jobs this one stands for. */
  record(histogram: keyof typeof HISTOGRAMS, us: number, weight: number): void {
    const base = this.#base + HISTOGRAMS[histogram];
    this.#add(base + bucketOf(us) * COUNT_WORDS, weight);
    const more = us - valueOf(this.#words, base + MAX);
    if (more > 0) this.#addMuch(base + MAX, Math.floor(more));
  }

  #add(low: number, amount: number): void {
    const words = this.#words;
    const before = words[low]!; // plain: read by its only writer
    const after = (before + amount) | 0;
    if ((before ^ after) < 0) this.#carry(low, before, after);
    else words[low] = after; // plain: one write in 2^31 orders another, in #carry
  }

  #carry(low: number, before: number, after: number): void {
    const words = this.#words;
    const written = words[low + 1]!; // plain: read by its only writer
    const high = written + behind(written, before);
    if (high !== written) store(words, low + 1, high); // [T1]
    store(words, low, after); // [T1]
    store(words, low + 1, high + 1); // [T1]
  }

  #addMuch(low: number, amount: number): void {
    let left = amount;
    for (; left > MAX_STEP; left -= MAX_STEP) this.#add(low, MAX_STEP);
    this.#add(low, left);
  }
}

function valueOf(words: Int32Array, low: number): number {
  const high = load(words, low + 1) >>> 0; // [T1]
  const bits = load(words, low); // [T1]
  return (high + behind(high, bits)) * 2 ** 31 + (bits & 0x7fff_ffff);
}

/** 1 when HIGH has not followed LOW yet. */
function behind(high: number, low: number): number {
  return (high ^ (low >>> 31)) & 1;
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
    return valueOf(this.#words, this.#base + block * STATISTICS_WORDS + COUNTERS[counter]);
  }

  timeMs(block: number, counter: "busy" | "parked"): number {
    return this.of(block, counter) / 1000;
  }

  /** Over all blocks. */
  histogram(histogram: keyof typeof HISTOGRAMS): TimeHistogram {
    const counts = new Float64Array(BUCKETS);
    let max = 0;
    for (let block = 0; block < this.#blocks; block++) {
      const base = this.#base + block * STATISTICS_WORDS + HISTOGRAMS[histogram];
      for (let bucket = 0; bucket < BUCKETS; bucket++)
        counts[bucket]! += valueOf(this.#words, base + bucket * COUNT_WORDS);
      max = Math.max(max, valueOf(this.#words, base + MAX));
    }
    return new TimeHistogram(counts, max);
  }
}
