/**
 * How many jobs of one module a worker takes beyond its `concurrency`, so that the next one is here when one ends: the way to the store and back takes
 * as long as many small jobs. Those that are ahead lie in the queues of the pool, and each begins alone on its thread: no more run at once than without.
 *
 * State      | CAREFUL  | takes no more than `concurrency`; jobs begin beside each other                | construction, `reset`
 *            | STEADY   | the last `EVIDENCE` jobs were short and awaited nothing: each begins alone     | ended, unless `hasLong`
 * Moves      ended      a short job that has awaited nothing: one more towards STEADY; then one more ahead, or, if it took longer than
 *                       `SOON_MS`, half as many as before, and one at least. Any other: `unlike`, which resets that of every module, as their
 *                       jobs share threads: one that is to begin alone would wait for those
 *            drained    none ahead: nothing waits in the store
 *            late       of a timer: a job is not over after `LATE_MS`: reset, and all that have not begun are taken back. As many as
 *                       `concurrency` allows begin again, beside each other; the others go back into the store, for other workers
 * Invariants I1 While more than `concurrency` jobs are here, all but those that began before were sent to begin alone; there are none ahead
 *               while one is here that was not.
 *            I2 None is ahead where the pool has more threads than `concurrency` allows jobs: that many run at most. Looked at whenever a job ends.
 */
import { now, setTimeout } from "./timers.ts";

/** So many short jobs in a row. */
const EVIDENCE = 16;
/** More gain nothing. */
const MOST = 16;
/** From when a job was sent to the pool until its outcome is here, jobs before it included: more go ahead while it is less than this. */
const SOON_MS = 20;
/** With one ahead, twice as long as a job may run. */
const SHORT_MS = 50;
const LATE_MS = 100;

/** A call that was sent to the pool. */
export interface AheadCall {
  /** @returns false: it has begun. */
  takeBack(): boolean;
}

interface Entry {
  readonly sentAt: number;
  readonly isAlone: boolean;
}

export interface LookAheadParts {
  readonly concurrency: number;
  /** How many of the jobs that are here wait for jobs of the cluster: they do not count. */
  readonly waiting: () => number;
  /** How many threads the pool may have now. */
  readonly maxThreads: () => number;
  /** A job was long, or has awaited: resets all. */
  readonly unlike: () => void;
  /** Whether one of all is `hasLong`. */
  readonly hasLong: () => boolean;
  /** `ahead` has changed. */
  readonly changed: () => void;
}

export interface Clock {
  readonly now: () => number;
  /** Calls `look` after so many milliseconds, once. */
  readonly after: (ms: number, look: () => void) => unknown;
}

export class LookAhead {
  readonly #parts: LookAheadParts;
  readonly #clock: Clock;
  readonly #here = new Map<AheadCall, Entry>();
  /** Of those, the ones that may begin beside others. */
  #beside = 0;
  #evidence = 0;
  #ahead = 0;
  #isWatched = false;

  constructor(
    parts: LookAheadParts,
    clock: Clock = { now, after: (ms, look) => setTimeout(look, ms).unref() },
  ) {
    this.#parts = parts;
    this.#clock = clock;
  }

  get ahead(): number {
    return this.#ahead;
  }

  /** Whether one more may be sent that is not ahead. */
  get hasRoom(): boolean {
    const { concurrency, waiting } = this.#parts;
    return this.#here.size < concurrency + waiting();
  }

  /** Whether a job is here that is not short. */
  get hasLong(): boolean {
    const [oldest] = this.#here.values();
    return oldest !== undefined && this.#clock.now() - oldest.sentAt >= SHORT_MS;
  }

  /** Whether the next one has to begin alone. */
  get isAlone(): boolean {
    return this.#evidence >= EVIDENCE || !this.hasRoom;
  }

  sent(call: AheadCall, isAlone: boolean): void {
    this.#here.set(call, { sentAt: this.#clock.now(), isAlone });
    if (isAlone) this.#watch();
    else this.#beside++;
  }

  /** @param isAtOnce Whether its function has awaited nothing. */
  ended(call: AheadCall, isAtOnce: boolean): void {
    const entry = this.#remove(call);
    if (entry === null) return;
    const tookMs = this.#clock.now() - entry.sentAt;
    if (!isAtOnce || tookMs >= SHORT_MS) this.#parts.unlike();
    else if (this.#evidence < EVIDENCE) this.#add();
    else if (tookMs >= SOON_MS) this.#lookUpTo(Math.max(1, this.#ahead >> 1));
    else this.#lookUpTo(Math.min(MOST, this.#ahead + 1));
  }

  drained(): void {
    this.#set(0);
  }

  /** Nothing is known of the jobs that come. */
  reset(): void {
    this.#evidence = 0;
    this.#set(0);
  }

  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#clock.after(LATE_MS, this.#look);
  }

  readonly #look = (): void => {
    this.#isWatched = false;
    const entries = Array.from(this.#here);
    const isLate = entries.some(([, { sentAt }]) => this.#clock.now() - sentAt >= LATE_MS);
    if (isLate) {
      this.reset();
      for (const [call, { isAlone }] of entries) if (isAlone && call.takeBack()) this.#remove(call);
    }
    if (this.#here.size > this.#beside) this.#watch();
  };

  #remove(call: AheadCall): Entry | null {
    const entry = this.#here.get(call);
    if (entry === undefined) return null;
    this.#here.delete(call);
    if (!entry.isAlone) this.#beside--;
    return entry;
  }

  #add(): void {
    if (this.#evidence < EVIDENCE - 1 || !this.#parts.hasLong()) this.#evidence++;
  }

  #lookUpTo(ahead: number): void {
    const { concurrency, maxThreads } = this.#parts;
    if (maxThreads() > concurrency) this.#set(0);
    else if (this.#beside === 0) this.#set(ahead);
  }

  #set(ahead: number): void {
    if (ahead === this.#ahead) return;
    this.#ahead = ahead;
    this.#parts.changed();
  }
}
