/** Waiting for a task in a generator method. */

import { AsyncScope } from "@skein/context";
import { awaitPolicy } from "../configure-await.ts";
import type { ResolvedAwait } from "../configure-await.ts";
import type { Place } from "../continuation-policy.ts";
import { capturedPlace } from "../task-scheduler.ts";
import { addCallback, addContinuation, markObserved, policyOf } from "../task-state.ts";
import type { Continuation, TaskState } from "../task-state.ts";
import { requireContinuation } from "./awaiter.ts";
import { CallbackContinuation } from "./callback-continuation.ts";
import { ForcedYield } from "./forced-yield.ts";
import type { Yielding } from "./forced-yield.ts";
import { Suspension } from "./suspension.ts";
import type { Resumable } from "./suspension.ts";

export class TaskAwaiter<T> extends Suspension<T> {
  readonly #task: TaskState<T>;

  constructor(task: TaskState<T>) {
    super();
    this.#task = task;
  }

  get isCompleted(): boolean {
    return this.#task.isCompleted;
  }

  override get origin(): object {
    return this.#task;
  }

  getResult(): T {
    return this.#task.result;
  }

  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    attach(
      this.#task,
      new CallbackContinuation(continuation, state, capturedPlace() ?? "inline", new AsyncScope()),
    );
  }

  unsafeOnCompleted<S>(continuation: (state: S) => void, state: S): void {
    attachPlain(this.#task, continuation, state);
  }

  suspend(method: Resumable): void {
    suspendOn(this.#task, method);
  }
}

/** The same with options. Unlike the plain one it knows that it has yielded: forced yielding happens once. */
export class ConfiguredTaskAwaiter<T> extends Suspension<T | undefined> implements Yielding {
  readonly #task: TaskState<T>;
  readonly #how: ResolvedAwait;
  /** For ForcedYield. */
  hasYielded = false;

  constructor(task: TaskState<T>, how: ResolvedAwait) {
    super();
    this.#task = task;
    this.#how = how;
  }

  get isCompleted(): boolean {
    return this.#task.isCompleted && (this.hasYielded || !this.#how.forceYielding);
  }

  override get origin(): object {
    return this.#task;
  }

  getResult(): T | undefined {
    if (!this.#how.suppressThrowing || this.#task.status === "succeeded") return this.#task.result;
    // Not throwing still counts as having looked.
    markObserved(this.#task);
    return undefined;
  }

  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    attach(this.#task, new CallbackContinuation(continuation, state, this.#place(), new AsyncScope()));
  }

  unsafeOnCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    attach(this.#task, new CallbackContinuation(continuation, state, this.#place(), null));
  }

  suspend(method: Resumable): void {
    const place = this.#place();
    if (this.#how.forceYielding) {
      attach(this.#task, new ForcedYield(this, method, place));
      return;
    }
    method.policy = place;
    attach(this.#task, method);
  }

  #place(): Place {
    return awaitPolicy(this.#how, policyOf(this.#task));
  }
}

function attach(task: TaskState<unknown>, continuation: Continuation): void {
  markObserved(task);
  addContinuation(task, continuation);
}

/** Has `method` invoked when `task` completes, where it is now. */
export function suspendOn(task: TaskState<unknown>, method: Resumable): void {
  method.policy = capturedPlace() ?? "inline";
  attach(task, method);
}

/** Apart, so that V8 need not make the awaiter that is only passed through. */
function attachPlain<S>(task: TaskState<unknown>, continuation: (state: S) => void, state: S): void {
  requireContinuation(continuation);
  const place = capturedPlace();
  if (place !== null) {
    attach(task, new CallbackContinuation(continuation, state, place, null));
    return;
  }
  addCallback(task, continuation, state);
}
