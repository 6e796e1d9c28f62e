import { SlotOrder } from "./slot-order.ts";
import type { SlotQueue } from "./slot-queue.ts";

/** Timers of Node count whole milliseconds and may fire a fraction early. */
const EARLY_MS = 1;

/**
 * The slots that wait for a time: for that of their oldest item while a batch is being filled, or for another try of the pump.
 * All intervals are equal, so the order in which batches were begun is the order of their deadlines.
 */
export class DueSlots<T> {
  readonly #queues: readonly SlotQueue<T>[];
  readonly #intervalMs: number;
  readonly #filling: SlotOrder;
  readonly #resting: SlotOrder;

  constructor(queues: readonly SlotQueue<T>[], intervalMs: number) {
    this.#queues = queues;
    this.#intervalMs = intervalMs;
    this.#filling = new SlotOrder(queues.length);
    this.#resting = new SlotOrder(queues.length);
  }

  /** The tail has got its first item. */
  beginFilling(queue: SlotQueue<T>): void {
    this.#filling.append(queue.index);
  }

  /** The tail was closed. */
  endFilling(queue: SlotQueue<T>): void {
    this.#filling.remove(queue.index);
  }

  /** A slot that rests already rests until the later of the two times. */
  rest(queue: SlotQueue<T>, until: number): void {
    queue.restsUntil = queue.isResting ? Math.max(queue.restsUntil, until) : until;
    queue.isResting = true;
    this.#resting.append(queue.index);
  }

  forget(queue: SlotQueue<T>): void {
    queue.isResting = false;
    this.#filling.remove(queue.index);
    this.#resting.remove(queue.index);
  }

  /** When the next batch that is being filled is due. Infinity: there is none. */
  nextFilledAt(): number {
    const first = this.#filling.first();
    return first === -1 ? Infinity : this.#deadline(this.#queues[first]!);
  }

  /** When the next slot has rested. Infinity: none rests. */
  nextRestedAt(): number {
    let at = Infinity;
    for (let index = this.#resting.first(); index !== -1; index = this.#resting.after(index)) {
      at = Math.min(at, this.#queues[index]!.restsUntil);
    }
    return at;
  }

  /** Calls `wake` for each slot whose oldest item has waited long enough. */
  wakeFilled(now: number, wake: (queue: SlotQueue<T>) => void): void {
    const dueBefore = now + EARLY_MS;
    for (let index = this.#filling.first(); index !== -1; index = this.#filling.first()) {
      const queue = this.#queues[index]!;
      if (this.#deadline(queue) >= dueBefore) break;
      this.#filling.remove(index);
      queue.isTailDue = true;
      wake(queue);
    }
  }

  /** Calls `wake` for each slot that has rested. */
  wakeRested(now: number, wake: (queue: SlotQueue<T>) => void): void {
    const dueBefore = now + EARLY_MS;
    for (let index = this.#resting.first(); index !== -1;) {
      const queue = this.#queues[index]!;
      index = this.#resting.after(index);
      if (queue.restsUntil >= dueBefore) continue;
      this.#resting.remove(queue.index);
      queue.isResting = false;
      wake(queue);
    }
  }

  #deadline(queue: SlotQueue<T>): number {
    return queue.tail!.since + this.#intervalMs;
  }
}
