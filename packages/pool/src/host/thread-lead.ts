/**
 * How many jobs a thread may be given ahead of its work. Ahead means that nobody else can run them, and that they end with the thread: so
 * only behind jobs that it was given, only as many as it will have done in half a millisecond, by what they took lately, and none
 * when the present one takes longer, or when the thread has lately given some back.
 */
const MAX_JOBS = 64;
const AHEAD_US = 500;
/**
 * Of all jobs that all threads were given, together: V8 counts the bytes that arrive since its last full collection, not those that stay.
 * Buffers that come and go in larger heaps let it collect without a pause; in one that was just collected its limit is some MB above
 * what lives, and 16 MB ahead made it collect twice as often as 8.
 */
const AHEAD_BYTES = 8 << 20;
/** Weight of the newest job in the average. */
const NEWEST = 0.25;
/** So many jobs after it has given some back, a thread is given jobs again. */
const BARRED_JOBS = 16;

export class ThreadLead {
  #jobs = 0;
  /** When it was last given one. */
  #jobsThen = 0;
  #bytes = 0;
  /** Infinity: not known. */
  #usPerJob = Infinity;
  #lastEndedAt = 0;
  #barredJobs = 0;

  /** That it has not finished. */
  get jobs(): number {
    return this.#jobs;
  }

  /** Whether the thread has done all that it was given, and may be given something. */
  get isFree(): boolean {
    return this.#jobs === 0 && this.#barredJobs === 0;
  }

  /** Whether it has half of what it had when it was last given something, or less: what it does until more comes. */
  get isLow(): boolean {
    return this.#jobs * 2 <= this.#jobsThen;
  }

  /** Whether it may be given one more, of so many bytes, behind those that it has. @param threads How many there are. */
  hasRoom(now: number, bytes: number, threads: number): boolean {
    return (
      this.#jobs > 0 &&
      this.#jobs < MAX_JOBS &&
      this.#barredJobs === 0 &&
      this.#bytes + bytes <= AHEAD_BYTES / threads &&
      (this.#jobs + 1) * this.#usPerJob < AHEAD_US &&
      (now - this.#lastEndedAt) * 1000 < AHEAD_US
    );
  }

  given(now: number, bytes: number): void {
    if (this.#jobs++ === 0) this.#lastEndedAt = now;
    this.#jobsThen = this.#jobs;
    this.#bytes += bytes;
  }

  /** One of them is over. Several at the same moment count for one another: their mean is right. */
  ended(now: number, bytes: number): void {
    this.#forget(bytes);
    if (this.#barredJobs > 0) this.#barredJobs--;
    const us = (now - this.#lastEndedAt) * 1000;
    this.#lastEndedAt = now;
    // One that is too long by itself says enough.
    this.#usPerJob =
      this.#usPerJob === Infinity || us > AHEAD_US ? us : this.#usPerJob * (1 - NEWEST) + us * NEWEST;
  }

  /** The thread has not begun it, and will not: it is at a job that waits for something. */
  returned(bytes: number): void {
    this.#forget(bytes);
    this.#barredJobs = BARRED_JOBS;
  }

  #forget(bytes: number): void {
    this.#jobs--;
    this.#bytes -= bytes;
  }
}
