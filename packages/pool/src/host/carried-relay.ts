/**
 * Carried values on their way through the host. It holds the arguments of jobs that no thread has taken, its own and those that threads
 * submit, and passes results on to threads. A job of the host goes past the queues, with its values in one message, to a thread that has
 * nothing to do, or a little ahead of one that is quick (thread-lead.ts). Otherwise it is queued, and whoever claims it asks for the
 * values. No job overtakes another of its priority that waits in a queue.
 */
import { AsyncScope } from "@skein/context";
import type { Carried } from "../codec/carried.ts";
import type { HostMessage } from "../protocol.ts";
import { ASLEEP, BUSY, IDLE, SEARCHING } from "../shared/parking.ts";
import { HOST_SERIAL, type PoolMemory } from "../shared/pool-memory.ts";
import { NO_SLOT, type PendingJob } from "../submit/pending-job.ts";
import type { ArgumentsHolder } from "../transfer/arguments-holder.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { detach, giveUp } from "../transfer/detach.ts";
import type { PoolThread } from "./pool-thread.ts";
import type { ThreadRoster } from "./thread-roster.ts";

/** A job of the host that waits in a queue. */
interface Queued {
  readonly job: PendingJob;
  /** Among all jobs of the host. */
  readonly sequence: number;
}

export class CarriedRelay implements ArgumentsHolder {
  readonly #memory: PoolMemory;
  readonly #roster: ThreadRoster;
  /** What is held, and results for the host. */
  readonly #carried: CarriedValues;
  readonly #mayStart: () => boolean;
  readonly #reassign: (job: PendingJob, serial: number) => boolean;
  /** Who has which job of the host. */
  readonly #given = new Map<number, PoolThread>();
  readonly #wanted: { readonly thread: PoolThread; readonly id: number }[] = [];
  /** By the number of what they carry, in the order in which they were submitted; those that were taken meanwhile included. */
  readonly #queued = new Map<number, Queued>();

  /**
   * @param mayStart Whether a thread would be started for a job that waits.
   * @param reassign Takes a job out of its queue, for the thread with this serial alone. False: a thread has it, or it is over.
   */
  constructor(
    memory: PoolMemory,
    roster: ThreadRoster,
    carried: CarriedValues,
    mayStart: () => boolean,
    reassign: (job: PendingJob, serial: number) => boolean,
  ) {
    this.#memory = memory;
    this.#roster = roster;
    this.#carried = carried;
    this.#mayStart = mayStart;
    this.#reassign = reassign;
  }

  // For the host's own jobs.

  hold(carried: Carried): void {
    this.#carried.add(detach(carried, "args"));
  }

  drop(id: number): void {
    this.#carried.drop(id);
    this.#queued.delete(id);
    const thread = this.#given.get(id);
    if (thread === undefined) return;
    this.#given.delete(id);
    thread.lead.ended(performance.now());
  }

  isUntouched(id: number): boolean {
    return this.#carried.has(id) && !this.#given.has(id);
  }

  threadFor(): number {
    if (!this.#memory.queues.isEmpty()) return 0;
    const now = performance.now();
    let asleep = 0;
    let ahead: PoolThread | null = null;
    for (const thread of this.#roster.staying()) {
      const state = this.#memory.parking.state(thread.index);
      if (thread.lead.isDone) {
        // The one that looks on is there at once, one that sleeps has to be woken.
        if (state === SEARCHING) return thread.serial;
        if (state === ASLEEP || state === IDLE) asleep = thread.serial;
      }
      if (thread.lead.hasRoom(now) && (ahead === null || thread.lead.jobs < ahead.lead.jobs)) ahead = thread;
    }
    if (asleep !== 0) return asleep;
    return ahead === null || this.#mayStart() ? 0 : ahead.serial;
  }

  give(serial: number, slot: number, id: number): void {
    const thread = this.#roster.withSerial(serial)!;
    const carried = this.#carried.find(id)!;
    this.#isWith(thread, id);
    this.#post(thread, { type: "run", slot, carried }, carried);
  }

  queued(job: PendingJob, sequence: number): void {
    this.#queued.set(job.extras.carriedId, { job, sequence });
  }

  // For threads.

  onHold(carried: Carried): void {
    this.#carried.add(carried);
  }

  /** Answers when everything else of this turn was heard: that the thread has ended, perhaps, and its jobs are somebody else's. */
  onWanted(thread: PoolThread, id: number): void {
    if (this.#wanted.push({ thread, id }) === 1) AsyncScope.root.run(setImmediate, this.#answer);
  }

  readonly #answer = (): void => {
    for (const { thread, id } of this.#wanted.splice(0)) if (!thread.hasEnded) this.#send(thread, id);
  };

  #send(thread: PoolThread, id: number): void {
    const carried = this.#carried.find(id);
    if (carried === null) {
      this.#post(thread, { type: "carried-gone", id }, null);
      return;
    }
    const { values, transfer } = carried;
    this.#post(thread, { type: "carried", id, values, transfer }, carried);
    if (this.#carried.isOwn(id)) this.#isWith(thread, id);
    const entry = this.#queued.get(id);
    if (entry !== undefined) this.#giveNext(thread, entry);
  }

  onResult({ to, id, values, transfer }: Carried & { readonly to: number }): void {
    const carried: Carried = { id, values, transfer };
    const thread = to === HOST_SERIAL ? null : this.#roster.withSerial(to);
    if (to === HOST_SERIAL) this.#carried.add(carried);
    else if (thread === null) giveUp(carried);
    else this.#post(thread, { type: "carried", id, values, transfer }, carried);
  }

  /** The thread with this serial has ended: nobody waits for the jobs that it submitted. */
  onExit(serial: number): void {
    this.#carried.dropOf(serial);
  }

  /** The thread has claimed this job. It gets those right behind it too, if everybody else is busy: it need not ask for each. */
  #giveNext(thread: PoolThread, { job, sequence }: Queued): void {
    const { parking } = this.#memory;
    const now = performance.now();
    let last = sequence;
    for (const [id, next] of this.#queued) {
      if (next.sequence <= sequence) {
        // Claimed before, or this is the one.
        this.#queued.delete(id);
        continue;
      }
      if (next.job.slot === NO_SLOT) return;
      if (next.sequence !== ++last || next.job.options.priority !== job.options.priority) return;
      if (
        !thread.lead.hasRoom(now) ||
        this.#roster.staying().some(({ index }) => parking.state(index) !== BUSY)
      )
        return;
      this.#queued.delete(id);
      if (this.#reassign(next.job, thread.serial)) this.give(thread.serial, next.job.slot, id);
    }
  }

  #isWith(thread: PoolThread, id: number): void {
    this.#given.set(id, thread);
    thread.lead.given(performance.now());
  }

  /** What is not moved away stays until the job is over: it may run again. */
  #post(thread: PoolThread, message: HostMessage, carried: Carried | null): void {
    if (carried === null || carried.transfer.length === 0) {
      thread.post(message);
    } else {
      thread.post(message, carried.transfer);
      this.#carried.forget(carried.id);
    }
    this.#memory.parking.announceMail(thread.index);
  }
}
