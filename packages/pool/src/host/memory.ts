/** The shared memory of a pool and the host's objects over it. */
import { ReturnedBlocks } from "../shared/arena.ts";
import { Inbox } from "../shared/inbox.ts";
import { JobQueues } from "../shared/job-queues.ts";
import { createLayout, type Layout } from "../shared/layout.ts";
import { Parking } from "../shared/parking.ts";
import { SlotTable } from "../shared/slot.ts";

export class HostMemory {
  readonly layout: Layout;
  readonly controlBuffer: SharedArrayBuffer;
  readonly slotsBuffer: SharedArrayBuffer;
  readonly slots: SlotTable;
  readonly queues: JobQueues;
  readonly inbox: Inbox;
  readonly parking: Parking;
  /** By thread index: the way home for blocks of its arena. */
  readonly returned: readonly ReturnedBlocks[];

  constructor(capacitySlots: number, maxThreads: number) {
    this.layout = createLayout(capacitySlots, maxThreads);
    this.controlBuffer = new SharedArrayBuffer(this.layout.controlBytes);
    this.slotsBuffer = new SharedArrayBuffer(this.layout.slotsBytes);
    const control = new Int32Array(this.controlBuffer);
    this.slots = new SlotTable(this.slotsBuffer, this.layout);
    this.queues = new JobQueues(control, this.layout, this.slots);
    this.queues.initialize();
    this.inbox = new Inbox(control, this.layout, this.slots);
    this.parking = new Parking(control, this.layout);
    this.returned = Array.from({ length: maxThreads }, (_, w) => new ReturnedBlocks(control, this.layout, w));
  }
}
