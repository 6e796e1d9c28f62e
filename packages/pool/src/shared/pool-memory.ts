/** The shared memory of a pool, as one of its submitters sees it: the host, or a thread that submits from inside its jobs. */
import { Inbox } from "./inbox.ts";
import { JoinEdges } from "./join-edges.ts";
import { JobQueues, NO_THREAD } from "./job-queues.ts";
import { firstSlot, type Layout, slotCount, submitterOf } from "./layout.ts";
import { Parking } from "./parking.ts";
import { Places } from "./places.ts";
import { SlotTable } from "./slot.ts";
import { Statistics, STATISTICS_WORDS, StatisticsReader } from "./statistics.ts";
import type { ThreadTrace } from "./trace/thread-trace.ts";

export const HOST = 0;
/** Threads count from 1. */
export const HOST_SERIAL = 0;

export class PoolMemory {
  readonly #words: Int32Array;
  readonly layout: Layout;
  /** 0: the host. w + 1: thread w. */
  readonly submitter: number;
  readonly slots: SlotTable;
  readonly queues: JobQueues;
  readonly parking: Parking;
  readonly places: Places;
  readonly joins: JoinEdges;
  /** By submitter. */
  readonly inboxes: readonly Inbox[];
  /** Of this submitter. */
  readonly statistics: Statistics;
  readonly allStatistics: StatisticsReader;
  readonly firstSlot: number;
  readonly slotCount: number;
  /** Of this submitter; null unless the pool is traced. It changes in the event loop alone, between two jobs. */
  trace: ThreadTrace | null;

  constructor(
    control: SharedArrayBuffer,
    slots: SharedArrayBuffer,
    layout: Layout,
    submitter: number,
    trace: ThreadTrace | null = null,
  ) {
    this.trace = trace;
    const words = (this.#words = new Int32Array(control));
    const submitters = Array.from({ length: layout.places + 1 }, (_, i) => i);
    this.layout = layout;
    this.places = new Places(words, layout);
    this.submitter = submitter;
    this.slots = new SlotTable(slots, layout);
    this.statistics = new Statistics(words, layout.statisticsWord + submitter * STATISTICS_WORDS);
    this.allStatistics = new StatisticsReader(words, layout.statisticsWord, layout.places + 1);
    const self = submitter === HOST ? NO_THREAD : submitter - 1;
    this.queues = new JobQueues(words, layout, this.slots, self);
    this.parking = new Parking(words, layout);
    this.inboxes = submitters.map((s) => new Inbox(words, layout, this.slots, s));
    this.joins = new JoinEdges(words, layout, this.places, this.slots, (serial) => this.#placeOf(serial));
    this.firstSlot = firstSlot(layout, submitter);
    this.slotCount = slotCount(layout, submitter);
  }

  /** The place of the thread with this serial; -1 when it has ended, and the next one has its place. */
  #placeOf(serial: number): number {
    for (let w = 0; w < this.places.used; w++) {
      if (this.inboxes[w + 1]!.ownerSerial === serial) return w;
    }
    return -1;
  }

  /** Before a thread starts in place `index`, whose slots are all free. */
  prepareThread(index: number, serial: number): void {
    this.places.use(index);
    this.parking.setDead(index);
    this.joins.end(index);
    this.inboxes[index + 1]!.setOwner(serial);
    this.queues.prepareDeque(index);
  }

  /** The serial of the thread that submitted the job in `slot`: its arena holds what the job names. */
  submitterSerial(slot: number): number {
    const submitter = submitterOf(this.layout, slot);
    return submitter === HOST ? HOST_SERIAL : this.inboxes[submitter]!.ownerSerial;
  }

  /** Of another submitter, whose thread has ended. */
  statisticsOf(submitter: number): Statistics {
    return new Statistics(this.#words, this.layout.statisticsWord + submitter * STATISTICS_WORDS);
  }

  get inbox(): Inbox {
    return this.inboxes[this.submitter]!;
  }
}
