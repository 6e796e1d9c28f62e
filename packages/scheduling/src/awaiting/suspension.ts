/**
 * A wait of ours, seen from `yield*`.
 *
 * `yield*` reads `next().done`, and `next().value` when that is true; otherwise it hands the very object that `next` gave to
 * whoever drives the generator. So a wait can be its own iterator and its own result: nothing is allocated, neither when
 * the operation has completed nor when it is pending. Resumed, `yield*` asks again.
 */

import type { Place } from "../continuation-policy.ts";
import type { Continuation } from "../task-state.ts";
import { isOfKind, setKind } from "../this-copy.ts";
import { addAsyncFrames } from "./async-frames.ts";
import type { Awaiter } from "./awaiter.ts";

/** What waits: the box of a generator method. It takes part in one wait at a time. */
export interface Resumable extends Continuation {
  policy: Place;
}

/** The iterator that `yield*` runs over; of no other use. */
export interface AwaitIterator<T> {
  next(): IteratorResult<never, T>;
}

/** What the iterator was asked for, seen by the driver. */
export abstract class Suspension<T> implements Awaiter<T> {
  static {
    setKind(this, "Suspension");
  }

  abstract get isCompleted(): boolean;
  abstract getResult(): T;
  abstract onCompleted<S>(continuation: (state: S) => void, state: S): void;
  abstract unsafeOnCompleted<S>(continuation: (state: S) => void, state: S): void;

  /** @internal Has `method` invoked once, when the operation completes. */
  abstract suspend(method: Resumable): void;

  /** @internal The operation whose error is thrown, to tell whose frames an error has collected. */
  get origin(): object {
    return this;
  }

  /** @internal Part of `yield*`. */
  next(): IteratorResult<never, T> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `done` and `value` below are the result.
    return this as unknown as IteratorResult<never, T>;
  }

  /** @internal Part of `yield*`: what is thrown into the method where it waits, passes through. */
  throw(error: unknown): never {
    throw error;
  }

  /** @internal Part of `yield*`. */
  get done(): boolean {
    return this.isCompleted;
  }

  /** @internal Part of `yield*`. */
  get value(): T {
    try {
      return this.getResult();
    } catch (error) {
      addAsyncFrames(error, this.origin);
      throw error;
    }
  }
}

/** Whether `value` is a wait, of this copy of the package or of another: any of them drives it alike. */
export function isSuspension(value: unknown): value is Suspension<unknown> {
  return value instanceof Suspension || isOfKind(value, "Suspension");
}
