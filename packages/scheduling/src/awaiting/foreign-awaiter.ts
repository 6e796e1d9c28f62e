/** Waiting for what is not ours: an awaiter that somebody wrote, or a promise. */

import { AsyncScope } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import { enqueueAsynchronous } from "../asynchronous-queue.ts";
import { canNestInline, enqueue, resumeAt, runInline } from "../continuation-policy.ts";
import type { Place } from "../continuation-policy.ts";
import { capturedPlace } from "../task-scheduler.ts";
import { isThenable } from "../adopt.ts";
import { awaiter, flowOnCompleted, isAwaitable, requireAwaiter, requireContinuation } from "./awaiter.ts";
import type { Awaiter } from "./awaiter.ts";
import { CallbackContinuation } from "./callback-continuation.ts";
import { OneInvocation, invokeOnce } from "./one-invocation.ts";
import { Suspension, isSuspension } from "./suspension.ts";
import type { Resumable } from "./suspension.ts";

/** The wait for whatever a generator method yields. @throws TypeError for what cannot be waited for. */
export function suspensionFor(value: unknown): Suspension<unknown> {
  if (isSuspension(value)) return value;
  if (isAwaitable(value)) {
    const waiter: unknown = value[awaiter]();
    return isSuspension(waiter) ? waiter : new ForeignSuspension(requireAwaiter(waiter));
  }
  if (isThenable(value)) return new ThenableSuspension(value);
  throw argumentTypeError("the yielded value", "an awaitable or a promise", value);
}

export class ForeignSuspension<T> extends Suspension<T> {
  readonly #awaiter: Awaiter<T>;
  #hasResumed = false;

  constructor(foreign: Awaiter<T>) {
    super();
    this.#awaiter = foreign;
  }

  get isCompleted(): boolean {
    return this.#hasResumed || this.#awaiter.isCompleted;
  }

  getResult(): T {
    return this.#awaiter.getResult();
  }

  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    flowOnCompleted(this.#awaiter, continuation, state);
  }

  unsafeOnCompleted<S>(continuation: (state: S) => void, state: S): void {
    if (this.#awaiter.unsafeOnCompleted === undefined) this.#awaiter.onCompleted(continuation, state);
    else this.#awaiter.unsafeOnCompleted(continuation, state);
  }

  /** Whatever the awaiter does, the method goes on where it began to wait. */
  suspend(method: Resumable): void {
    const place: Place = capturedPlace() ?? "inline";
    const once = new OneInvocation(() => {
      this.#hasResumed = true;
      resumeAt(method, place);
    });
    try {
      this.unsafeOnCompleted(invokeOnce, once);
    } catch (error) {
      once.refuse(error);
    }
  }
}

/** A promise, or anything with a `then`. Resumes in the microtask in which it settles, or where the wait began. */
class ThenableSuspension extends Suspension<unknown> {
  readonly #promise: PromiseLike<unknown>;
  #state: "pending" | "fulfilled" | "rejected" = "pending";
  #outcome: unknown = undefined;

  constructor(promise: PromiseLike<unknown>) {
    super();
    this.#promise = promise;
  }

  get isCompleted(): boolean {
    return this.#state !== "pending";
  }

  override get origin(): object {
    return this.#promise;
  }

  getResult(): unknown {
    if (this.#state === "rejected") throw this.#outcome;
    return this.#outcome;
  }

  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    this.suspend(new CallbackContinuation(continuation, state, "inline", new AsyncScope()));
  }

  unsafeOnCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    this.suspend(new CallbackContinuation(continuation, state, "inline", null));
  }

  suspend(method: Pick<Resumable, "invoke" | "fail">): void {
    const place: Place = capturedPlace() ?? "inline";
    let isInside = true;
    const settle = (state: "fulfilled" | "rejected", outcome: unknown): void => {
      if (this.#state !== "pending") return;
      this.#state = state;
      this.#outcome = outcome;
      if (place !== "inline") enqueue(method, place, false);
      // A thenable of somebody's that calls back at once: not on the stack of the one who begins to wait. Nor too deep (A4.9).
      else if (isInside || !canNestInline()) enqueueAsynchronous(method);
      else runInline(method);
    };
    try {
      this.#promise.then(
        (value) => settle("fulfilled", value),
        (error: unknown) => settle("rejected", error),
      );
    } catch (error) {
      settle("rejected", error);
    }
    isInside = false;
  }
}
