/**
 * When a thread reads the clock. Reading it twice costs as much as running a small job, so it is read once in about a millisecond: to
 * know when the event loop's turn has come (A3.12), and to time jobs, the long ones all, of the short ones one in 16.
 */
import { promiseThen } from "../shared/intrinsics.ts";
import type { SlotTable } from "../shared/slot.ts";
import { elapsedUs, timestampUs } from "../shared/clock.ts";
import type { Statistics } from "../shared/statistics.ts";
import { now as clockNow } from "../shared/timers.ts";

/** How long jobs may follow each other without a turn of the event loop. */
const QUANTUM_MS = 30;
/** The clock is read once in as many jobs as take about this long, at most 64. */
const INTERVAL_MS = 1;
const MAX_JOBS = 64;
/** Jobs shorter than this are timed once in so many. */
const SHORT_US = 20;
const SHORT_TIMED_EVERY = 16;

export class JobClock {
  readonly #statistics: Statistics;
  readonly #slots: SlotTable;
  #turnStartedAt = 0;
  #readAt = 0;
  #jobsPerRead = 1;
  #jobsUntilRead = 1;
  #untilTimed = 1;
  #timedEvery = 1;

  constructor(statistics: Statistics, slots: SlotTable) {
    this.#statistics = statistics;
    this.#slots = slots;
  }

  /** A turn of the event loop has begun. */
  turnStarted(now: number): void {
    this.#turnStartedAt = this.#readAt = now;
  }

  /** After a job: whether the event loop has waited long enough. */
  isTurnDue(): boolean {
    return --this.#jobsUntilRead <= 0 && this.isQuantumOver();
  }

  isQuantumOver(): boolean {
    const now = clockNow();
    const perJob = (now - this.#readAt) / this.#jobsPerRead;
    this.#readAt = now;
    this.#jobsPerRead = this.#jobsUntilRead = Math.max(
      1,
      Math.min(MAX_JOBS, Math.floor(INTERVAL_MS / perJob)),
    );
    const isOver = now - this.#turnStartedAt >= QUANTUM_MS;
    // Whoever asks next hears the same, until there was a turn: a stream asks, and then the loop that it has given way to.
    if (isOver) this.#jobsPerRead = this.#jobsUntilRead = 1;
    return isOver;
  }

  /** Runs the job in `slot`, and times it if its turn has come. */
  time(slot: number, run: (slot: number) => Promise<void> | null): Promise<void> | null {
    const submittedAt = this.#slots.submittedAt(slot);
    if (submittedAt !== 0) this.#statistics.record("wait", elapsedUs(submittedAt), 1);
    if (--this.#untilTimed > 0) return run(slot);
    const weight = this.#timedEvery;
    const startedAt = timestampUs();
    const pending = run(slot);
    const record = (): void => {
      const us = elapsedUs(startedAt);
      this.#statistics.record("run", us, weight);
      this.#timedEvery = us < SHORT_US ? SHORT_TIMED_EVERY : 1;
    };
    if (pending === null) record();
    else promiseThen(pending, record);
    this.#untilTimed = this.#timedEvery;
    return pending;
  }
}
