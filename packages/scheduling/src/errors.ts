/** The errors of this package: a cancelled wait, a wait that took too long, a scheduler that failed. */

import { isError, nameErrorClass, SkeinError } from "@skein/context/errors";
import { type CanceledBy, type CancellationCause, OperationCanceledError } from "@skein/context/internal";
import { isAbortSignal } from "./cancellation/abort-signal.ts";

export { InvalidOperationError } from "@skein/context/errors";
export {
  type CanceledBy,
  type CancellationCause,
  OperationCanceledError,
  type OperationCanceledErrorOptions,
  TaskSchedulerError,
  TimeoutError,
} from "@skein/context/internal";

/** The object was disposed of. */
export class ObjectDisposedError extends SkeinError {
  static {
    nameErrorClass(this, "ObjectDisposedError");
  }

  constructor(objectName: string) {
    super("ERR_SKEIN_OBJECT_DISPOSED", `The ${objectName} has been disposed of`);
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
 * The error with which a wait ends after it was cancelled. By an AbortSignal: its reason itself when that is an Error,
 * otherwise an OperationCanceledError around it. By a token: always an OperationCanceledError that carries it.
 */
export function cancellationError(by: CancellationCause | undefined): unknown {
  if (by === undefined) return new OperationCanceledError();
  if (!isAbortSignal(by)) return canceledBy(by);
  if (!by.aborted) return new OperationCanceledError(undefined, { token: by });
  const reason: unknown = by.reason;
  return isError(reason) ? reason : new OperationCanceledError(undefined, { token: by, reason });
}

/** The reason is kept untouched; an Error among reasons is the cause as well. */
export function canceledBy(token: CanceledBy): OperationCanceledError {
  const { reason } = token;
  if (reason instanceof OperationCanceledError && reason.token === token) return reason;
  return new OperationCanceledError(
    undefined,
    isError(reason) ? { token, reason, cause: reason } : { token, reason },
  );
}

/**
 * What cancels an operation whose code threw `error`, if that says that `by` was obeyed: the error itself, when it is the reason or an
 * OperationCanceledError that names `by`; an OperationCanceledError around a reason that is no Error. Otherwise undefined.
 */
export function cancellationBy(by: CancellationCause | undefined, error: unknown): unknown {
  if (by === undefined || error === undefined) return undefined;
  const isRequested = isAbortSignal(by) ? by.aborted : by.isCancellationRequested;
  if (!isRequested) return undefined;
  if (error instanceof OperationCanceledError && error.token === by) return error;
  if (error !== by.reason) return undefined;
  return isError(error) ? error : cancellationError(by);
}
