import { TaskCompletionSource } from "../task-completion-source.ts";
import { TaskScheduler } from "../task-scheduler.ts";
import type { ScheduledItem } from "../task-scheduler.ts";
import type { Task } from "../task.ts";
import { requireDuration } from "../timer.ts";

interface ManualTimer {
  readonly at: number;
  readonly source: TaskCompletionSource<void>;
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
  readonly #items: ScheduledItem[] = [];
  #timers: ManualTimer[] = [];
  #now = 0;

  /** How many items wait to be run. */
  get pending(): number {
    return this.#items.length;
  }

  /** Milliseconds by which the clock was advanced so far. */
  get now(): number {
    return this.#now;
  }

  queueTask(item: ScheduledItem): void {
    this.#items.push(item);
  }

  /** Runs the oldest item; false when there is none. */
  runOne(): boolean {
    const item = this.#items.shift();
    if (item === undefined) return false;
    this.tryExecuteTask(item);
    return true;
  }

  /** Runs until nothing waits, what the items add included; returns how many ran. */
  runAll(): number {
    let count = 0;
    while (this.runOne()) count++;
    return count;
  }

  /**
   * Completes when this clock has been advanced by `ms`; the continuations become items of this scheduler.
   *
   * @throws TypeError, RangeError when `ms` is not a duration.
   */
  delay(ms: number): Task<void> {
    const at = this.#now + requireDuration("ms", ms);
    const source = new TaskCompletionSource<void>({ continuations: this });
    const later = this.#timers.findIndex((timer) => timer.at > at);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, { at, source });
    return source.task;
  }

  /**
   * Moves the clock by `ms`, stopping at every delay that becomes due, in order; runs everything before the first stop and
   * after each. Returns how many items ran.
   *
   * @throws TypeError, RangeError when `ms` is not a finite duration.
   */
  advance(ms: number): number {
    const end = this.#now + requireDuration("ms", ms);
    let count = this.runAll();
    for (let timer = this.#timers[0]; timer !== undefined && timer.at <= end; timer = this.#timers[0]) {
      this.#timers.shift();
      this.#now = timer.at;
      timer.source.setResult();
      count += this.runAll();
    }
    this.#now = end;
    return count;
  }
}
