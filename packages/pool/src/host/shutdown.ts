/**
 * How a pool ends, in steps. A later `close` can only ask for more: to drop what waits, or for an earlier deadline.
 *
 *   1 refuse   the host accepts no job any more
 *   2 drop     only with `drain: false`: what waits fails, what runs is asked to stop; each thread does the same with the jobs of its jobs
 *   3 drain    until no job is outstanding, whoever submitted it, and no thread runs one whose submitter has died
 *   4 deadline only if 3 takes too long: what is outstanding fails at once, and the threads are terminated
 *   5 end      threads call `dispose` of their initialize module and run their exit handlers. Who has done neither a moment later is
 *              terminated; who disposes has time until the deadline, or for `disposeLimitMs`. Who does not even end then, because it is in
 *              a native call, is left behind: it keeps neither `close` nor the process waiting
 */
import { Promise, promiseThen } from "../shared/intrinsics.ts";
import { AsyncScope } from "@skein/context";
import { clearTimeout, now as clockNow, setTimeout } from "../shared/timers.ts";
import type { PoolThread } from "./pool-thread.ts";

/** For a thread that is busy with a job its caller gave up, or with code of its own, when the pool closes. */
const CLOSE_GRACE_MS = 500;
/** For a thread that was terminated: it ends in milliseconds, on a busy machine a little later, or is in a call that cannot be interrupted. */
const LOST_AFTER_MS = 2000;
/** The same once the deadline has passed: the caller has said how long the end may take. */
const LOST_AFTER_DEADLINE_MS = 250;
/** How often step 3 looks for jobs of jobs, of which nobody tells the host. */
const LOOK_MS = 2;

/** What the host does in each step. */
export interface ShutdownSteps {
  refuse(): void;
  drop(): void;
  /** Whether jobs of the host are outstanding: `wake` is called when none is. */
  isOutstanding(): boolean;
  /** Whether no job of any thread is outstanding. */
  isQuiet(): boolean;
  deadline(): void;
  /** Threads that have not ended, without those that were given up. */
  threads(): readonly PoolThread[];
  /** All have ended, or were left behind. */
  over(): void;
}

export class Shutdown {
  readonly #steps: ShutdownSteps;
  #over: Promise<void> | null = null;
  hasBegun = false;
  #isDropped = false;
  #deadlineAt = Infinity;
  #deadlineTimer: NodeJS.Timeout | null = null;
  #wake: (() => void) | null = null;
  /** Whether the deadline has passed. */
  isPastDeadline = false;
  readonly #disposeLimitMs: number;
  /** Whether step 5 is over: there is no deadline to keep any more. */
  #isOver = false;

  /** @param disposeLimitMs How long a thread may take for `dispose`. */
  constructor(disposeLimitMs: number, steps: ShutdownSteps) {
    this.#disposeLimitMs = disposeLimitMs;
    this.#steps = steps;
  }

  /** Every call returns the same promise. */
  begin(drain: boolean, timeoutMs: number | undefined): Promise<void> {
    this.hasBegun = true;
    this.#steps.refuse();
    if (timeoutMs !== undefined) this.#setDeadline(timeoutMs);
    if (!drain && !this.#isDropped) {
      this.#isDropped = true;
      this.#steps.drop();
    }
    this.#over ??= AsyncScope.root.run(() => this.#run());
    return this.#over;
  }

  /** No job of the host is outstanding. */
  wake(): void {
    this.#wake?.();
  }

  #setDeadline(timeoutMs: number): void {
    const at = clockNow() + timeoutMs;
    if (at >= this.#deadlineAt || this.isPastDeadline || this.#isOver) return;
    this.#deadlineAt = at;
    if (this.#deadlineTimer !== null) clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = AsyncScope.root.run(setTimeout, this.#onDeadline, timeoutMs);
  }

  readonly #onDeadline = (): void => {
    this.#deadlineTimer = null;
    this.isPastDeadline = true;
    this.#steps.deadline();
    this.wake();
  };

  async #run(): Promise<void> {
    while (!this.isPastDeadline && !this.#steps.isQuiet()) await this.#change();
    await this.#endThreads();
    this.#isOver = true;
    if (this.#deadlineTimer !== null) clearTimeout(this.#deadlineTimer);
    this.#steps.over();
  }

  /** Until the host has no job any more; then, while others have, for a moment. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#steps.isOutstanding() ? null : setTimeout(() => this.wake(), LOOK_MS);
      this.#wake = () => {
        this.#wake = null;
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
  }

  async #endThreads(): Promise<void> {
    const threads = this.#steps.threads();
    const ended = Promise.all(threads.map((thread) => thread.ended));
    for (const thread of threads) {
      thread.ref();
      thread.post({ type: "close" });
    }
    if (await this.#endInTime(CLOSE_GRACE_MS, ended)) return;
    for (const thread of threads) if (!thread.isDisposing) thread.terminate();
    const isDisposing = threads.some((thread) => thread.isDisposing && !thread.hasEnded);
    if (isDisposing && (await this.#endInTime(this.#disposeLimitMs, ended))) return;
    for (const thread of threads) thread.terminate();
    if (await within(this.isPastDeadline ? LOST_AFTER_DEADLINE_MS : LOST_AFTER_MS, ended)) return;
    for (const thread of threads) thread.unref();
  }

  /** @returns whether the threads have ended within `ms`, and before the deadline. */
  async #endInTime(ms: number, ended: Promise<unknown>): Promise<boolean> {
    if (this.isPastDeadline) return false;
    const deadline = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const isOver = await within(ms, Promise.race([ended, deadline]));
    return isOver && !this.isPastDeadline;
  }
}

async function within(ms: number, done: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, ms, false);
      promiseThen(done, () => resolve(true));
    });
  } finally {
    clearTimeout(timer);
  }
}
