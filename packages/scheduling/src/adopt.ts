/** Making a task end as something else does: a task, a promise, any thenable, or a plain value. */

import { AsyncScope } from "@skein/context";
import { enqueueAsynchronous } from "./asynchronous-queue.ts";
import { awaiter, flowOnCompleted, isAwaitable, requireAwaiter } from "./awaiting/awaiter.ts";
import type { Awaitable } from "./awaiting/awaiter.ts";
import { OneInvocation, invokeOnce } from "./awaiting/one-invocation.ts";
import type { CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { OperationCanceledError, cancellationBy } from "./errors.ts";
import {
  addContinuation,
  isOwnTask,
  isTask,
  markObserved,
  tryCancel,
  tryCopyOutcome,
  tryFault,
  tryFaultAll,
  trySucceed,
} from "./task-state.ts";
import type { Continuation, TaskState } from "./task-state.ts";

/**
 * Completes `target` with a value, or ties it to the task or thenable that the value is (A12.6).
 *
 * @param signal the operation's own signal: an error that obeys it cancels.
 */
export function resolveTask(target: TaskState<unknown>, value: unknown, signal?: CancellationSignal): void {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") {
    trySucceed(target, value);
  } else if (isOwnTask(value)) {
    if (value === target) tryFault(target, new TypeError("A task cannot wait for itself"));
    else followTask(target, value);
  } else if (isTask(value)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every task has these members.
    followForeignTask(target, value as unknown as ForeignTask);
  } else {
    followThenable(target, value, signal);
  }
}

/** Ends `target` with an error that a callback threw. Only its own signal makes that a cancellation (0.9). */
export function rejectTask(target: TaskState<unknown>, error: unknown, signal?: CancellationSignal): void {
  const canceled = cancellationBy(signal, error);
  if (canceled === undefined) tryFault(target, error);
  else tryCancel(target, canceled);
}

/** Gives `target` the outcome of `source`, at once when there is one. */
export function followTask(target: TaskState<unknown>, source: TaskState<unknown>): void {
  if (source.isCompleted) {
    tryCopyOutcome(target, source);
  } else {
    markObserved(source);
    addContinuation(source, new Relay(source, target));
  }
}

class Relay implements Continuation {
  readonly policy = "inline";
  readonly isAwait = false;
  readonly #source: TaskState<unknown>;
  readonly #target: TaskState<unknown>;

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: Relay = new Relay(null as never, null as never);

  constructor(source: TaskState<unknown>, target: TaskState<unknown>) {
    this.#source = source;
    this.#target = target;
  }

  invoke(): void {
    tryCopyOutcome(this.#target, this.#source);
  }

  fail(error: unknown): void {
    tryFault(this.#target, error);
  }
}

/** A task of another copy of this package, by its public members. */
type ForeignTask = Pick<TaskState<unknown>, "status" | "isCompleted" | "result" | "errors"> & {
  continueWith(fn: () => void, options: { policy: "inline" }): PromiseLike<void>;
};

/** The same for a task of another copy; it keeps several errors, and a cancellation. */
function followForeignTask(target: TaskState<unknown>, source: ForeignTask): void {
  const copy = (): void => {
    if (source.status === "succeeded") trySucceed(target, source.result);
    else if (source.status === "canceled") tryCancel(target, source.errors[0]);
    else tryFaultAll(target, source.errors);
  };
  try {
    if (source.isCompleted) copy();
    // `copy` does not throw: a failure is that of the scheduler on which it was to run.
    else
      source
        .continueWith(copy, { policy: "inline" })
        .then(undefined, (error: unknown) => void tryFault(target, error));
  } catch (error) {
    // A Proxy around a task: no member of it works.
    tryFault(target, error);
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  return typeof (value as { then?: unknown }).then === "function";
}

/** Thenables that call back at once with another one are followed on this stack, so many of them; the next one from the queue. */
const MAX_DEPTH = 64;

let depth = 0;

function followThenable(
  target: TaskState<unknown>,
  value: object,
  signal: CancellationSignal | undefined,
): void {
  if (depth >= MAX_DEPTH) {
    const scope = new AsyncScope();
    enqueueAsynchronous({
      invoke: () => scope.runOnce(followThenable, target, value, signal),
      fail: (error) => void tryFault(target, error),
    });
    return;
  }
  // Only the first call of either function counts, as for native promises.
  let isDecided = false;
  const fulfil = (result: unknown): void => {
    if (isDecided) return;
    isDecided = true;
    try {
      if (result === value) tryFault(target, new TypeError("A thenable cannot resolve to itself"));
      else resolveTask(target, result, signal);
    } catch (fullStack) {
      // Not decided: further up there is stack enough to reject.
      isDecided = false;
      throw fullStack;
    }
  };
  const reject = (error: unknown): void => {
    if (isDecided) return;
    isDecided = true;
    try {
      // An async function that was cancelled can only say so by the error.
      if (error instanceof OperationCanceledError) tryCancel(target, error);
      else rejectTask(target, error, signal);
    } catch (fullStack) {
      isDecided = false;
      throw fullStack;
    }
  };
  depth++;
  try {
    const then: unknown = (value as { then?: unknown }).then;
    if (typeof then === "function") Reflect.apply(then, value, [fulfil, reject]);
    else if (isAwaitable(value)) followAwaiter(value, fulfil, reject);
    else trySucceed(target, value);
  } catch (error) {
    reject(error);
  } finally {
    depth--;
  }
}

/** For what can be awaited but is no thenable. */
function followAwaiter(
  value: Awaitable<unknown>,
  fulfil: (result: unknown) => void,
  reject: (error: unknown) => void,
): void {
  const wait = requireAwaiter(value[awaiter]());
  const finish = (): void => {
    let result: unknown;
    try {
      result = wait.getResult();
    } catch (error) {
      reject(error);
      return;
    }
    fulfil(result);
  };
  if (wait.isCompleted) {
    finish();
    return;
  }
  const once = new OneInvocation(finish);
  try {
    flowOnCompleted(wait, invokeOnce, once);
  } catch (error) {
    once.refuse(error);
  }
}
