import { Task } from "../task.ts";
import type { awaiter } from "./awaiter.ts";
import type { Awaitable, Awaiter } from "./awaiter.ts";
import { suspensionFor } from "./foreign-awaiter.ts";
import type { AwaitIterator } from "./suspension.ts";

/**
 * The base for awaitables of your own: write `[awaiter]()`; `yield*` in generator methods and native `await` follow from it.
 *
 * An awaiter that calls back twice is told so by an InvalidOperationError; the method goes on undisturbed.
 *
 * @example
 * class NextFrame extends CustomAwaitable<number> {
 *   [awaiter]() { return new FrameAwaiter(); }
 * }
 */
export abstract class CustomAwaitable<T> implements Awaitable<T>, PromiseLike<T> {
  abstract [awaiter](): Awaiter<T>;

  /** For `yield*` in a generator method. */
  [Symbol.iterator](): AwaitIterator<T> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the awaiter's result is T.
    return suspensionFor(this) as unknown as AwaitIterator<T>;
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    return (waitForAwaitable(this) as Task<T>).then(onFulfilled, onRejected);
  }
}

const waitForAwaitable = Task.async(function* waitForAwaitable(awaitable: Awaitable<unknown>) {
  return yield awaitable;
});
