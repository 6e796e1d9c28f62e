/** The other end of a bare ring: takes numbers as they come, sends them back, sleeps when there are none. */
import { workerData } from "node:worker_threads";
import { echo } from "./work.mjs";

const { control, requests, responses, mask, at } = workerData;
let head = 0;
for (;;) {
  let tail = Atomics.load(control, at.requested);
  if (tail === head) {
    for (let spins = 0; spins < 2000 && tail === head; spins++) tail = Atomics.load(control, at.requested);
    if (tail === head) Atomics.wait(control, at.requested, head);
    continue;
  }
  // As many requests as responses ever fit: both rings have one size, and the caller counts.
  for (; head !== tail; head = (head + 1) | 0) responses[head & mask] = echo(requests[head & mask]);
  Atomics.store(control, at.responded, head);
  Atomics.notify(control, at.responded);
}
