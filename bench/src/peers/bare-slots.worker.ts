/** The other end of bare-slots.ts: takes numbers, gives them back, spins for a while and sleeps. */
import { parentPort, workerData } from "node:worker_threads";
import { createLayout } from "../../../packages/pool/src/shared/layout.ts";
import { NO_JOB } from "../../../packages/pool/src/shared/job-queues.ts";
import { HOST, PoolMemory } from "../../../packages/pool/src/shared/pool-memory.ts";
import { echo } from "../jobs/work.mjs";
import { type BareSlotsData, SLOTS } from "./bare-slots.ts";

const SPINS = 2000;

const { control, slots: slotMemory, threads, index } = workerData as BareSlotsData;
const memory = new PoolMemory(control, slotMemory, createLayout(SLOTS, threads), index + 1);
const { slots, queues, parking, inboxes } = memory;
const inbox = inboxes[HOST]!;
const result = [0];

parking.setSearching(index);
parentPort!.postMessage("ready");
for (;;) {
  const slot = queues.take(index + 1);
  if (slot === NO_JOB) {
    rest();
    continue;
  }
  parking.setBusy(index);
  if (!queues.isSharedEmpty()) parking.wakeOne(index);
  result[0] = echo(slots.numbers(slot)[0]) as number;
  slots.setNumbers(slot, result);
  slots.finish(slot, index + 1);
  inbox.put(slot);
}

function rest(): void {
  parking.setSearching(index);
  for (let i = 0; i < SPINS; i++) if (!queues.isEmpty()) return;
  parking.announceSleep(index);
  if (queues.isEmpty()) parking.doze(index, Infinity);
  parking.setSearching(index);
}
