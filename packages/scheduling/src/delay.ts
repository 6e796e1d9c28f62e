import type { Abortable } from "./cancellation/abort-listener.ts";
import { hookCancellation, isCanceled } from "./cancellation/cancellation-hook.ts";
import type { CancellationHook, CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { cancellationError } from "./errors.ts";
import type { CancellationCause } from "./errors.ts";
import { demandQueue, tryCancel, trySucceed } from "./task-state.ts";
import type { TaskState } from "./task-state.ts";
import { startTimer, stopTimer } from "./timers.ts";
import type { Timer } from "./timers.ts";

/** Completes `target` after a time, or cancels it when the signal fires first; then timer and listener are gone (A12.2). */
export function delayFor(
  target: TaskState<unknown>,
  ms: number,
  signal: CancellationSignal | undefined,
): void {
  if (isCanceled(signal)) tryCancel(target, cancellationError(signal));
  else if (ms === 0) trySucceed(target, undefined);
  else void new Delay(target, ms, signal);
}

class Delay implements Abortable {
  readonly #target: TaskState<unknown>;
  readonly #listener: CancellationHook | undefined;
  readonly #timer: Timer | undefined;

  constructor(target: TaskState<unknown>, ms: number, signal: CancellationSignal | undefined) {
    this.#target = target;
    // A `setTimeout` of somebody's may throw: then nothing has been attached.
    this.#timer = ms === Infinity ? undefined : startTimer(Delay.#onTime, ms, this);
    // Or calls back at once: then there is nothing left to cancel.
    const isOver = signal === undefined || target.isCompleted;
    try {
      this.#listener = isOver ? undefined : hookCancellation(signal, this);
    } catch (error) {
      stopTimer(this.#timer);
      throw error;
    }
  }

  onAbort(by: CancellationCause): void {
    stopTimer(this.#timer);
    demandQueue(this.#target);
    tryCancel(this.#target, cancellationError(by));
  }

  static #onTime(this: void, delay: Delay): void {
    delay.#listener?.remove();
    trySucceed(delay.#target, undefined);
  }
}
