import { argumentTypeError } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { isCanceled } from "../cancellation/cancellation-hook.ts";
import { checkOptions, ownOption } from "../own-option.ts";
import { signalOf } from "../task-options.ts";
import type { SignalOptions } from "../task-options.ts";
import { Task } from "../task.ts";
import { WaiterQueue } from "./waiter-queue.ts";
import { continuationsOf } from "./waiting-options.ts";
import type { ContinuationsOption } from "./waiting-options.ts";

export interface AsyncAutoResetEventOptions extends ContinuationsOption {
  /** Whether it is signalled from the beginning. @default false */
  initialState?: boolean | undefined;
}

const knownOptions: OptionNames<AsyncAutoResetEventOptions> = { continuations: true, initialState: true };

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
    checkOptions(options, knownOptions);
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
    const signal = signalOf(options);
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    if (!this.#isSignalled) return this.#waiters.add(signal, undefined);
    this.#isSignalled = false;
    return Task.fromResult(undefined);
  }
}
