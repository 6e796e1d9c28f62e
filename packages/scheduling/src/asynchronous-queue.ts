/**
 * Policy `"asynchronous"`: one microtask drains a first-in-first-out queue.
 *
 * Items added while it drains run in the same microtask, in order, as microtasks themselves would.
 */

import { Promise, promiseThen } from "./intrinsics.ts";
import { AsyncScope } from "@skein/context";
import { swapContext } from "./contexts/synchronization-context.ts";
import { reportUncaught } from "./uncaught.ts";
import type { WorkItem } from "./work-item.ts";

/** A queue that grew beyond this in a burst gives its memory back when it is empty. */
const KEPT_CAPACITY = 4096;

const settled: Promise<void> = Promise.resolve();

/** Slots are reused from one drain to the next: `length = 0` would drop the memory each time. */
let items: (WorkItem | undefined)[] = [];
let tail = 0;
let isScheduled = false;

/**
 * What must run although the stack was full when it was to be queued. Whoever has such an item appends it by index and asks for
 * `drainLate` by `promiseThen`: neither needs a frame of ours.
 */
export const late: WorkItem[] = [];

/** @throws RangeError when the stack is full; then the item is not queued. */
export function enqueueAsynchronous(item: WorkItem): void {
  // First, because it may throw. The drain belongs to no request: each item brings the context of the one who attached it.
  if (!isScheduled) AsyncScope.root.run(scheduleDrain);
  items[tail++] = item;
}

/** While this is true, what gets a microtask of its own runs before everything that is queued later. */
export function isQueueIdle(): boolean {
  return !isScheduled;
}

/**
 * Runs `work` in a microtask of its own, in the context of this call: V8 keeps that for less than an AsyncScope costs. Only while
 * the queue is idle, or the order is lost. `work` must not throw.
 */
export function runInMicrotask(work: () => void): void {
  promiseThen(settled, work);
}

/** Half the price of `queueMicrotask`, which makes an AsyncResource each time. */
function scheduleDrain(): void {
  promiseThen(settled, drain);
  isScheduled = true;
}

export function drainLate(): void {
  AsyncScope.root.run(drain);
}

function drain(): void {
  if (late.length > 0) for (const item of late.splice(0)) items[tail++] = item;
  let head = 0;
  const outside = swapContext(null);
  while (head < tail) {
    const item = items[head];
    items[head++] = undefined;
    try {
      item?.invoke();
    } catch (error) {
      reportUncaught(error);
    }
    // What one item leaves current does not reach the next (A8.5).
    swapContext(null);
    // Items that feed each other for long must not grow the array for ever.
    if (head >= KEPT_CAPACITY && head > tail / 2) {
      items = items.slice(head, tail);
      tail = items.length;
      head = 0;
    }
  }
  swapContext(outside);
  tail = 0;
  isScheduled = false;
  if (items.length > KEPT_CAPACITY) items = [];
}
