import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { TimeHistogram } from "../shared/time-histogram.ts";

/**
 * How long jobs took, since the pool was made or since `reset`, in milliseconds and right to 12 %. Each look reads what all threads have
 * counted, some ten microseconds, and sends no message; zeros before the first job.
 * @see https://nodejs.org/api/perf_hooks.html#class-histogram
 */
export class JobHistogram {
  readonly #read: () => TimeHistogram;
  #since: TimeHistogram | null = null;

  /** @internal @param read Everything since the pool was made. */
  constructor(read: () => TimeHistogram) {
    this.#read = read;
  }

  /** How many jobs. Where jobs are sampled, a run stands for several; waiting times count the sample. */
  get count(): number {
    return this.#now().count;
  }

  get min(): number {
    return this.#now().minMs;
  }

  get max(): number {
    return this.#now().maxMs;
  }

  get mean(): number {
    return this.#now().meanMs;
  }

  /** The standard deviation. */
  get stddev(): number {
    return this.#now().deviationMs;
  }

  /**
   * The time that so many percent of the jobs did not exceed.
   *
   * @param percentile Above 0, up to 100.
   * @throws TypeError or RangeError for another value.
   */
  percentile(percentile: number): number {
    const expected = "a number above 0, up to 100";
    if (typeof percentile !== "number") throw argumentTypeError("percentile", expected, percentile);
    if (!(percentile > 0 && percentile <= 100)) throw argumentRangeError("percentile", expected, percentile);
    return this.#now().percentileMs(percentile);
  }

  /** Begins anew, here alone: `stats()` and other readers see all that was counted. */
  reset(): void {
    this.#since = this.#read();
  }

  #now(): TimeHistogram {
    const all = this.#read();
    return this.#since === null ? all : all.since(this.#since);
  }
}

/** Of a pool, in milliseconds. The same objects with each call. */
export interface JobHistograms {
  /** From submission to start. Sampled when there are many jobs. */
  readonly waitMs: JobHistogram;
  /** From start to outcome. Sampled when jobs are shorter than 20 microseconds. */
  readonly runMs: JobHistogram;
}
