/**
 * Policy `"asynchronous"`: one microtask drains a first-in-first-out queue.
 *
 * Items added while it drains run in the same microtask, in order, as microtasks themselves would.
 */

import { AsyncScope } from "@skein/context";
import { reportUncaught } from "./uncaught.ts";
import type { WorkItem } from "./work-item.ts";

/** A queue that grew beyond this in a burst gives its memory back when it is empty. */
const KEPT_CAPACITY = 4096;

const settled: Promise<void> = Promise.resolve();

/** Slots are reused from one drain to the next: `length = 0` would drop the memory each time. */
let items: (WorkItem | undefined)[] = [];
let tail = 0;

export function enqueueAsynchronous(item: WorkItem): void {
  items[tail++] = item;
  // The drain belongs to no request: each item brings the context of the one who attached it.
  if (tail === 1) AsyncScope.root.run(scheduleDrain);
}

/** Half the price of `queueMicrotask`, which makes an AsyncResource each time. */
function scheduleDrain(): void {
  void settled.then(drain);
}

function drain(): void {
  for (let head = 0; head < tail; head++) {
    const item = items[head];
    items[head] = undefined;
    try {
      item?.invoke();
    } catch (error) {
      reportUncaught(error);
    }
  }
  tail = 0;
  if (items.length > KEPT_CAPACITY) items = [];
}
