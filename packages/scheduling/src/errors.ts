/** The errors of this package: a cancelled wait, a wait that took too long, a scheduler that failed. */

import { SkeinError, nameErrorClass } from "@skein/context/errors";
import { isAbortSignal } from "./cancellation/abort-signal.ts";
import { hasOwn } from "./intrinsics.ts";

export { InvalidOperationError } from "@skein/context/errors";

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

/** The object was disposed of. */
export class ObjectDisposedError extends SkeinError {
  static {
    nameErrorClass(this, "ObjectDisposedError");
  }

  constructor(objectName: string) {
    super("ERR_SKEIN_OBJECT_DISPOSED", `The ${objectName} has been disposed of`);
  }
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

/** An item for another thread that cannot be copied there. Nothing was added. */
export class NotCloneableError extends SkeinError {
  static {
    nameErrorClass(this, "NotCloneableError");
  }

  /** Where the value is: `item`. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super("ERR_SKEIN_NOT_CLONEABLE", `${path} ${problem}`, options);
    this.path = path;
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

/**
 * The error with which a wait ends after it was cancelled. By an AbortSignal: its reason itself when that is an Error,
 * otherwise an OperationCanceledError around it. By a token: always an OperationCanceledError that carries it.
 */
export function cancellationError(by: CancellationCause | undefined): unknown {
  if (by === undefined) return new OperationCanceledError();
  if (!isAbortSignal(by)) return canceledBy(by);
  if (!by.aborted) return new OperationCanceledError(undefined, { token: by });
  const reason: unknown = by.reason;
  return reason instanceof Error ? reason : new OperationCanceledError(undefined, { token: by, reason });
}

/** The reason is kept untouched; an Error among reasons is the cause as well. */
export function canceledBy(token: CanceledBy): OperationCanceledError {
  const { reason } = token;
  if (reason instanceof OperationCanceledError && reason.token === token) return reason;
  return new OperationCanceledError(
    undefined,
    reason instanceof Error ? { token, reason, cause: reason } : { token, reason },
  );
}

/** Whether `error` says that `by` was obeyed: its own reason, or an OperationCanceledError that names it. */
export function isCancellationBy(error: unknown, by: CancellationCause | undefined): boolean {
  if (by === undefined) return false;
  const isRequested = isAbortSignal(by) ? by.aborted : by.isCancellationRequested;
  if (!isRequested) return false;
  if (error instanceof OperationCanceledError && error.token === by) return true;
  return error instanceof Error && error === by.reason;
}
