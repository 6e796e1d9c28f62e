/**
 * A job's way into a slot and to the threads, and back out of the slot as long as no thread has claimed it.
 *
 * Moves      of JOB.stage (ledger.ts), each with the slot's own word (shared/slot.ts)
 *            | `enqueue`, `enqueueAt` | WAITING → IN_SLOT | FREE → QUEUED: in a ring, the thread's own deque, or the mailbox of one thread
 *            | `assign`               | WAITING → IN_SLOT | FREE → RUNNING: a thread has it past all queues
 *            | `publishAgain`         | IN_SLOT           | RUNNING → QUEUED: the thread has not begun it
 *            | `withdraw`             | IN_SLOT           | QUEUED → FREE, the slot still the job's
 *            | `recall`               | WAITING, or → IN_SLOT | FREE, QUEUED → FREE; or a thread has it: see there
 *            | `takeOut`, `empty`     | IN_SLOT → WAITING | the slot is another job's from now on
 */
import { PRIORITIES } from "../shared/layout.ts";
import type { Payloads } from "../shared/payloads.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { OWN } from "../shared/reach.ts";
import { FREE, placedWord, QUEUED, queuedWord } from "../shared/slot.ts";
import type { Home } from "./home.ts";
import type { JobHoldings } from "./job-holdings.ts";
import { type JobTable, NONE_FREE } from "./job-table.ts";
import { IN_SLOT, type PendingJob, WAITING } from "./pending-job.ts";
import { argumentsInSlot, fillSlot } from "./slot-filling.ts";

export const NORMAL: number = PRIORITIES.indexOf("normal");

export interface QueuedSlotsParts {
  readonly memory: PoolMemory;
  readonly table: JobTable;
  readonly payloads: Payloads;
  readonly holdings: JobHoldings;
}

export class QueuedSlots {
  readonly #memory: PoolMemory;
  readonly #table: JobTable;
  readonly #payloads: Payloads;
  readonly #holdings: JobHoldings;

  constructor({ memory, table, payloads, holdings }: QueuedSlotsParts) {
    this.#memory = memory;
    this.#table = table;
    this.#payloads = payloads;
    this.#holdings = holdings;
  }

  /** Into a slot and a queue. @returns false when there is no room. */
  enqueue(job: PendingJob, args: Uint8Array): boolean {
    const slot = this.#table.take(job);
    if (slot === NONE_FREE) return false;
    fillSlot(this.#memory, this.#payloads, slot, job, args);
    const { slots } = this.#memory;
    const word = queuedWord(job.options.isExclusive);
    slots.publish(slot, word);
    if (!this.#push(job, slot) && slots.withdraw(slot, word)) {
      this.#table.free(slot);
      return false;
    }
    // Queued; or the ring was full, but a thread came by a former entry of this slot and has claimed the job (slot.ts I4).
    moveTo(job, slot);
    return true;
  }

  /** A job whose way here broke off: out of its slot, or IN_SLOT after all if a thread has it already. */
  recall(job: PendingJob): void {
    if (job.stage !== WAITING) return;
    const { slots } = this.#memory;
    for (const [slot, each] of this.#table.entries()) {
      if (each !== job) continue;
      job.slot = slot;
      if (slots.state(slot) === FREE || this.withdraw(job)) this.#holdings.freeSlot(slot, job);
      else moveTo(job, slot);
      return;
    }
  }

  /** The same, into the mailbox of one thread. */
  enqueueAt(job: PendingJob, args: Uint8Array, home: Home): boolean {
    const slot = this.#table.take(job);
    if (slot === NONE_FREE) return false;
    // First: `recall` has to know whose slot it is.
    job.extras = { ...job.extras, home };
    home.inSlots++;
    home.inSlotsOf[job.options.priority]!++;
    fillSlot(this.#memory, this.#payloads, slot, job, args);
    const { slots, queues, parking } = this.#memory;
    const word = placedWord(home.serial, job.options.priority, job.options.isExclusive);
    slots.publishPlaced(slot, word);
    if (!queues.pushPlaced(home.place, slot) && slots.withdraw(slot, word)) {
      this.#holdings.freeSlot(slot, job);
      return false;
    }
    moveTo(job, slot);
    parking.wake(home.place);
    return true;
  }

  /** Into a slot that is a thread's already; one is free. */
  assign(job: PendingJob, args: Uint8Array, serial: number): void {
    const slot = this.#table.take(job);
    fillSlot(this.#memory, this.#payloads, slot, job, args);
    this.#memory.slots.notBegun(slot);
    this.#memory.slots.assign(slot, serial);
    moveTo(job, slot);
  }

  /** Nobody runs the job in this slot any more, and it has not begun. In no queue yet. */
  publishAgain(slot: number): void {
    const { slots } = this.#memory;
    slots.release(slot);
    slots.takenBack(slot);
    slots.publish(slot, queuedWord(slots.isExclusive(slot)));
  }

  /** @returns whether no thread has claimed the job, nor will. */
  withdraw({ slot, options, extras: { home } }: PendingJob): boolean {
    const { priority, isExclusive } = options;
    const word = home === null ? queuedWord(isExclusive) : placedWord(home.serial, priority, isExclusive);
    return this.#memory.slots.withdraw(slot, word);
  }

  /** Withdraws a job that waits. @returns its inline arguments; null: its thread has it already. */
  takeOut(job: PendingJob): Uint8Array | null {
    return this.withdraw(job) ? this.empty(job) : null;
  }

  /** The job, which nobody has, is WAITING again. @returns its inline arguments. */
  empty(job: PendingJob): Uint8Array {
    const args = argumentsInSlot(this.#memory, job);
    this.#holdings.freeSlot(job.slot, job);
    job.stage = WAITING;
    return args;
  }

  /** The jobs that are queued for this thread alone, oldest first. */
  queuedAt(home: Home): PendingJob[] {
    const { slots } = this.#memory;
    const queued: PendingJob[] = [];
    for (const [slot, job] of this.#table.entries()) {
      if (job.extras.home === home && slots.state(slot) === QUEUED) queued.push(job);
    }
    // Positions in the mailbox, which wrap around.
    return queued.toSorted((a, b) => (slots.ticket(a.slot) - slots.ticket(b.slot)) | 0);
  }

  /** Jobs of normal priority that a job submits stay with its thread, until somebody steals them (A3.8). */
  #push({ options }: PendingJob, slot: number): boolean {
    const { queues, submitter } = this.#memory;
    if (options.isExclusive || submitter === HOST)
      return queues.push(options.priority, slot, options.isExclusive);
    return options.priority === NORMAL || queues.reach === OWN
      ? queues.pushLocal(slot)
      : queues.push(options.priority, slot, false);
  }
}

function moveTo(job: PendingJob, slot: number): void {
  job.slot = slot;
  job.stage = IN_SLOT;
}
