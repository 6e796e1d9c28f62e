/**
 * Policy `"yield"`: a first-in-first-out queue drained in slices, one `setImmediate` each, so that the event loop gets
 * its turn between them.
 *
 * A slice is bounded twice. Time bounds what runs inside the drain. The count bounds what does not: an item that
 * resumes a native `await` costs nothing here, its code runs as a microtask after the slice. That cost is measured
 * by a microtask at the slice's end, and the next slice's count follows from it.
 */

import { setImmediate } from "node:timers";
import { AsyncScope } from "@skein/context";
import { reportUncaught } from "./uncaught.ts";
import type { WorkItem } from "./work-item.ts";

/** How long one slice, with the native continuations that it resumes, may hold the event loop. */
const SLICE_MS = 4;
/** What a burst begins with, not knowing its items yet. Doubling reaches the maximum in seven turns. */
const FIRST_COUNT = 8;
const MAX_COUNT = 1024;

const settled: Promise<void> = Promise.resolve();

let items: (WorkItem | undefined)[] = [];
let head = 0;
let count = FIRST_COUNT;
let isScheduled = false;
let sliceStart = 0;
let sliceSize = 0;

export function enqueueYield(item: WorkItem): void {
  items.push(item);
  if (!isScheduled) schedule();
}

function schedule(): void {
  isScheduled = true;
  AsyncScope.root.run(setImmediate, drainSlice);
}

function drainSlice(): void {
  sliceStart = performance.now();
  const deadline = sliceStart + SLICE_MS;
  const first = head;
  // What the slice itself adds waits for the next one.
  const end = Math.min(items.length, head + count);
  while (head < end) {
    const item = items[head];
    items[head++] = undefined;
    try {
      item?.invoke();
    } catch (error) {
      reportUncaught(error);
    }
    if (performance.now() >= deadline) break;
  }
  sliceSize = head - first;
  if (head < items.length) {
    // Half consumed: move the rest down, so that memory does not grow while producers keep pace.
    if (head > items.length / 2) {
      items = items.slice(head);
      head = 0;
    }
    schedule();
  } else {
    items = [];
    head = 0;
    isScheduled = false;
  }
  void settled.then(adaptCount);
}

/** Runs behind the microtasks that the slice caused: doubles the count, or shrinks it to what fits the time. */
function adaptCount(): void {
  const elapsedMs = performance.now() - sliceStart;
  if (!isScheduled) count = FIRST_COUNT;
  else if (elapsedMs > SLICE_MS) count = Math.max(1, Math.floor((sliceSize * SLICE_MS) / elapsedMs));
  else if (sliceSize === count && elapsedMs < SLICE_MS / 2) count = Math.min(MAX_COUNT, count * 2);
}
