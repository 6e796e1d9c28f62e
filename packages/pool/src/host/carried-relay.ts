/**
 * Carried values on their way through the host. It holds the arguments of jobs that no thread has taken, its own and those that threads
 * submit, and passes results on to threads.
 *
 * A job of the host goes past the queues, with its values in one message, to a thread that has nothing to do. When there is none it may be
 * sent a little ahead of one that is quick (thread-lead.ts), if it carries nothing but memory: with all others of these microtasks in one
 * message, and what they carry, if it is large, in the thread's lane (transfer/memory-lane.ts). Otherwise it is queued. From there the host
 * sends it ahead later on, or whoever claims it asks for the values. No job overtakes another of its priority that waits in a queue, and none
 * is sent ahead while jobs wait in several of them.
 */
import type { Transferable } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import type { Carried } from "../codec/carried.ts";
import type { HandedJob, HostMessage } from "../messages/protocol.ts";
import { NO_JOB } from "../shared/job-queues.ts";
import { submitterOf } from "../shared/layout.ts";
import { ASLEEP, BUSY, IDLE, SEARCHING } from "../shared/parking.ts";
import { HOST, HOST_SERIAL, type PoolMemory } from "../shared/pool-memory.ts";
import { Promise, promiseThen } from "../shared/intrinsics.ts";
import { OWN } from "../shared/reach.ts";
import { QUEUED } from "../shared/slot.ts";
import type { PendingJob } from "../submit/pending-job.ts";
import type { ArgumentsHolder } from "../submit/arguments-holder.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { detach, giveUp } from "../transfer/detach.ts";
import { withoutEndedPorts } from "../transfer/ended-ports.ts";
import { TransientMap } from "../transfer/transient-map.ts";
import type { PoolThread } from "./pool-thread.ts";
import type { ThreadRoster } from "./thread-roster.ts";
import { now as clockNow, setImmediate } from "../shared/timers.ts";

const settled: Promise<void> = Promise.resolve();

/** What the relay needs from the host. */
export interface RelayEvents {
  /** Whether a thread would be started for a job that waits. */
  mayStart(): boolean;
  /** The host's job in this slot of the host; null: the slot is free. */
  jobIn(slot: number): PendingJob | null;
  /** The thread has not begun the job in `slot`, with the arguments `id`, and will not: it is to be queued again, if it is not over. */
  requeue(slot: number, id: number): void;
}

/** Who has a job of the host, or is about to get it. */
interface Given {
  readonly thread: PoolThread;
  isSent: boolean;
}

interface OutgoingJob {
  readonly slot: number;
  /** Of what it carries. */
  readonly id: number;
}

export class CarriedRelay implements ArgumentsHolder {
  readonly #memory: PoolMemory;
  readonly #roster: ThreadRoster;
  /** What is held, and results for the host. */
  readonly #carried: CarriedValues;
  readonly #events: RelayEvents;
  /** By the number of what the job carries. */
  readonly #given = new TransientMap<number, Given>();
  /** Assigned, and to be sent at the end of these microtasks, or of this turn. */
  readonly #outgoing = new TransientMap<PoolThread, OutgoingJob[]>();
  readonly #wanted: { readonly thread: PoolThread; readonly id: number }[] = [];
  readonly #returned: { readonly thread: PoolThread; readonly slot: number; readonly id: number }[] = [];
  #turnIsDue = false;
  #isSendingDue = false;

  constructor(memory: PoolMemory, roster: ThreadRoster, carried: CarriedValues, events: RelayEvents) {
    this.#memory = memory;
    this.#roster = roster;
    this.#carried = carried;
    this.#events = events;
  }

  // For the host's own jobs.

  hold(carried: Carried): void {
    this.#carried.add(detach(carried, "args"));
  }

