/** Roles of parking.stress.test.ts. */
import { parentPort } from "node:worker_threads";
import type { Layout } from "../../../src/shared/layout.ts";
import { JobQueues, NO_JOB } from "../../../src/shared/job-queues.ts";
import { Parking } from "../../../src/shared/parking.ts";
import { SlotTable } from "../../../src/shared/slot.ts";
import { seededRandom } from "../seeded-random.ts";
import { LOST_MS, type Part, takePart } from "./stress.ts";

export interface ParkingData {
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
  readonly layout: Layout;
  /** Word 0: how many jobs have run. */
  readonly done: Int32Array;
  /** NO_THREAD for the submitter. */
  readonly thread: number;
}

const { control, slotsBuffer, layout, done, thread, role, stop, seed } = takePart() as ParkingData & Part;
const slots = new SlotTable(slotsBuffer, layout);
const queues = new JobQueues(control, layout, slots, thread);
const parking = new Parking(control, layout);
const random = seededRandom(seed);

/** Bursts of jobs, each after all before have run: so the threads fall asleep in between. @returns a complaint, or how many. */
function submit(): string | number {
  let submitted = 0;
  while (Atomics.load(stop, 0) === 0) {
    for (let slot = 0; slot < 1 + random() * layout.capacitySlots - 1; slot++) {
      slots.describeJob(slot, submitted, 0, 0, 0);
      slots.publish(slot);
      if (!queues.push(1, slot)) return "the ring was full";
      submitted++;
      parking.wakeOne();
    }
    const start = performance.now();
    while (Atomics.load(done, 0) !== submitted) {
      if (performance.now() - start > LOST_MS) return `a wake-up was lost: ${parkingStates()}`;
    }
    // From none to longer than a sleep, so that threads are met in every state.
    const pauseMs = random() < 0.1 ? random() * 4 : random() * 0.1;
    for (const end = performance.now() + pauseMs; performance.now() < end;);
  }
  return submitted;
}

function parkingStates(): string {
  return Array.from({ length: layout.places }, (_, w) => parking.state(w)).join(" ");
}

function leaveSearch(): void {
  parking.setBusy(thread);
  if (!queues.isEmpty()) parking.wakeOne();
}

/** As a pool thread does it, until it is terminated. */
async function serve(): Promise<never> {
  let searching = false;
  parking.setBusy(thread);
  for (;;) {
    const slot = queues.take(thread);
    if (slot !== NO_JOB) {
      if (searching) leaveSearch();
      searching = false;
      slots.finish(slot, thread);
      slots.release(slot);
      Atomics.add(done, 0, 1);
      continue;
    }
    parking.setSearching(thread);
    searching = true;
    if (!queues.isEmpty()) continue;
    parking.announceSleep(thread);
    if (!queues.isEmpty()) {
      parking.stayAwake(thread);
      leaveSearch();
      searching = false;
      continue;
    }
    if (parking.sleep(thread, Math.floor(random() * 3)) === "idle") await parking.whenWoken(thread);
    parking.setSearching(thread);
  }
}

if (role === "submitter") {
  parentPort!.postMessage(submit());
} else {
  // A pending waitAsync does not keep a thread alive (H2).
  parentPort!.on("message", () => {});
  void serve();
}
