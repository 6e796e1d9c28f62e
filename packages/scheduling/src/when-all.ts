import { enqueueAsynchronous } from "./asynchronous-queue.ts";
import {
  addContinuation,
  faultsOf,
  markObserved,
  outcomeValue,
  tryCancel,
  tryFaultAll,
  trySucceed,
} from "./task-state.ts";
import type { Continuation, TaskState } from "./task-state.ts";

const none: readonly unknown[] = [];

/**
 * Completes `target` when all tasks have completed, never earlier: with the results in order; with every error of every
 * faulted task; or else cancelled like the first cancelled one (A12.3).
 */
export function whenAllOf(target: TaskState<unknown>, tasks: readonly TaskState<unknown>[]): void {
  // One object counts for all. A task that is listed twice takes it once.
  const pending = new Set<TaskState<unknown>>();
  for (const task of tasks) {
    markObserved(task);
    if (!task.isCompleted) pending.add(task);
  }
  if (pending.size === 0) {
    complete(target, tasks, none);
    return;
  }
  const countdown = new Countdown(target, tasks, pending.size);
  for (const task of pending) addContinuation(task, countdown);
}

class Countdown implements Continuation {
  readonly policy = "inline";
  readonly isAwait = false;
  readonly #target: TaskState<unknown>;
  readonly #tasks: readonly TaskState<unknown>[];
  #left: number;
  /** Of schedulers to which the countdown was given. */
  #failures: readonly unknown[] = none;

  constructor(target: TaskState<unknown>, tasks: readonly TaskState<unknown>[], left: number) {
    this.#target = target;
    this.#tasks = tasks;
    this.#left = left;
  }

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: Countdown = new Countdown(null as never, [], 0);

  invoke(): void {
    this.#left--;
    if (this.#left === 0) complete(this.#target, this.#tasks, this.#failures);
  }

  /** It counts all the same: others may be pending. */
  fail(error: unknown): void {
    this.#failures = [...this.#failures, error];
    enqueueAsynchronous(this);
  }
}

function complete(
  target: TaskState<unknown>,
  tasks: readonly TaskState<unknown>[],
  failures: readonly unknown[],
): void {
  const faults = tasks.filter((task) => task.status === "faulted").flatMap((task) => faultsOf(task));
  faults.push(...failures);
  const canceled = tasks.find((task) => task.status === "canceled");
  if (faults.length > 0) tryFaultAll(target, faults);
  else if (canceled !== undefined) tryCancel(target, outcomeValue(canceled));
  else
    trySucceed(
      target,
      tasks.map((task) => outcomeValue(task)),
    );
}