  drop(id: number): void {
    this.#carried.drop(id);
    const given = this.#given.get(id);
    if (given === undefined) return;
    this.#given.delete(id);
    const { lead } = given.thread;
    lead.ended(clockNow());
    if (this.#memory.queues.isEmpty()) return;
    // Many results may be settled in one turn: the thread would have nothing to do until it ends.
    if (lead.isLow) this.#refill();
    else this.#nextTurn();
  }

  isUntouched(id: number): boolean {
    return this.#carried.has(id) && this.#given.get(id)?.isSent !== true;
  }

  threadFor(job: PendingJob): number {
    const { queues, parking } = this.#memory;
    // An exclusive job is for a thread that has nothing else, which only the thread itself can say.
    if (job.options.isExclusive || !queues.isEmpty()) return 0;
    const threads = this.#roster.taking();
    let asleep = 0;
    for (const { index, lead, serial } of threads) {
      if (!lead.isFree || parking.reachOf(index) === OWN) continue;
      const state = parking.state(index);
      // The one that looks on is there at once, one that sleeps has to be woken.
      if (state === SEARCHING) return serial;
      if (state === ASLEEP || state === IDLE) asleep = serial;
    }
    if (asleep !== 0) return asleep;
    const now = clockNow();
    const thread = this.#nextToRunDry(threads, now);
    return thread !== null && this.#mayBeAhead(job) ? thread.serial : 0;
  }

  give(serial: number, slot: number, id: number): void {
    const thread = this.#roster.withSerial(serial)!;
    const isFree = thread.lead.isFree;
    this.#assign(thread, slot, id);
    // At once: the caller may block this thread now. Otherwise with what else is submitted in these microtasks.
    if (isFree) this.#sendAll();
    else if (!this.#isSendingDue) {
      AsyncScope.root.run(promiseThen, settled, this.#onSendingDue);
      this.#isSendingDue = true;
    }
  }

  queued(id: number): void {
    this.#carried.park(id);
    this.#nextTurn();
  }

  // For threads.

  onHold(carried: Carried): void {
    this.#carried.add(carried);
  }

  /** Answers when everything else of this turn was heard: that the thread has ended, perhaps, and its jobs are somebody else's. */
  onWanted(thread: PoolThread, id: number): void {
    this.#wanted.push({ thread, id });
    this.#nextTurn();
  }

  onReturned(thread: PoolThread, jobs: readonly HandedJob[]): void {
    for (const { slot, carried } of jobs) {
      this.#carried.add(carried);
      const given = this.#given.get(carried.id);
      this.#given.delete(carried.id);
      if (given !== undefined) given.thread.lead.returned();
      this.#returned.push({ thread, slot, id: carried.id });
    }
    this.#nextTurn();
  }

  onResult({ to, id, values, transfer }: Carried & { readonly to: number }): void {
    const carried: Carried = { id, values, transfer };
    const thread = to === HOST_SERIAL ? null : this.#roster.withSerial(to);
    if (to === HOST_SERIAL) this.#carried.add(carried);
    else if (thread === null) giveUp(carried);
    else this.#post(thread, [carried], carriedMessage);
  }

  /** This thread has ended: nobody waits for the jobs that it submitted, and what it was not sent yet is somebody else's. */
  onExit(thread: PoolThread): void {
    this.#carried.dropOf(thread.serial);
    this.#outgoing.delete(thread);
    for (const [id, given] of this.#given.entries()) if (given.thread === thread) this.#given.delete(id);
    thread.lane.close();
    thread.results.close();
  }

  /** The pool is closed. */
  close(): void {
    this.#carried.close();
  }

  #nextTurn(): void {
    if (this.#turnIsDue) return;
    AsyncScope.root.run(setImmediate, this.#onTurn);
    this.#turnIsDue = true;
  }

  readonly #onSendingDue = (): void => {
    this.#isSendingDue = false;
    this.#sendAll();
  };

  readonly #onTurn = (): void => {
    this.#turnIsDue = false;
    for (const { thread, slot, id } of this.#returned.splice(0))
      if (!thread.hasEnded) this.#events.requeue(slot, id);
    for (const { thread, id } of this.#wanted.splice(0)) if (!thread.hasEnded) this.#answer(thread, id);
    this.#refill();
  };

  #refill(): void {
    this.#sendAhead();
    this.#sendAll();
  }

  #answer(thread: PoolThread, id: number): void {
    const carried = this.#carried.find(id);
    if (carried === null) {
      this.#post(thread, [], () => ({ type: "carried-gone", id }));
      return;
    }
    if (this.#carried.isOwn(id)) this.#note(thread, id).isSent = true;
    this.#post(thread, [carried], carriedMessage);
  }

  /** Out of the queue, to threads that will soon have nothing to do. */
  #sendAhead(): void {
    const { queues, layout, slots } = this.#memory;
    if (queues.isEmpty()) return;
    const threads = this.#roster.taking();
    const now = clockNow();
    for (;;) {
      const thread = this.#nextToRunDry(threads, now);
      if (thread === null) return;
      const slot = queues.takeFromOnly(thread.serial, (entry) => {
        if (submitterOf(layout, entry) !== HOST) return false;
        const job = this.#events.jobIn(entry);
        // The entry of a former job is nobody's.
        return job === null || slots.state(entry) !== QUEUED || this.#mayBeAhead(job);
      });
      if (slot === NO_JOB) return;
      this.#assign(thread, slot, this.#events.jobIn(slot)!.extras.carriedId);
    }
  }

  /** The thread that has least to do of those that may be given more; null when somebody else will come for a job. */
  #nextToRunDry(threads: readonly PoolThread[], now: number): PoolThread | null {
    if (this.#events.mayStart()) return null;
    const { parking } = this.#memory;
    let next: PoolThread | null = null;
    for (const thread of threads) {
      const { lead, index } = thread;
      if (parking.reachOf(index) === OWN) continue;
      if (lead.jobs === 0 && parking.state(index) !== BUSY) return null;
      const hasRoom = lead.hasRoom(now, parking.paceOf(index));
      if (hasRoom && (next === null || lead.jobs < next.lead.jobs)) next = thread;
    }
    return next;
  }

  #mayBeAhead({ extras, options }: PendingJob): boolean {
    // Only the thread itself can say when it has nothing else.
    if (extras.carriedId === 0 || options.isExclusive) return false;
    return this.#carried.hasMemory(extras.carriedId);
  }

  #assign(thread: PoolThread, slot: number, id: number): void {
    this.#note(thread, id);
    // The thread knows nothing of the slot yet.
    this.#memory.slots.notBegun(slot);
    const jobs = this.#outgoing.get(thread);
    if (jobs === undefined) this.#outgoing.set(thread, [{ slot, id }]);
    else jobs.push({ slot, id });
  }

