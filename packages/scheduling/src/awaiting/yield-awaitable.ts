import { AsyncScope } from "@skein/context";
import { enqueue } from "../continuation-policy.ts";
import { capturedPlace } from "../task-scheduler.ts";
import type { WorkItem } from "../work-item.ts";
import { awaiter, requireContinuation } from "./awaiter.ts";
import { CallbackContinuation } from "./callback-continuation.ts";
import { Suspension } from "./suspension.ts";
import type { AwaitIterator, Resumable } from "./suspension.ts";
import { Promise } from "../intrinsics.ts";

/**
 * What `Task.yield()` gives: never completed, always succeeds. Where it resumes is decided when somebody waits (A8.3): on the
 * current SynchronizationContext or TaskScheduler, otherwise in a later turn of the event loop.
 */
export class YieldAwaitable implements PromiseLike<void> {
  then<A = void, B = never>(
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const turn = new Promise<void>((resolve) => new YieldSuspension().onCompleted(resolve, undefined));
    return turn.then(onFulfilled, onRejected);
  }

  [awaiter](): Suspension<void> {
    return new YieldSuspension();
  }

  [Symbol.iterator](): AwaitIterator<void> {
    return new YieldSuspension();
  }
}

/** For a method it is the continuation itself: it has yielded when it runs, and nothing is allocated for that. */
class YieldSuspension extends Suspension<void> implements WorkItem {
  #method: Resumable | null = null;
  #hasYielded = false;

  get isCompleted(): boolean {
    return this.#hasYielded;
  }

  getResult(): void {}

  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    enqueueTurn(new CallbackContinuation(continuation, state, "yield", new AsyncScope()));
  }

  unsafeOnCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    enqueueTurn(new CallbackContinuation(continuation, state, "yield", null));
  }

  suspend(method: Resumable): void {
    this.#method = method;
    enqueueTurn(this);
  }

  invoke(): void {
    this.#hasYielded = true;
    this.#method?.invoke();
  }

  fail(error: unknown): void {
    this.#hasYielded = true;
    this.#method?.fail(error);
  }
}

function enqueueTurn(work: WorkItem): void {
  enqueue(work, capturedPlace() ?? "yield", false);
}
