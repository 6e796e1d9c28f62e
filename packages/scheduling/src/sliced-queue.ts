/**
 * A first-in-first-out queue drained in slices, one `setImmediate` each, so that the event loop gets its turn between
 * them.
 *
 * A slice is bounded twice. Time bounds what runs inside the drain. The count bounds what does not: an item that
 * resumes a native `await` costs nothing here, its code runs as a microtask after the slice. That cost is measured
 * by a microtask at the slice's end, and the next slice's count follows from it.
 */

import { Promise, promiseThen } from "./intrinsics.ts";
import { AsyncScope } from "@skein/context";
import { swapContext } from "./contexts/synchronization-context.ts";
import { now, setImmediate } from "./timers.ts";
import { reportUncaught } from "./uncaught.ts";
import type { WorkItem } from "./work-item.ts";

/** What a burst begins with, not knowing its items yet. Doubling reaches the maximum in seven turns. */
const FIRST_COUNT = 8;
const MAX_COUNT = 1024;

const settled: Promise<void> = Promise.resolve();

export class SlicedQueue {
  /** How long one slice, with the native continuations that it resumes, may hold the event loop. */
  readonly #sliceMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #drain: () => void;
  readonly #adapt: () => void;
  #items: (WorkItem | undefined)[] = [];
  #head = 0;
  #count = FIRST_COUNT;
  #isScheduled = false;
  #sliceStart = 0;
  #sliceSize = 0;

  constructor(sliceMs: number, onError: (error: unknown) => void = reportUncaught) {
    this.#sliceMs = sliceMs;
    this.#onError = onError;
    this.#drain = () => this.#drainSlice();
    this.#adapt = () => this.#adaptCount();
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** @throws RangeError when the stack is full; then the item is not queued. */
  add(item: WorkItem): void {
    // First, because it may throw.
    if (!this.#isScheduled) this.#schedule();
    this.#items[this.#items.length] = item;
  }

  #schedule(): void {
    AsyncScope.root.run(scheduleTurn, this.#drain);
    this.#isScheduled = true;
  }

  #drainSlice(): void {
    this.#sliceStart = now();
    const deadline = this.#sliceStart + this.#sliceMs;
    const first = this.#head;
    // What the slice itself adds waits for the next one.
    const end = Math.min(this.#items.length, first + this.#count);
    const outside = swapContext(null);
    while (this.#head < end) {
      const item = this.#items[this.#head];
      this.#items[this.#head++] = undefined;
      try {
        item?.invoke();
      } catch (error) {
        this.#report(error);
      }
      swapContext(null);
      if (now() >= deadline) break;
    }
    swapContext(outside);
    this.#sliceSize = this.#head - first;
    if (this.#head < this.#items.length) {
      // Half consumed: move the rest down, so that memory does not grow while producers keep pace.
      if (this.#head > this.#items.length / 2) {
        this.#items = this.#items.slice(this.#head);
        this.#head = 0;
      }
      this.#schedule();
    } else {
      this.#items = [];
      this.#head = 0;
      this.#isScheduled = false;
    }
    promiseThen(settled, this.#adapt);
  }

  /** Code of the user's, which may fail itself: the rest of the queue runs all the same. */
  #report(error: unknown): void {
    try {
      this.#onError(error);
    } catch (second) {
      reportUncaught(second);
    }
  }

  /** Runs behind the microtasks that the slice caused: doubles the count, or shrinks it to what fits the time. */
  #adaptCount(): void {
    const elapsedMs = now() - this.#sliceStart;
    if (!this.#isScheduled) this.#count = FIRST_COUNT;
    else if (elapsedMs > this.#sliceMs)
      this.#count = Math.max(1, Math.floor((this.#sliceSize * this.#sliceMs) / elapsedMs));
    else if (this.#sliceSize === this.#count && elapsedMs < this.#sliceMs / 2)
      this.#count = Math.min(MAX_COUNT, this.#count * 2);
  }
}

function scheduleTurn(drain: () => void): void {
  setImmediate(drain);
}