  #note(thread: PoolThread, id: number): Given {
    const given: Given = { thread, isSent: false };
    this.#given.set(id, given);
    thread.lead.given(clockNow());
    return given;
  }

  #sendAll(): void {
    for (const [thread, jobs] of this.#outgoing.entries()) {
      // Its jobs are being settled; what it was not sent is found again there, with its values.
      if (thread.hasEnded) continue;
      this.#outgoing.delete(thread);
      // It was told to leave since, or has begun an exclusive job: it may end before it hears of them.
      if (thread.isLeaving || !this.#memory.parking.beginHanding(thread.index)) {
        for (const { slot, id } of jobs) this.#takeBack(thread, slot, id);
        continue;
      }
      try {
        this.#hand(thread, jobs);
      } finally {
        this.#memory.parking.endHanding(thread.index);
      }
    }
  }

  #hand(thread: PoolThread, jobs: readonly OutgoingJob[]): void {
    for (const { id } of jobs) this.#given.get(id)!.isSent = true;
    // For a thread that has nothing else it comes with its job.
    if (thread.lead.jobs > 1 && this.#isLargeMemory(jobs)) {
      this.#handMemory(thread, jobs);
      return;
    }
    const carried = jobs.map(({ id }) => this.#carried.find(id)!);
    this.#post(thread, carried, (sent) => ({
      type: "handed",
      jobs: jobs.map(({ slot }, i) => ({ slot, carried: sent[i]! })),
    }));
  }

  #isLargeMemory(jobs: readonly OutgoingJob[]): boolean {
    return (
      jobs.every(({ id }) => this.#carried.hasMemory(id)) &&
      jobs.some(({ id }) => this.#carried.hasLargeMemory(id))
    );
  }

  /** The thread takes what a job carries when it runs that. */
  #handMemory(thread: PoolThread, jobs: readonly OutgoingJob[]): void {
    for (const { id } of jobs) {
      thread.lane.send(this.#carried.find(id)!);
      this.#carried.forget(id);
    }
    thread.post({ type: "handed-memory", slots: jobs.map(({ slot }) => slot) });
    this.#memory.parking.announceMail(thread.index);
  }

  #takeBack(thread: PoolThread, slot: number, id: number): void {
    this.#given.delete(id);
    thread.lead.takenBack();
    this.#events.requeue(slot, id);
  }

  /** What is not moved away stays until the job is over: it may run again. */
  #post(
    thread: PoolThread,
    carried: readonly Carried[],
    messageWith: (carried: readonly Carried[]) => HostMessage,
  ): void {
    try {
      thread.post(messageWith(carried), transferOf(carried));
    } catch {
      const sendable = carried.map(withoutEndedPorts);
      thread.post(messageWith(sendable), transferOf(sendable));
    }
    for (const { id, transfer } of carried) if (transfer.length > 0) this.#carried.forget(id);
    this.#memory.parking.announceMail(thread.index);
  }
}

function transferOf(carried: readonly Carried[]): Transferable[] {
  const transfer: Transferable[] = [];
  for (const each of carried) transfer.push(...each.transfer);
  return transfer;
}

function carriedMessage([carried]: readonly Carried[]): HostMessage {
  const { id, values, transfer } = carried!;
  return { type: "carried", id, values, transfer };
}
