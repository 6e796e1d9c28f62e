import { addContinuation, markObserved, removeContinuation, tryFault, trySucceed } from "./task-state.ts";
import type { Continuation, TaskState } from "./task-state.ts";

/**
 * Completes `target` with the first task that completes, whatever its outcome; of several that have completed already with
 * the first in order. Nothing stays attached to the losers (A12.4).
 */
export function whenAnyOf(target: TaskState<unknown>, tasks: readonly TaskState<unknown>[]): void {
  const winner = tasks.find((task) => task.isCompleted);
  if (winner !== undefined) {
    announce(target, winner);
    return;
  }
  const runners: Runner[] = [];
  for (const task of tasks) {
    const runner = new Runner(target, task, runners);
    runners.push(runner);
    addContinuation(task, runner);
  }
}

class Runner implements Continuation {
  readonly policy = "inline";
  readonly isAwait = false;
  readonly #target: TaskState<unknown>;
  readonly #task: TaskState<unknown>;
  readonly #all: readonly Runner[];

  constructor(target: TaskState<unknown>, task: TaskState<unknown>, all: readonly Runner[]) {
    this.#target = target;
    this.#task = task;
    this.#all = all;
  }

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: Runner = new Runner(null as never, null as never, []);

  invoke(): void {
    if (this.#target.isCompleted) return;
    this.#detachAll();
    announce(this.#target, this.#task);
  }

  fail(error: unknown): void {
    this.#detachAll();
    tryFault(this.#target, error);
  }

  #detachAll(): void {
    for (const runner of this.#all) removeContinuation(runner.#task, runner);
  }
}

/** The winner is in somebody's hands from here on: its fault is theirs to look at. */
function announce(target: TaskState<unknown>, winner: TaskState<unknown>): void {
  markObserved(winner);
  trySucceed(target, winner);
}
