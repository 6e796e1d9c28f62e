/** The errors of this package: a cancelled wait, a wait that took too long, a scheduler that failed. */

import { SkeinError } from "@skein/context/errors";

export { InvalidOperationError } from "@skein/context/errors";

/**
 * The operation was cancelled. Its `name` is `"AbortError"`, so that code written for AbortSignal recognises it.
 *
 * A cancelled task is not a failed task: it never raises `unhandledRejection`.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.operationcanceledexception
 */
export class OperationCanceledError extends SkeinError {
  /** The signal that asked for it, when there was one. */
  readonly token: AbortSignal | undefined;
  /** What the caller gave as the reason, untouched. */
  readonly reason: unknown;

  constructor(message: string = "The operation was canceled", options: OperationCanceledErrorOptions = {}) {
    super("ERR_SKEIN_OPERATION_CANCELED", message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "AbortError";
    this.token = options.token;
    this.reason = options.reason;
  }
}

export interface OperationCanceledErrorOptions {
  token?: AbortSignal | undefined;
  reason?: unknown;
  cause?: unknown;
}

/** The time given for an operation ran out. The operation itself may still be running. */
export class TimeoutError extends SkeinError {
  constructor(message: string = "The operation has timed out", options?: ErrorOptions) {
    super("ERR_SKEIN_TIMEOUT", message, options);
  }
}

/**
 * A TaskScheduler threw, or broke its contract, while it was given a continuation; `cause` is what it threw.
 *
 * The waiting task fails with this error; whoever completed the task before it does not see it.
 */
export class TaskSchedulerError extends SkeinError {
  constructor(cause: unknown) {
    super("ERR_SKEIN_TASK_SCHEDULER", "A TaskScheduler failed to take a work item", { cause });
  }
}

/**
 * The error with which a wait ends after `signal` fired: the signal's reason itself when it is an Error,
 * otherwise an OperationCanceledError around it.
 */
export function cancellationError(signal: AbortSignal | undefined): unknown {
  if (signal === undefined || !signal.aborted)
    return new OperationCanceledError(undefined, { token: signal });
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new OperationCanceledError(undefined, { token: signal, reason });
}

/** Whether `error` says that `signal` was obeyed: its own reason, or an OperationCanceledError that names it. */
export function isCancellationBy(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal === undefined || !signal.aborted) return false;
  if (error instanceof OperationCanceledError && error.token === signal) return true;
  return error instanceof Error && error === signal.reason;
}
