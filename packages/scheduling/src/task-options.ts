import type { OptionNames } from "@skein/context/errors";
import { requireSignal } from "./cancellation/cancellation-hook.ts";
import type { CancellationSignal } from "./cancellation/cancellation-hook.ts";
import type { ContinuationPolicy } from "./continuation-policy.ts";
import type { ContinueOn } from "./continue-with.ts";
import { checkOptions, ownOption } from "./own-option.ts";

export interface SignalOptions {
  /**
   * Ends the wait: by an AbortSignal with its reason when that is an Error, else with an OperationCanceledError; by a token
   * always with an OperationCanceledError that carries it.
   */
  signal?: CancellationSignal | undefined;
}

export interface ContinueWithOptions extends SignalOptions {
  /** Where the continuation runs. @default "asynchronous" */
  policy?: ContinuationPolicy | undefined;
  /** The outcome for which it runs; for any other it is cancelled. @default "any" */
  on?: ContinueOn | undefined;
}

export interface WaitOptions extends SignalOptions {
  /** From 0 to 2147483647 milliseconds; -1 and Infinity wait without end. @default Infinity */
  timeoutMs?: number | undefined;
}

export interface FromEventOptions extends SignalOptions {
  /** The event that faults the task. @default "error" for an EventEmitter, none for an EventTarget */
  errorEvent?: string | symbol | undefined;
}

const signalOptions: OptionNames<SignalOptions> = { signal: true };

/**
 * The signal of options that have no other.
 *
 * @throws TypeError for an unknown option, or for what is neither an AbortSignal nor a CancellationToken.
 */
export function signalOf(options: SignalOptions | undefined): CancellationSignal | undefined {
  checkOptions(options, signalOptions);
  return requireSignal(ownOption(options, "signal"));
}
