/**
 * Errors of `@skein/scheduling`, which exports them. They are here because errors keep their class between threads, and most threads of a pool have no
 * other use for that package.
 */
import { hasOwn } from "./intrinsics.ts";
import { nameErrorClass, SkeinError } from "./skein-error.ts";

/** What an error tells of the token that asked for the cancellation. Tokens are compared by identity. */
export interface CanceledBy {
  readonly isCancellationRequested: boolean;
  readonly reason: unknown;
}

/** What can ask for cancellation. */
export type CancellationCause = AbortSignal | CanceledBy;

/**
 * The operation was cancelled. Its `name` is `"AbortError"`, so that code written for AbortSignal recognises it.
 *
 * A cancelled task is not a failed task: it never raises `unhandledRejection`.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.operationcanceledexception
 */
export class OperationCanceledError extends SkeinError {
  static {
    nameErrorClass(this, "OperationCanceledError", "AbortError");
  }

  /** The token or signal that asked for it, when there was one. */
  readonly token: CancellationCause | undefined;
  /** What the caller gave as the reason, untouched. */
  readonly reason: unknown;

  constructor(message: string = "The operation was canceled", options: OperationCanceledErrorOptions = {}) {
    super(
      "ERR_SKEIN_OPERATION_CANCELED",
      message,
      hasOwn(options, "cause") ? { cause: options.cause } : undefined,
    );
    this.token = options.token;
    this.reason = options.reason;
  }
}

export interface OperationCanceledErrorOptions {
  token?: CancellationCause | undefined;
  reason?: unknown;
  cause?: unknown;
}

/** The time given for an operation ran out. The operation itself may still be running. */
export class TimeoutError extends SkeinError {
  static {
    nameErrorClass(this, "TimeoutError");
  }

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
  static {
    nameErrorClass(this, "TaskSchedulerError");
  }

  constructor(cause: unknown) {
    super("ERR_SKEIN_TASK_SCHEDULER", "A TaskScheduler failed to take a work item", { cause });
  }
}
