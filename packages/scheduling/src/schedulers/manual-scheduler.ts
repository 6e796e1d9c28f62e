import { AsyncScope } from "@skein/context";
import {
  InvalidOperationError,
  argumentRangeError,
  argumentTypeError,
  requireFunction,
} from "@skein/context/errors";
import { hookCancellation, isCanceled } from "../cancellation/cancellation-hook.ts";
import { ItemQueue } from "../item-queue.ts";
import { SynchronizationContext } from "../contexts/synchronization-context.ts";
import { TaskCompletionSource } from "../task-completion-source.ts";
import { signalOf } from "../task-options.ts";
import type { SignalOptions } from "../task-options.ts";
import { TaskScheduler, schedule } from "../task-scheduler.ts";
import type { ScheduledItem } from "../task-scheduler.ts";
import { Task } from "../task.ts";
import { requireDuration } from "../durations.ts";
import { reportUncaught } from "../uncaught.ts";

interface ManualTimer {
  readonly at: number;
  readonly source: TaskCompletionSource<void>;
  release?: () => void;
}

/**
 * Runs nothing by itself: each item runs when a test says so, in the order of arrival. It has a clock of its own, which
 * stands still until it is advanced.
 *
 * @example
 * const scheduler = new ManualScheduler();
 * const source = new TaskCompletionSource<number>({ continuations: scheduler });
 * source.task.then(record);
 * source.setResult(1); // nothing recorded yet
 * scheduler.runAll();
 */
export class ManualScheduler extends TaskScheduler {
  readonly #items = new ItemQueue<ScheduledItem>();
  #timers: ManualTimer[] = [];
  #now = 0;
  #context: SynchronizationContext | undefined;

  /** How many items wait to be run. */
  get pending(): number {
    return this.#items.size;
  }

  /** Milliseconds by which the clock was advanced so far. */
  get now(): number {
    return this.#now;
  }

  queueTask(item: ScheduledItem): void {
    this.#items.add(item);
  }

  /** Runs the oldest item; false when there is none. */
  runOne(): boolean {
    if (this.#items.size === 0) return false;
    this.tryExecuteTask(this.#items.take());
    return true;
  }

  /** Runs until nothing waits, what the items add included; returns how many ran. */
  runAll(): number {
    let count = 0;
    while (this.runOne()) count++;
    return count;
  }

  /**
   * Runs what waits, and moves the clock from delay to delay, until `task` has completed; then gives its result, or throws its
   * error.
   *
   * @throws InvalidOperationError when nothing is left to run and the task is still pending.
   */
  runUntil<T>(task: Task<T>): T {
    for (;;) {
      while (!task.isCompleted && this.runOne());
      if (task.isCompleted) return task.result;
      const timer = this.#timers[0];
      if (timer === undefined)
        throw new InvalidOperationError("Nothing is left to run that could complete the task");
      this.advance(timer.at - this.#now);
    }
  }

  /** A SynchronizationContext whose posts become items of this scheduler; always the same. */
  get synchronizationContext(): SynchronizationContext {
    return (this.#context ??= new ManualContext(this));
  }

  /**
   * Completes when this clock has been advanced by `ms`; the continuations become items of this scheduler.
   *
   * @throws TypeError, RangeError for an argument of the wrong type or range.
   */
  delay(ms: number, options?: SignalOptions): Task<void> {
    const duration = requireDuration("ms", ms);
    const signal = signalOf(options);
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    const source = new TaskCompletionSource<void>({ continuations: this });
    const timer: ManualTimer = { at: this.#now + duration, source };
    // First this, for a signal of somebody's may throw.
    if (signal !== undefined) {
      const onAbort = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        source.trySetCanceled(signal);
      };
      const hook = hookCancellation(signal, { onAbort });
      timer.release = () => hook.remove();
    }
    // One without end never becomes due, and nobody can move the clock to it.
    if (duration !== Infinity && !source.task.isCompleted) {
      const later = this.#timers.findIndex((other) => other.at > timer.at);
      this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    }
    return source.task;
  }

  /**
   * Moves the clock by `ms`, stopping at every delay that becomes due, in order; runs everything before the first stop and
   * after each. Returns how many items ran.
   *
   * @throws TypeError when `ms` is not a number, RangeError when it is negative, NaN or infinite.
   */
  advance(ms: number): number {
    const end = this.#now + requireStep(ms);
    let count = this.runAll();
    for (let timer = this.#timers[0]; timer !== undefined && timer.at <= end; timer = this.#timers[0]) {
      this.#timers.shift();
      this.#now = timer.at;
      timer.release?.();
      timer.source.setResult();
      count += this.runAll();
    }
    // An item may have moved the clock further.
    this.#now = Math.max(this.#now, end);
    return count;
  }
}

/** A clock goes forward, and arrives somewhere. */
function requireStep(ms: unknown): number {
  if (typeof ms !== "number") throw argumentTypeError("ms", "a number of milliseconds", ms);
  if (ms >= 0 && ms < Infinity) return ms;
  throw argumentRangeError("ms", "a finite number of milliseconds, 0 or more", ms);
}

class ManualContext extends SynchronizationContext {
  readonly #scheduler: ManualScheduler;

  constructor(scheduler: ManualScheduler) {
    super();
    this.#scheduler = scheduler;
  }

  override post<S>(callback: (state: S) => void, state: S): void {
    requireFunction("callback", callback);
    const scope = new AsyncScope();
    const run = (): void => scope.runOnce(callback, state);
    const invoke = (): void => SynchronizationContext.run(this, run);
    schedule(this.#scheduler, { invoke, fail: reportUncaught }, false);
  }
}
