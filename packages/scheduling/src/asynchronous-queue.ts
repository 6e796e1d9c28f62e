/**
 * Policy `"asynchronous"`: one microtask drains a first-in-first-out queue.
 *
 * Items added while it drains run in the same microtask, in order, as microtasks themselves would.
 */

import { AsyncScope } from "@skein/context";
import { reportUncaught } from "./uncaught.ts";
import type { WorkItem } from "./work-item.ts";

/** A burst may grow the array; a queue that was longer than this gives its memory back once it is empty. */
const KEPT_CAPACITY = 4096;

let items: WorkItem[] = [];
let isScheduled = false;

export function enqueueAsynchronous(item: WorkItem): void {
  items.push(item);
  if (isScheduled) return;
  isScheduled = true;
  // The drain belongs to no request: each item brings the context of the one who attached it.
  AsyncScope.root.run(queueMicrotask, drain);
}

function drain(): void {
  // The length is read again in each round: items may be added meanwhile.
  // eslint-disable-next-line typescript/prefer-for-of
  for (let index = 0; index < items.length; index++) {
    try {
      (items[index] as WorkItem).invoke();
    } catch (error) {
      reportUncaught(error);
    }
  }
  if (items.length > KEPT_CAPACITY) items = [];
  else items.length = 0;
  isScheduled = false;
}
