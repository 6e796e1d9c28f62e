import { Promise } from "./intrinsics.ts";
import { argumentTypeError, InvalidOperationError, isError } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { requireSignal } from "./cancellation/cancellation-hook.ts";
import type { CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { requirePolicy } from "./continuation-policy.ts";
import type { ContinuationPolicy } from "./continuation-policy.ts";
import { cancellationError } from "./errors.ts";
import { checkOptions, ownOption } from "./own-option.ts";
import { isTask, tryCancel, tryCopyOutcome, tryFault, tryFaultAll, trySucceed } from "./task-state.ts";
import { Task, createTask } from "./task.ts";

export interface TaskCompletionSourceOptions {
  /** Where continuations of the task run. @default "asynchronous" */
  continuations?: ContinuationPolicy | undefined;
}

const knownOptions: OptionNames<TaskCompletionSourceOptions> = { continuations: true };

/**
 * Completes a task by hand: the first of `set…` and `trySet…` decides, later ones throw or return false.
 *
 * With policy `"inline"` a continuation runs before `set…` returns. The source captures no context:
 * each awaiter resumes in its own.
 *
 * @example
 * const source = new TaskCompletionSource<string>();
 * socket.once("data", (chunk) => source.trySetResult(String(chunk)));
 * const line = await source.task;
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.taskcompletionsource-1
 */
export class TaskCompletionSource<T> {
  readonly task: Task<T>;

  /** @throws TypeError when `continuations` is not a policy. */
  constructor(options?: TaskCompletionSourceOptions) {
    this.task = createTask<T>(options === undefined ? "asynchronous" : continuationsOf(options));
  }

  /**
   * @throws InvalidOperationError when the task has completed.
   * @throws TypeError when `result` is a Task or a promise: see `setFromTask`.
   */
  setResult(result: T): void {
    if (!this.trySetResult(result)) throw alreadyCompleted();
  }

  /**
   * Faults the task; an array gives it several errors, in order. An OperationCanceledError faults it as well.
   *
   * @throws InvalidOperationError when the task has completed.
   * @throws TypeError for null, undefined, an empty array, or an array that holds null or undefined.
   */
  setError(error: unknown): void {
    if (!this.trySetError(error)) throw alreadyCompleted();
  }

  /**
   * Cancels the task. Waiters get a signal's reason if it has fired with an Error, or the given error itself, otherwise an
   * OperationCanceledError. The token or signal need not have fired.
   *
   * @throws InvalidOperationError when the task has completed.
   */
  setCanceled(by?: CancellationSignal | Error): void {
    if (!this.trySetCanceled(by)) throw alreadyCompleted();
  }

  /**
   * Takes over the outcome of a completed task, with all its errors.
   *
   * @throws InvalidOperationError when this task has completed.
   * @throws TypeError when `task` is not a Task, or is pending.
   */
  setFromTask(task: Task<T>): void {
    if (!this.trySetFromTask(task)) throw alreadyCompleted();
  }

  /** @throws TypeError when `result` is a Task or a promise. */
  trySetResult(result: T): boolean {
    return giveResult(this.task, result);
  }

  /** @throws TypeError as `setError` does. */
  trySetError(error: unknown): boolean {
    return giveError(this.task, error);
  }

  trySetCanceled(by?: CancellationSignal | Error): boolean {
    return giveCanceled(this.task, by);
  }

  /** @throws TypeError when `task` is not a Task, or is pending: even if this task has completed. */
  trySetFromTask(task: Task<T>): boolean {
    if (!isTask(task)) throw argumentTypeError("task", "a Task", task);
    if (!task.isCompleted) throw argumentTypeError("task", "a completed Task", task.status);
    return tryCopyOutcome(this.task, Task.from<unknown>(task));
  }
}

// The same for whoever has a task and no source of it: jobs of the pool.

/** As {@link TaskCompletionSource.trySetResult}. */
export function giveResult<T>(task: Task<T>, result: T): boolean {
  if (typeof result === "object" && result !== null && (isTask(result) || isPromise(result))) {
    throw argumentTypeError("result", "a plain value (use setFromTask)", result);
  }
  return trySucceed(task, result);
}

// A Proxy that was revoked is a value like others: it must not throw in these.

function isPromise(value: object): boolean {
  try {
    return value instanceof Promise;
  } catch {
    return false;
  }
}

function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** As {@link TaskCompletionSource.trySetError}. */
export function giveError(task: Task<unknown>, error: unknown): boolean {
  if (error === null || error === undefined) throw argumentTypeError("error", "an error", error);
  if (!isList(error)) return tryFault(task, error);
  const errors: readonly unknown[] = [...error];
  if (errors.length === 0 || errors.some((one) => one === null || one === undefined)) {
    throw argumentTypeError("error", "a list of at least one error, without null", error);
  }
  return tryFaultAll(task, errors);
}

/** As {@link TaskCompletionSource.trySetCanceled}. */
export function giveCanceled(task: Task<unknown>, by?: CancellationSignal | Error): boolean {
  if (isError(by)) return tryCancel(task, by);
  return tryCancel(task, cancellationError(requireSignal(by, "by")));
}

/** The options that were read last: a program has one object of them, and makes sources by the million. */
let lastOptions: TaskCompletionSourceOptions | undefined;
let lastPolicy: ContinuationPolicy | undefined;

function continuationsOf(options: TaskCompletionSourceOptions): ContinuationPolicy {
  if (options === lastOptions && options.continuations === lastPolicy && lastPolicy !== undefined)
    return lastPolicy;
  checkOptions(options, knownOptions);
  const own = ownOption(options, "continuations");
  const policy = own === undefined ? "asynchronous" : requirePolicy("options.continuations", own);
  // A scheduler is not kept alive by this.
  if (typeof own === "string") {
    lastOptions = options;
    lastPolicy = policy;
  }
  return policy;
}

function alreadyCompleted(): InvalidOperationError {
  return new InvalidOperationError("The task has already completed");
}
