/** Tasks in the order in which they complete (A12.5). */

import type { Abortable } from "./cancellation/abort-listener.ts";
import { hookCancellation, isCanceled } from "./cancellation/cancellation-hook.ts";
import type { CancellationHook, CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { cancellationError } from "./errors.ts";
import type { CancellationCause } from "./errors.ts";
import { addContinuation, markObserved, removeContinuation } from "./task-state.ts";
import type { Continuation, TaskState } from "./task-state.ts";
import { Promise } from "./intrinsics.ts";
import { ItemQueue } from "./item-queue.ts";

type Step<A> = IteratorResult<A, undefined>;

/**
 * An AsyncIterable whose elements are the tasks themselves.
 *
 * Written out, because TypeScript takes the elements of an `AsyncIterable<Task<T>>` for `T`; `for await` does not unwrap them.
 */
export interface TaskStream<A> {
  [Symbol.asyncIterator](): TaskStreamIterator<A>;
}

export interface TaskStreamIterator<A> {
  next(): Promise<IteratorResult<A, undefined>>;
  return(): Promise<IteratorResult<A, undefined>>;
}

/**
 * Attached to the tasks from the beginning, whether or not anybody iterates yet. Iterates once: a second iteration is empty.
 *
 * Steps are native promises, so no consumer runs on the stack of whoever completes a task.
 */
export class CompletionStream<A extends TaskState<unknown>> implements TaskStream<A>, Abortable {
  /** Of the tasks that are pending: what has come is let go with whoever takes it. */
  readonly #arrivals = new Set<Arrival<A>>();
  readonly #ready = new ItemQueue<A>();
  readonly #waiting = new ItemQueue<PromiseWithResolvers<Step<A>>>();
  #left: number;
  #listener: CancellationHook | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isTaken = false;

  constructor(tasks: readonly A[], signal: CancellationSignal | undefined) {
    this.#left = tasks.length;
    // Also when there is nothing to iterate; and the consumer may be busy with an earlier task for many turns.
    for (const task of tasks) markObserved(task);
    if (isCanceled(signal)) {
      this.#failure = { error: cancellationError(signal) };
      return;
    }
    if (signal !== undefined && tasks.length > 0) this.#listener = hookCancellation(signal, this);
    for (const task of tasks) {
      if (task.isCompleted) this.#ready.add(task);
      else {
        const arrival = new Arrival(this, task);
        this.#arrivals.add(arrival);
        addContinuation(task, arrival);
      }
    }
  }

  [Symbol.asyncIterator](): TaskStreamIterator<A> {
    if (this.#isTaken) return { next: ended, return: ended };
    this.#isTaken = true;
    return { next: () => this.#next(), return: () => this.#return() };
  }

  /** For the continuations attached to the tasks. */
  arrive(arrival: Arrival<A>): void {
    this.#arrivals.delete(arrival);
    const { task } = arrival;
    if (this.#waiting.size === 0) this.#ready.add(task);
    else this.#handOut(task, this.#waiting.take());
  }

  onAbort(by: CancellationCause): void {
    this.stop(cancellationError(by));
  }

  /** Ends the iteration with an error; the tasks go on. */
  stop(error: unknown): void {
    this.#failure = { error };
    this.#release();
    while (this.#waiting.size > 0) this.#waiting.take().reject(error);
  }

  #next(): Promise<Step<A>> {
    const step = Promise.withResolvers<Step<A>>();
    if (this.#failure !== undefined) {
      step.reject(this.#failure.error);
    } else if (this.#left <= this.#waiting.size) {
      step.resolve({ done: true, value: undefined });
    } else if (this.#ready.size > 0) {
      this.#handOut(this.#ready.take(), step);
    } else {
      this.#waiting.add(step);
    }
    return step.promise;
  }

  #return(): Promise<Step<A>> {
    this.#left = 0;
    this.#release();
    while (this.#waiting.size > 0) this.#waiting.take().resolve({ done: true, value: undefined });
    return ended();
  }

  #handOut(task: A, step: PromiseWithResolvers<Step<A>>): void {
    this.#left--;
    if (this.#left === 0) this.#release();
    step.resolve({ done: false, value: task });
  }

  #release(): void {
    this.#listener?.remove();
    for (const arrival of this.#arrivals) removeContinuation(arrival.task, arrival);
    this.#arrivals.clear();
  }
}

function ended(): Promise<IteratorReturnResult<undefined>> {
  return Promise.resolve({ done: true, value: undefined });
}

class Arrival<A extends TaskState<unknown>> implements Continuation {
  readonly policy = "inline";
  readonly isAwait = false;
  readonly task: A;
  readonly #stream: CompletionStream<A>;

  constructor(stream: CompletionStream<A>, task: A) {
    this.#stream = stream;
    this.task = task;
  }

  invoke(): void {
    this.#stream.arrive(this);
  }

  fail(error: unknown): void {
    this.#stream.stop(error);
  }
}
