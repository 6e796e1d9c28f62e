import type { AsyncScope } from "@skein/context";
import type { TaskCompletionSource } from "@skein/scheduling";
import { ItemQueue } from "@skein/scheduling/internal";
import type { Batch } from "./batch.ts";

/** A `pushAsync` that waits for room. */
export interface WaitingPush<T> {
  readonly item: T;
  readonly scope: AsyncScope | null;
  readonly source: TaskCompletionSource<void>;
}

/**
 * What waits in one slot, first in, first out:
 *
 *     first → … → last          tail                waiting
 *     due, closed batches       being filled        pushes for which there is no room
 */
export class SlotQueue<T> {
  readonly index: number;
  /** Items accepted and not handed to the pump. */
  pending = 0;
  /** Batches in the pump. */
  running = 0;
  tail: Batch<T> | null = null;
  /** The oldest item of `tail` has waited long enough. */
  isTailDue = false;
  /** No batch starts before this time: the pump has failed and is to be tried again. */
  restsUntil = 0;
  isResting = false;
  #first: Batch<T> | null = null;
  #last: Batch<T> | null = null;
  #serial = 0;
  readonly #waiting = new ItemQueue<WaitingPush<T>>();

  constructor(index: number) {
    this.index = index;
  }

  get hasClosed(): boolean {
    return this.#first !== null;
  }

  /** Closes the tail: nothing is added to it any more. */
  closeTail(batch: Batch<T>): void {
    batch.close();
    batch.serial = this.#serial++;
    this.tail = null;
    this.isTailDue = false;
    if (this.#last === null) this.#first = batch;
    else this.#last.next = batch;
    this.#last = batch;
  }

  takeClosed(): Batch<T> | null {
    const batch = this.#first;
    if (batch === null) return null;
    this.#first = batch.next;
    if (batch.next === null) this.#last = null;
    batch.next = null;
    return batch;
  }

  /** Puts a batch that has been started back into its old place. */
  putBack(batch: Batch<T>): void {
    let before: Batch<T> | null = null;
    let after = this.#first;
    while (after !== null && after.serial < batch.serial) {
      before = after;
      after = after.next;
    }
    batch.next = after;
    if (before === null) this.#first = batch;
    else before.next = batch;
    if (after === null) this.#last = batch;
    this.pending += batch.count;
  }

  /** All items that wait, in order, and nothing is left. */
  removeAll(): T[] {
    const items: T[] = [];
    const tail = this.tail;
    if (tail !== null) this.closeTail(tail);
    for (let batch = this.takeClosed(); batch !== null; batch = this.takeClosed()) {
      for (const item of batch.items) items.push(item);
    }
    this.pending = 0;
    return items;
  }

  addWaiting(push: WaitingPush<T>): void {
    this.#waiting.add(push);
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** The longest waiting pushes, at most `count`. */
  takeWaiting(count: number): WaitingPush<T>[] {
    const taken: WaitingPush<T>[] = [];
    while (taken.length < count && this.#waiting.size > 0) taken.push(this.#waiting.take());
    return taken;
  }
}
