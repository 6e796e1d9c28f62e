/** Policy `"yield"`: the queue that lets the event loop turn between its slices. */

import { SlicedQueue } from "./sliced-queue.ts";
import type { WorkItem } from "./work-item.ts";

const SLICE_MS = 4;

const queue: SlicedQueue = new SlicedQueue(SLICE_MS);

export function enqueueYield(item: WorkItem): void {
  queue.add(item);
}
