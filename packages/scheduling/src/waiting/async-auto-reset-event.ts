import { argumentTypeError } from "@skein/context/errors";
import { isCanceled, requireSignal } from "../cancellation/cancellation-hook.ts";
import { ownOption } from "../own-option.ts";
import type { SignalOptions } from "../task-options.ts";
import { Task } from "../task.ts";
import { WaiterQueue } from "./waiter-queue.ts";
import { continuationsOf } from "./waiting-options.ts";
import type { ContinuationsOption } from "./waiting-options.ts";

export interface AsyncAutoResetEventOptions extends ContinuationsOption {
  /** Whether it is signalled from the beginning. @default false */
  initialState?: boolean | undefined;
}

/**
 * A gate that lets one waiter through per `set()`. Signals do not add up: two `set()` without a waiter are one.
 *
 * @see https://learn.microsoft.com/dotnet/api/microsoft.visualstudio.threading.asyncautoresetevent
 */
export class AsyncAutoResetEvent {
  readonly #waiters: WaiterQueue<void>;
  #isSignalled: boolean;

  /** @throws TypeError for an option of the wrong type. */
  constructor(options?: AsyncAutoResetEventOptions) {
    const initialState = ownOption(options, "initialState") ?? false;
    if (typeof initialState !== "boolean")
      throw argumentTypeError("options.initialState", "a boolean", initialState);
    this.#waiters = new WaiterQueue(continuationsOf(options));
    this.#isSignalled = initialState;
  }

  /** Releases the waiter that came first, or remembers the signal for the next one. */
  set(): void {
    if (!this.#waiters.release(undefined)) this.#isSignalled = true;
  }

  /**
   * Completes at once when there is a signal, which it takes. With a signal or token that has fired it is cancelled, and the
   * event stays signalled (A13.5; AsyncEx would take it).
   */
  waitAsync(options?: SignalOptions): Task<void> {
    const signal = requireSignal(ownOption(options, "signal"));
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    if (!this.#isSignalled) return this.#waiters.add(signal, undefined);
    this.#isSignalled = false;
    return Task.fromResult(undefined);
  }
}
