/**
 * How many jobs a thread may be given ahead of its work. Ahead means that nobody else can run them, and that they end with the thread: so
 * only behind jobs that it was given, only as many as it will have done in half a millisecond, by what they took lately, and none
 * when the present one takes longer, or when the thread has lately given some back.
 *
 * What they took the thread itself says (worker/pace.ts): on a busy machine the time between two results tells more of who did not run.
 */
const MAX_JOBS = 64;
const AHEAD_US = 500;
/** Of a thread that was given no job yet. */
const NO_PACE = 0;
/** So many jobs after it has given some back, a thread is given jobs again. */
const BARRED_JOBS = 16;

export class ThreadLead {
  #jobs = 0;
  /** When it was last given one. */
  #jobsThen = 0;
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

  /** Whether it may be given one more behind those that it has. @param usPerJob Its pace. */
  hasRoom(now: number, usPerJob: number): boolean {
    return (
      usPerJob !== NO_PACE &&
      this.#jobs > 0 &&
      this.#jobs < MAX_JOBS &&
      this.#barredJobs === 0 &&
      (this.#jobs + 1) * usPerJob < AHEAD_US &&
      (now - this.#lastEndedAt) * 1000 < AHEAD_US
    );
  }

  given(now: number): void {
    if (this.#jobs++ === 0) this.#lastEndedAt = now;
    this.#jobsThen = this.#jobs;
  }

  /** One of them is over. */
  ended(now: number): void {
    this.#jobs--;
    if (this.#barredJobs > 0) this.#barredJobs--;
    this.#lastEndedAt = now;
  }

  /** It was not sent after all. */
  takenBack(): void {
    this.#jobs--;
  }

  /** The thread has not begun it, and will not: it is at a job that waits for something. */
  returned(): void {
    this.#jobs--;
    this.#barredJobs = BARRED_JOBS;
  }
}
