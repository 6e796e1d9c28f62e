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

export interface AsyncManualResetEventOptions extends ContinuationsOption {
  /** Whether it is set from the beginning. @default false */
  initialState?: boolean | undefined;
}

const knownOptions: OptionNames<AsyncManualResetEventOptions> = { continuations: true, initialState: true };

/** A gate that is open from `set()` until `reset()`: whoever waits meanwhile goes through at once. */
export class AsyncManualResetEvent {
  readonly #waiters: WaiterQueue<void>;
  #isSet: boolean;

  /** @throws TypeError for an option of the wrong type. */
  constructor(options?: AsyncManualResetEventOptions) {
    checkOptions(options, knownOptions);
    const initialState = ownOption(options, "initialState") ?? false;
    if (typeof initialState !== "boolean")
      throw argumentTypeError("options.initialState", "a boolean", initialState);
    this.#waiters = new WaiterQueue(continuationsOf(options));
    this.#isSet = initialState;
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  /** Releases all who wait, in order. One who resets and waits again meanwhile waits for the next time. */
  set(): void {
    if (this.#isSet) return;
    this.#isSet = true;
    this.#waiters.releaseAll(undefined);
  }

  reset(): void {
    this.#isSet = false;
  }

  /** Cancelled when the signal or token has fired, also while the event is set. */
  waitAsync(options?: SignalOptions): Task<void> {
    const signal = signalOf(options);
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    return this.#isSet ? Task.fromResult(undefined) : this.#waiters.add(signal, undefined);
  }
}
