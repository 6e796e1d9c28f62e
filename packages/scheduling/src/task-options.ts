import type { CancellationSignal } from "./cancellation/cancellation-hook.ts";
import type { ContinuationPolicy } from "./continuation-policy.ts";
import type { ContinueOn } from "./continue-with.ts";

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
