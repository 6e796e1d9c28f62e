/**
 * How many jobs a thread may be given ahead of its work, up to `jobsPerThread`. Ahead means that nobody else can run them, and that they end
 * with the thread: so only behind jobs that it was given, only as many as it will have done in half a millisecond, by what they
 * took lately, and none when the present one takes longer.
 */
const AHEAD_US = 500;
/** Weight of the newest job in the average. */
const NEWEST = 0.25;

export class ThreadLead {
  readonly #maxJobs: number;
  #jobs = 0;
  /** Infinity: not known. */
  #usPerJob = Infinity;
  #lastEndedAt = 0;

  constructor(maxJobs: number) {
    this.#maxJobs = maxJobs;
  }

  /** That it has not finished. */
  get jobs(): number {
    return this.#jobs;
  }

  /** Whether the thread has done all that it was given. */
  get isDone(): boolean {
    return this.#jobs === 0;
  }

  /** Whether it may be given one more behind those that it has. */
  hasRoom(now: number): boolean {
    return (
      this.#jobs > 0 &&
      this.#jobs < this.#maxJobs &&
      (this.#jobs + 1) * this.#usPerJob < AHEAD_US &&
      (now - this.#lastEndedAt) * 1000 < AHEAD_US
    );
  }

  given(now: number): void {
    if (this.#jobs++ === 0) this.#lastEndedAt = now;
  }

  /** One of them is over. Several at the same moment count for one another: their mean is right. */
  ended(now: number): void {
    this.#jobs--;
    const us = (now - this.#lastEndedAt) * 1000;
    this.#lastEndedAt = now;
    // One that is too long by itself says enough.
    this.#usPerJob =
      this.#usPerJob === Infinity || us > AHEAD_US ? us : this.#usPerJob * (1 - NEWEST) + us * NEWEST;
  }
}
