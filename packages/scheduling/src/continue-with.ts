/** `continueWith`: a callback that is given the completed task itself. */

import { AsyncScope } from "@skein/context";
import type { Abortable } from "./cancellation/abort-listener.ts";
import { hookCancellation, isCanceled } from "./cancellation/cancellation-hook.ts";
import type { CancellationHook, CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { rejectTask, resolveTask } from "./adopt.ts";
import { enqueueAsynchronous } from "./asynchronous-queue.ts";
import type { ContinuationPolicy } from "./continuation-policy.ts";
import { OperationCanceledError, cancellationError } from "./errors.ts";
import type { CancellationCause } from "./errors.ts";
import {
  addContinuation,
  demandQueue,
  markObserved,
  removeContinuation,
  tryCancel,
  tryFault,
} from "./task-state.ts";
import type { Continuation, TaskState, TaskStatus } from "./task-state.ts";

/** The outcomes for which a continuation runs. */
export type ContinueOn = "any" | "success" | "fault" | "cancel";

const outcomes: Readonly<Record<ContinueOn, TaskStatus | undefined>> = Object.freeze({
  any: undefined,
  success: "succeeded",
  fault: "faulted",
  cancel: "canceled",
});

export function isContinueOn(value: unknown): value is ContinueOn {
  return typeof value === "string" && Object.hasOwn(outcomes, value);
}

export interface ContinueWithPlan {
  readonly policy: ContinuationPolicy;
  readonly signal: CancellationSignal | undefined;
  readonly on: ContinueOn;
}

export function continueTask<A extends TaskState<unknown>>(
  target: TaskState<unknown>,
  antecedent: A,
  callback: (antecedent: A) => unknown,
  plan: ContinueWithPlan,
): void {
  // A callback for faults is their observer, also when a signal keeps it from running; one that is not leaves them unobserved.
  if (plan.on === "any" || plan.on === "fault") markObserved(antecedent);
  if (isCanceled(plan.signal)) {
    tryCancel(target, cancellationError(plan.signal));
    return;
  }
  const continuation = new TaskContinuation(target, antecedent, callback, plan);
  // An async hook that hears of it may have cancelled it.
  if (!target.isCompleted) addContinuation(antecedent, continuation);
}

class TaskContinuation<A extends TaskState<unknown>> extends AsyncScope implements Continuation, Abortable {
  readonly policy: ContinuationPolicy;
  readonly isAwait = false;
  readonly #target: TaskState<unknown>;
  readonly #antecedent: A;
  readonly #callback: (antecedent: A) => unknown;
  readonly #plan: ContinueWithPlan;
  readonly #listener: CancellationHook | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    target: TaskState<unknown>,
    antecedent: A,
    callback: (antecedent: A) => unknown,
    plan: ContinueWithPlan,
  ) {
    super();
    this.policy = plan.policy;
    this.#target = target;
    this.#antecedent = antecedent;
    this.#callback = callback;
    this.#plan = plan;
    this.#listener = plan.signal === undefined ? undefined : hookCancellation(plan.signal, this);
  }

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: TaskContinuation<never> = AsyncScope.root.run(
    () =>
      new TaskContinuation<never>(null as never, null as never, () => {}, {
        policy: "asynchronous",
        signal: undefined,
        on: "any",
      }),
  );

  invoke(): void {
    this.#listener?.remove();
    const target = this.#target;
    if (target.isCompleted) return;
    const wanted = outcomes[this.#plan.on];
    if (this.#failure !== undefined) tryFault(target, this.#failure.error);
    else if (wanted === undefined || wanted === this.#antecedent.status)
      this.runOnce(TaskContinuation.#call<A>, this);
    else
      tryCancel(
        target,
        new OperationCanceledError("The task's outcome was not one that this continuation runs for"),
      );
  }

  fail(error: unknown): void {
    this.#failure = { error };
    enqueueAsynchronous(this);
  }

  onAbort(by: CancellationCause): void {
    removeContinuation(this.#antecedent, this);
    demandQueue(this.#target);
    tryCancel(this.#target, cancellationError(by));
  }

  static #call<A extends TaskState<unknown>>(this: void, continuation: TaskContinuation<A>): void {
    const target = continuation.#target;
    const signal = continuation.#plan.signal;
    let value: unknown;
    try {
      value = (0, continuation.#callback)(continuation.#antecedent);
    } catch (error) {
      rejectTask(target, error, signal);
      return;
    }
    resolveTask(target, value, signal);
  }
}
