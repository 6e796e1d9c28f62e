/**
 * Who pushes jobs and waits for the queue to empty: `ready({ below })`, and listeners of `drain`.
 *
 * | state    | means                                                    | moves to                                                             |
 * | -------- | -------------------------------------------------------- | -------------------------------------------------------------------- |
 * | off      | nobody waits: no timer runs, and nothing is counted      | watching: by `below`, or by a job that is submitted while somebody   |
 * |          |                                                          | listens to `drain`                                                   |
 * | watching | it looks when results come in, and every LOOK_MS         | off: when everybody was told; by `close`, if nobody listens; `stop`  |
 *
 * Threads take jobs without telling anybody, so the timer is needed: a job that is taken may run for hours before a result comes in. A look
 * for a result reads the lengths of the queues, which count jobs that were cancelled until a thread comes by them; the timer's look counts
 * the jobs themselves. Listeners hear once no job waits, at most once for all jobs submitted since the last time.
 */
import { AsyncScope } from "@skein/context";
import { clearTimeout, setTimeout } from "../shared/timers.ts";
import { throwAside } from "../submit/throw-aside.ts";
import { Promise } from "../shared/intrinsics.ts";

const LOOK_MS = 5;

/** What is asked about the jobs of the host. */
export interface QueueCounts {
  /** How many wait at most: those that were cancelled may count. */
  atMost(): number;
  /** Whether so many wait. */
  hasWaiting(count: number): boolean;
}

interface Waiter {
  readonly below: number;
  resolve(): void;
  reject(error: unknown): void;
}

export class QueueWatch {
  readonly #counts: QueueCounts;
  #waiters: readonly Waiter[] = [];
  /** Replaced, not changed: all hear that listened when it happened. */
  #listeners: readonly (() => void)[] = [];
  /** Jobs were submitted, and `drain` has not been told since. */
  #isArmed = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(counts: QueueCounts) {
    this.#counts = counts;
  }

  /** Resolves when fewer than `below` jobs wait. */
  below(below: number): Promise<void> {
    if (this.#counts.atMost() < below) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters = [...this.#waiters, { below, resolve, reject }];
      this.#watch();
    });
  }

  on(listener: () => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  /** Removes the newest registration. */
  off(listener: () => void): void {
    const index = this.#listeners.lastIndexOf(listener);
    if (index >= 0) this.#listeners = this.#listeners.toSpliced(index, 1);
  }

  /** After a job was accepted. */
  submitted(): void {
    if (this.#isArmed || this.#listeners.length === 0) return;
    this.#watch();
    this.#isArmed = true;
  }

  /** Results have come in, and are settled. Calls listeners. */
  resultsCame(): void {
    if (this.#timer === null) return;
    const atMost = this.#counts.atMost();
    this.#tell((below) => atMost < below);
  }

  /** No job is taken any more: whoever waits to submit another waits no longer. */
  close(error: unknown): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    if (!this.#isWanted) this.stop();
    for (const waiter of waiters) waiter.reject(error);
  }

  /** The pool is over. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  get #isWanted(): boolean {
    return this.#isArmed || this.#waiters.length > 0;
  }

  #watch(): void {
    if (this.#timer !== null) return;
    this.#timer = AsyncScope.root.run(setTimeout, this.#onTime, LOOK_MS);
    // What waits keeps the process alive, not who waits for it.
    this.#timer.unref();
  }

  readonly #onTime = (): void => {
    this.#timer = null;
    if (this.#isWanted) this.#watch();
    this.#tell((below) => !this.#counts.hasWaiting(below));
  };

  #tell(isBelow: (count: number) => boolean): void {
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ below }) => !isBelow(below));
    if (this.#waiters.length < waiters.length) {
      for (const waiter of waiters) if (!this.#waiters.includes(waiter)) waiter.resolve();
    }
    const isDrained = this.#isArmed && isBelow(1);
    if (isDrained) this.#isArmed = false;
    if (!this.#isWanted) this.stop();
    // Last: listeners submit jobs.
    if (isDrained) AsyncScope.root.run(this.#tellListeners);
  }

  readonly #tellListeners = (): void => {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        throwAside(error);
      }
    }
  };
}
