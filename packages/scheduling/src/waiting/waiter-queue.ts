/** Those who wait for something to become available, in the order of their coming. */

import { hookCancellation } from "../cancellation/cancellation-hook.ts";
import type { CancellationHook, CancellationSignal } from "../cancellation/cancellation-hook.ts";
import type { Abortable } from "../cancellation/abort-listener.ts";
import type { ContinuationPolicy } from "../continuation-policy.ts";
import { cancellationError } from "../errors.ts";
import type { CancellationCause } from "../errors.ts";
import { tryCancel, tryFault, trySucceed } from "../task-state.ts";
import { createTask } from "../task.ts";
import type { Task } from "../task.ts";

/**
 * First in, first out. A waiter that is cancelled leaves at once, wherever it stands; nothing of it stays on the signal
 * or in the queue.
 */
export class WaiterQueue<T, S = undefined> {
  readonly #policy: ContinuationPolicy;
  #first: Waiter<T, S> | null = null;
  #last: Waiter<T, S> | null = null;
  #size = 0;

  constructor(policy: ContinuationPolicy) {
    this.#policy = policy;
  }

  get size(): number {
    return this.#size;
  }

  get first(): Waiter<T, S> | null {
    return this.#first;
  }

  /** Waits; `signal` has not fired yet. */
  add(signal: CancellationSignal | undefined, state: S): Task<T> {
    const waiter = new Waiter<T, S>(this, createTask<T>(this.#policy), state);
    waiter.previous = this.#last;
    if (this.#last === null) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.#size++;
    try {
      if (signal !== undefined) waiter.hook = hookCancellation(signal, waiter);
    } catch (error) {
      // A signal of somebody's that takes no listener: nobody waits, so nobody may be released.
      if (!waiter.task.isCompleted) this.remove(waiter);
      throw error;
    }
    return waiter.task;
  }

  /** Ends the wait of the one who came first; false when nobody waits. */
  release(result: T): boolean {
    const waiter = this.#first;
    if (waiter === null) return false;
    waiter.leave();
    trySucceed(waiter.task, result);
    return true;
  }

  /** Ends the waits of the first `count`, or of all who wait now if they are fewer. */
  releaseFirst(count: number, result: T): void {
    // The usual case needs no list.
    if (count === 1) this.release(result);
    else for (const waiter of this.#takeFirst(count)) trySucceed(waiter.task, result);
  }

  /** Ends the waits of all who wait now. */
  releaseAll(result: T): void {
    this.releaseFirst(this.#size, result);
  }

  /** Ends the waits of all who wait now with an error of their own. */
  failAll(createError: () => unknown): void {
    for (const waiter of this.#takeFirst(this.#size)) tryFault(waiter.task, createError());
  }

  /**
   * All of them leave before the first wait ends: an inline waiter may end other waits, or begin new ones, which must not be released
   * in their place.
   */
  #takeFirst(count: number): Waiter<T, S>[] {
    const taken: Waiter<T, S>[] = [];
    for (let first = this.#first; first !== null && taken.length < count; first = this.#first) {
      taken.push(first);
      first.leave();
    }
    return taken;
  }

  remove(waiter: Waiter<T, S>): void {
    const { previous, next } = waiter;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    waiter.previous = null;
    waiter.next = null;
    this.#size--;
  }
}

export class Waiter<T, S> implements Abortable {
  readonly task: Task<T>;
  /** What the waiter brought along: an item to be added, for one. */
  readonly state: S;
  readonly #queue: WaiterQueue<T, S>;
  previous: Waiter<T, S> | null = null;
  next: Waiter<T, S> | null = null;
  hook: CancellationHook | null = null;

  constructor(queue: WaiterQueue<T, S>, task: Task<T>, state: S) {
    this.#queue = queue;
    this.task = task;
    this.state = state;
  }

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: Waiter<never, undefined> = new Waiter<never, undefined>(
    null as never,
    null as never,
    undefined,
  );

  leave(): void {
    this.hook?.remove();
    this.#queue.remove(this);
  }

  /** By the policy of the queue: inline waiters run inside the cancellation too (A13.3). */
  onAbort(by: CancellationCause): void {
    this.leave();
    tryCancel(this.task, cancellationError(by));
  }
}
