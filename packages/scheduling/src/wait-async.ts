/** A wait for a task that can end before the task does, by a signal or by time (A12.1). */

import type { Abortable } from "./cancellation/abort-listener.ts";
import { hookCancellation, isCanceled } from "./cancellation/cancellation-hook.ts";
import type { CancellationHook, CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { TimeoutError, cancellationError } from "./errors.ts";
import type { CancellationCause } from "./errors.ts";
import {
  addContinuation,
  demandQueue,
  markObserved,
  removeContinuation,
  tryCancel,
  tryCopyOutcome,
  tryFault,
} from "./task-state.ts";
import type { Continuation, TaskState } from "./task-state.ts";
import { startTimer, stopTimer } from "./timers.ts";
import type { Timer } from "./timers.ts";

/**
 * Ends `target` with the first of: the task's outcome, the signal, the time. Whatever ends it releases the other two:
 * a wait leaves nothing behind on a task or signal that lives long (0.11).
 */
export function waitFor(
  target: TaskState<unknown>,
  source: TaskState<unknown>,
  signal: CancellationSignal | undefined,
  timeoutMs: number,
): void {
  // Giving up is a decision: what the task does afterwards is no unhandled rejection.
  markObserved(source);
  if (isCanceled(signal)) tryCancel(target, cancellationError(signal));
  else if (timeoutMs === 0) tryFault(target, new TimeoutError());
  else {
    const wait = new Wait(target, source, signal, timeoutMs);
    if (!target.isCompleted) addContinuation(source, wait);
  }
}

class Wait implements Continuation, Abortable {
  readonly policy = "inline";
  readonly isAwait = false;
  readonly #target: TaskState<unknown>;
  readonly #source: TaskState<unknown>;
  readonly #listener: CancellationHook | undefined;
  readonly #timer: Timer | undefined;

  constructor(
    target: TaskState<unknown>,
    source: TaskState<unknown>,
    signal: CancellationSignal | undefined,
    timeoutMs: number,
  ) {
    this.#target = target;
    this.#source = source;
    // A `setTimeout` of somebody's may throw: then nothing has been attached.
    this.#timer = timeoutMs === Infinity ? undefined : startTimer(Wait.#onTime, timeoutMs, this);
    // Or calls back at once: then there is nothing left to wait for.
    const isOver = signal === undefined || target.isCompleted;
    try {
      this.#listener = isOver ? undefined : hookCancellation(signal, this);
    } catch (error) {
      stopTimer(this.#timer);
      throw error;
    }
  }

  invoke(): void {
    this.#release();
    tryCopyOutcome(this.#target, this.#source);
  }

  fail(error: unknown): void {
    this.#release();
    tryFault(this.#target, error);
  }

  onAbort(by: CancellationCause): void {
    this.#release();
    // The waiter's code must not run inside abort().
    demandQueue(this.#target);
    tryCancel(this.#target, cancellationError(by));
  }

  static #onTime(this: void, wait: Wait): void {
    wait.#release();
    tryFault(wait.#target, new TimeoutError());
  }

  #release(): void {
    removeContinuation(this.#source, this);
    this.#listener?.remove();
    stopTimer(this.#timer);
  }
}
