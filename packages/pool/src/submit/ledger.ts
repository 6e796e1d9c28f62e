/**
 * The ledger of one submitting thread, the host or a pool thread: every job from its acceptance to its settlement.
 *
 * Nothing of the user's runs while an entry moves. Taking results in (`collect`), recovering what a dead thread had and giving jobs up
 * only write outcomes down; `deliver` then settles them one by one, each in a guard of its own, and whatever runs there may submit,
 * join, cancel or close: it finds a ledger that is whole.
 *
 * Words      JOB.stage, JOB.slot; plain, this thread alone. What a thread does with a slot: shared/slot.ts
 * Stage      | value     | means                                     | the job holds                     | entered by
 *            | 0 WAITING | accepted, no slot yet                     | its place in the backlog, memory  | accept; again, after a crash
 *            | 1 IN_SLOT | in a slot; the slot's word says the rest  | a slot, memory                    | accept, refill
 *            | 2 HERE    | taken back: its function runs here        | nothing                           | takeBack
 *            | 3 DECIDED | its outcome is written down               | a slot while a thread is at it    | collect, cancel, fail, recover, lose
 *            | 4 SETTLED | its task has the outcome                  | as DECIDED                        | deliver; endHere
 *            "memory": argument bytes, a use of its context, carried values, streams among its arguments, a progress listener. `#forget` gives
 *            it back, once.
 * Moves      upwards only, but for IN_SLOT → WAITING (a job with retries whose thread died; a job for one thread alone whose home has
 *            closed, placed-jobs.ts). DECIDED and SETTLED with a slot: the job was
 *            given up while a thread has it; when the thread is done, or has ended, the slot is released and nothing else happens.
 *            WAITING → DECIDED leaves the entry in the backlog, where it is skipped. A streaming job stays IN_SLOT until its generator has
 *            ended; that it is one, and each time that somebody has to look, is news, which `deliver` tells before it tells outcomes.
 * Invariants I1 Every accepted job is DECIDED once: only a job below DECIDED is decided. And SETTLED once: only `deliver` takes outcomes.
 *            I2 `outstanding` counts jobs below SETTLED.
 *            I3 A slot is released only when no thread can touch it (slot.ts I3).
 *            I4 What was taken out of the inbox and not looked at (`hasMore`, the host alone) is DONE or a stream's link, and keeps its slot, so a
 *               batch fits into `#finished`. The inbox is taken anew only when the batch is empty: what was linked first is read first. Whoever
 *               recovers or gives up everything collects without a limit before.
 */
import { AsyncScope } from "@skein/context";
import { NotArrived } from "../codec/carried.ts";
import type { Decoder } from "../codec/decoder.ts";
import {
  JobCanceledError,
  NotCloneableError,
  PoolClosedError,
  QueueFullError,
  ThreadCrashedError,
} from "../errors.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { Payloads } from "../shared/payloads.ts";
import { OWN } from "../shared/reach.ts";
import { PRIORITIES } from "../shared/layout.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { NOT_BEGUN, OUTCOME_RESULT, OUTCOME_STOPPED, placedWord, QUEUED, RUNNING } from "../shared/slot.ts";
import { COUNTERS } from "../shared/statistics.ts";
import { clearTimeout, setTimeout } from "../shared/timers.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import type { ArgumentPumps } from "./argument-pumps.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import { Backlog } from "./backlog.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { Home, Homes } from "./home.ts";
import { PlacedJobs } from "./placed-jobs.ts";
import type { Placement } from "./submit-options.ts";
import type { ContextEntry, ContextTable } from "./context-table.ts";
import type { FunctionRegistry } from "./function-registry.ts";
import { noExtras } from "./job-extras.ts";
import { type JobTable, NONE_FREE } from "./job-table.ts";
import { OpenStreams } from "./open-streams.ts";
import { outcomeCounters, outcomeNames, Outcomes, publishOutcome, tell } from "./outcomes.ts";
import {
  CANCELED,
  COMPLETED,
  CRASHED,
  DECIDED,
  FAILED,
  HERE,
  NO_SLOT,
  type OutcomeKind,
  type PendingJob,
  IN_SLOT,
  SETTLED,
  THREW,
  WAITING,
} from "./pending-job.ts";
import type { ProgressListeners } from "./progress-listeners.ts";
import { argumentsInSlot, fillSlot, noArguments } from "./slot-filling.ts";
import { SlotOutcomes } from "./slot-outcomes.ts";

/** How much may wait. */
export interface QueueLimits {
  /** Jobs in slots and in the backlog: those that run, and those that wait. Changes with the number of threads. */
  jobs: number;
  /** Of the encoded arguments of these jobs, and of the contexts that they name. */
  readonly bytes: number;
  /** As the user gave it, for the error. */
  readonly maxQueue: number;
}

/** What a ledger tells its thread, and asks of it. None of it runs user code, but for `queued`, which is always the last step. */
export interface LedgerThread {
  /** A job is outstanding, and none was. */
  active(): void;
  /** The last outstanding job has settled. */
  idle(): void;
  /** Jobs were queued: somebody has to run them. May start a thread, and so call listeners of the user's. */
  queued(exclusive: boolean): void;
  /** The cancel flag of a running job was set: the thread with this serial may be waiting in its event loop. */
  cancelRequested(serial: number, slot: number): void;
  /** Takes in what threads have posted, without waiting. */
  takeMessages(): void;
  /** A job that was asked to stop has not: the thread with this serial has to be ended. */
  terminate(serial: number): void;
  /** Somebody waits for the next item of a stream. */
  awaited(): void;
}

export interface LedgerParts {
  readonly memory: PoolMemory;
  readonly table: JobTable;
  readonly payloads: Payloads;
  readonly functions: FunctionRegistry;
  readonly sharedBuffers: SharedBuffers;
  readonly arenas: Arenas;
  readonly contexts: ContextTable;
  readonly carried: CarriedValues;
  readonly decoder: Decoder;
  readonly holder: ArgumentsHolder;
  readonly progress: ProgressListeners;
  readonly pumps: Pick<ArgumentPumps, "free">;
  readonly limits: QueueLimits;
  readonly homes: Homes | null;
  readonly thread: LedgerThread;
}

/** A ring full of withdrawn entries empties as soon as a thread looks; so long until it is tried again. */
const RING_FULL_RETRY_MS = 1;
const NORMAL: number = PRIORITIES.indexOf("normal");
/** Inline continuations may cancel jobs whose inline continuations cancel jobs: beyond it the outermost `deliver` goes on. */
const MAX_DEPTH = 64;

export class Ledger {
  readonly #parts: LedgerParts;
  readonly #memory: PoolMemory;
  readonly #table: JobTable;
  readonly #thread: LedgerThread;
  readonly #backlogs: readonly Backlog[] = PRIORITIES.map(() => new Backlog());
  /** Jobs that one thread alone may run. */
  readonly #placed: PlacedJobs | null;
  readonly #outcomes = new Outcomes();
  readonly #streams: OpenStreams;
  /** What was taken out of the inbox, and how much of it was looked at. */
  readonly #finished: Int32Array;
  #finishedCount = 0;
  #finishedAt = 0;
  readonly #slotOutcomes: SlotOutcomes;
  /** Jobs that hold memory, and how much of it counts for the limit. */
  #jobs = 0;
  #bytes = 0;
  #outstanding = 0;
  #depth = 0;
  #isClosed = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#table = parts.table;
    this.#thread = parts.thread;
    this.#slotOutcomes = new SlotOutcomes(parts);
    this.#streams = new OpenStreams(parts, {
      awaited: () => parts.thread.awaited(),
      leave: (job) => {
        if (job.stage === IN_SLOT) this.#requestCancel(job.slot);
      },
      cancel: (job, reason) => this.cancel(job, reason),
    });
    this.#finished = new Int32Array(parts.memory.slotCount);
    this.#placed =
      parts.homes === null
        ? null
        : new PlacedJobs(parts.homes, {
            queue: (job, args, home) => this.#enqueueAt(job, args, home),
            queuedAt: (home) => this.#queuedAt(home),
            withdraw: (job) => this.#takeOut(job),
            fail: (job, error) => this.#giveUp(job, FAILED, error),
            tryAgain: () => this.#retryIfRingIsFull(),
          });
  }

  /** Jobs that were accepted and have not settled. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Whether any of them is more than a stream of which nobody waits for an item. For few jobs: looks at all streams. */
  get isAwaited(): boolean {
    return this.#outstanding > this.#streams.idleCount;
  }

  /** The job in this slot; null: the slot is free. */
  jobIn(slot: number): PendingJob | null {
    return this.#table.job(slot);
  }

  /** How many jobs wait for a slot, by priority; those that were given up included. */
  backlogSize(priority: number): number {
    return this.#backlogs[priority]!.size;
  }

  /** Whether `count` jobs or more wait for a thread. Looks at no more jobs than that, and at those that threads have. */
  hasWaiting(count: number): boolean {
    if (this.#outstanding < count) return false;
    let left = count;
    for (const backlog of this.#allBacklogs()) left -= backlog.countWaiting(left);
    for (const [slot] of this.#table.entries()) {
      if (left <= 0) return true;
      if (this.#memory.slots.state(slot) === QUEUED) left--;
    }
    return left <= 0;
  }

  /** The job to which `test` says yes, unless its outcome is decided. */
  find(test: (job: PendingJob) => boolean): PendingJob | null {
    for (const [, job] of this.#table.entries()) if (job.stage < DECIDED && test(job)) return job;
    for (const backlog of this.#allBacklogs()) {
      const job = backlog.find(test);
      if (job !== null) return job;
    }
    return null;
  }

  *#allBacklogs(): Iterable<Backlog> {
    yield* this.#backlogs;
    if (this.#placed !== null) yield* this.#placed.backlogs();
  }

  // Jobs that one thread alone may run: see placed-jobs.ts.

  /** How many wait. */
  get placedWaiting(): number {
    if (this.#placed === null || !this.#memory.places.hasPlaced) return 0;
    let count = this.#placed.countWaiting(Infinity);
    for (const [slot, { extras }] of this.#table.entries()) {
      if (extras.home !== null && this.#memory.slots.state(slot) === QUEUED) count++;
    }
    return count;
  }

  /** Whether the thread with this serial is the only one for jobs that have not ended: for any, or for jobs with the option `thread`. */
  isHome(serial: number, kind: Placement["kind"] | "any"): boolean {
    if (this.#placed === null) return false;
    const isOne = ({ options: { placement } }: PendingJob): boolean =>
      kind === "any" || placement!.kind === kind;
    for (const [, job] of this.#table.entries()) {
      if (job.extras.home?.serial === serial && isOne(job)) return true;
    }
    return this.#placed.isBehind(serial, isOne);
  }

  /** The thread with this serial takes no more jobs. The caller delivers. */
  closeHome(serial: number): void {
    this.#placed?.close(serial);
  }

  /** Whether outcomes are written down that nobody was told. */
  get hasUndelivered(): boolean {
    return !this.#outcomes.isEmpty;
  }

  /** There is one more thread. */
  settleHomeless(): void {
    this.#placed?.settle();
  }

  /** @throws ThreadGoneError. To be called as the last step of `admit`. */
  admitPlaced(placement: Placement): void {
    this.#placed!.admit(placement);
  }

  /** No job is accepted any more. */
  close(): void {
    this.#isClosed = true;
  }

  // Acceptance. From `admit` to the end of `accept` nothing of the user's runs.

  /**
   * The last check, after everything of the user's has run that encoding calls.
   * @throws PoolClosedError, QueueFullError.
   */
  admit(argsLength: number, context: ContextEntry | null, jobs = 1): void {
    const { limits, contexts } = this.#parts;
    if (this.#isClosed) throw new PoolClosedError();
    if (this.#jobs + jobs > limits.jobs) throw new QueueFullError("maxQueue", limits.maxQueue);
    const bytes = this.#bytes + argsLength * jobs + contexts.bytesInUse + contexts.bytesToAdd(context);
    if (bytes > limits.bytes) throw new QueueFullError("maxQueueBytes", limits.bytes);
  }

  /** Whether so many slots are free at this moment. */
  hasSlots(count: number): boolean {
    return this.#table.freeCount >= count;
  }

  /** @param args The encoded arguments, if they are to lie in the slot; valid during the call. */
  accept(job: PendingJob, args: Uint8Array): void {
    this.#count(job);
    if (job.options.placement !== null) {
      this.#placed!.accept(job, args);
      return;
    }
    const isCarried = job.extras.carriedId !== 0;
    if (isCarried && this.#give(job, args)) return;
    const backlog = this.#backlogs[job.options.priority]!;
    // Behind those that wait already: first in, first out.
    if (backlog.size === 0 && this.#enqueue(job, args)) {
      if (isCarried) this.#parts.holder.queued(job.extras.carriedId);
      this.#thread.queued(job.options.isExclusive);
      return;
    }
    backlog.add(job, args);
    if (isCarried) this.#parts.holder.queued(job.extras.carriedId);
    this.#retryIfRingIsFull();
  }

  /** Accepts a job into a slot that is the thread's already; the caller has asked `hasSlots`, and tells the thread. */
  assign(job: PendingJob, args: Uint8Array, serial: number): void {
    this.#count(job);
    this.#assign(job, args, serial);
  }

  #count(job: PendingJob): void {
    this.#jobs++;
    this.#bytes += job.argsLength;
    this.#memory.statistics.count(COUNTERS.submitted);
    if (this.#outstanding++ === 0) this.#thread.active();
  }

  #assign(job: PendingJob, args: Uint8Array, serial: number): void {
    const slot = this.#table.take(job);
    fillSlot(this.#memory, this.#parts.payloads, slot, job, args);
    this.#memory.slots.assign(slot, serial);
    this.#moveTo(job, slot);
  }

  /** Past the queues, if there is a thread for it: its carried arguments go there with one message. */
  #give(job: PendingJob, args: Uint8Array): boolean {
    const { holder } = this.#parts;
    const serial = this.hasSlots(1) ? holder.threadFor(job) : 0;
    if (serial === 0) return false;
    this.#assign(job, args, serial);
    holder.give(serial, job.slot, job.extras.carriedId);
    return true;
  }

  /** Slots have become free: the backlog moves up, high priority first. */
  refill(): void {
    let shared = false;
    let exclusive = false;
    // First: they leave slots to the others (Homes.maxSlots).
    if (this.#placed !== null) this.#placed.refill();
    for (const backlog of this.#backlogs) {
      while (backlog.size > 0) {
        const job = backlog.peek();
        if (job.stage === WAITING) {
          if (!this.#enqueue(job, job.block === 0 ? backlog.peekArguments() : noArguments)) {
            this.#retryIfRingIsFull();
            break;
          }
          if (job.options.isExclusive) exclusive = true;
          else shared = true;
        }
        backlog.shift();
      }
    }
    if (shared) this.#thread.queued(false);
    if (exclusive) this.#thread.queued(true);
  }

  /** Slots are free, and yet there was no room: no result that comes in will say when there is. */
  #retryIfRingIsFull(): void {
    if (!this.hasSlots(1) || this.#retry !== null) return;
    this.#retry = AsyncScope.root.run(setTimeout, this.#onRetry, RING_FULL_RETRY_MS);
  }

  readonly #onRetry = (): void => {
    this.#retry = null;
    this.#requeueLost();
    this.refill();
  };

  /** Into a slot and a queue. @returns false when there is no room. */
  #enqueue(job: PendingJob, args: Uint8Array): boolean {
    const slot = this.#table.take(job);
    if (slot === NONE_FREE) return false;
    fillSlot(this.#memory, this.#parts.payloads, slot, job, args);
    const { slots } = this.#memory;
    slots.publish(slot);
    if (!this.#queue(job, slot) && slots.withdraw(slot)) {
      this.#table.free(slot);
      return false;
    }
    // Queued; or the ring was full, but a thread came by a former entry of this slot and has claimed the job (slot.ts I4).
    this.#moveTo(job, slot);
    return true;
  }

  /** The same, into the mailbox of one thread. */
  #enqueueAt(job: PendingJob, args: Uint8Array, home: Home): boolean {
    const slot = this.#table.take(job);
    if (slot === NONE_FREE) return false;
    fillSlot(this.#memory, this.#parts.payloads, slot, job, args);
    const { slots, queues, parking } = this.#memory;
    const word = placedWord(home.serial, job.options.priority, job.options.isExclusive);
    slots.publishPlaced(slot, word);
    if (!queues.pushPlaced(home.place, slot) && slots.withdrawPlaced(slot, word)) {
      this.#table.free(slot);
      return false;
    }
    job.extras = { ...job.extras, home };
    home.inSlots++;
    this.#moveTo(job, slot);
    parking.wake(home.place);
    return true;
  }

  #queuedAt(home: Home): PendingJob[] {
    const { slots } = this.#memory;
    const queued: PendingJob[] = [];
    for (const [slot, job] of this.#table.entries()) {
      if (job.extras.home === home && slots.state(slot) === QUEUED) queued.push(job);
    }
    // Positions in the mailbox, which wrap around.
    return queued.toSorted((a, b) => (slots.ticket(a.slot) - slots.ticket(b.slot)) | 0);
  }

  #withdraw({ slot, options, extras: { home } }: PendingJob): boolean {
    const { slots } = this.#memory;
    if (home === null) return slots.withdraw(slot);
    return slots.withdrawPlaced(slot, placedWord(home.serial, options.priority, options.isExclusive));
  }

  /** Withdraws a job that waits. @returns its inline arguments; null: its thread has it already. */
  #takeOut(job: PendingJob): Uint8Array | null {
    return this.#withdraw(job) ? this.#emptySlot(job) : null;
  }

  /** The job, which nobody has, is WAITING again. @returns its inline arguments. */
  #emptySlot(job: PendingJob): Uint8Array {
    const args = argumentsInSlot(this.#memory, job);
    this.#memory.slots.setOutcome(job.slot, OUTCOME_RESULT);
    this.#freeSlot(job.slot, job);
    job.stage = WAITING;
    return args;
  }

  #moveTo(job: PendingJob, slot: number): void {
    job.slot = slot;
    job.stage = IN_SLOT;
  }

  /** Jobs of normal priority that a job submits stay with its thread, until somebody steals them (A3.8). */
  #queue({ options }: PendingJob, slot: number): boolean {
    const { queues, submitter } = this.#memory;
    if (options.isExclusive || submitter === HOST)
      return queues.push(options.priority, slot, options.isExclusive);
    return options.priority === NORMAL || queues.reach === OWN
      ? queues.pushLocal(slot)
      : queues.push(options.priority, slot, false);
  }

  // Results.

  /**
   * Takes in what has come and settles it: everything, or, once so much moved memory was attached to this thread, no more: see `hasMore`.
   * @returns how many slots came back.
   */
  drain(movedBytes: number = Infinity): number {
    const count = this.collect(movedBytes);
    this.deliver();
    return count;
  }

  /** Whether `drain` has stopped before the end. */
  get hasMore(): boolean {
    return this.#finishedAt < this.#finishedCount;
  }

  /**
   * Takes the whole inbox: reads the outcomes, writes them down, and gives back what the jobs held.
   * @param movedBytes As `drain`.
   * @returns how many slots came back.
   */
  collect(movedBytes: number = Infinity): number {
    const { sharedBuffers, carried } = this.#parts;
    const limit = carried.takenBytes + movedBytes;
    let count = this.#finishUpTo(limit);
    if (!this.hasMore) {
      // The batch before this one was read.
      if (count > 0) this.#endDrain();
      sharedBuffers.beginDrain();
      this.#finishedAt = 0;
      this.#finishedCount = this.#memory.inbox.takeAll(this.#finished);
      count += this.#finishUpTo(limit);
    }
    for (
      let slot = this.#slotOutcomes.takeArrived();
      slot !== undefined;
      slot = this.#slotOutcomes.takeArrived()
    ) {
      this.#finish(slot, false);
      count++;
    }
    if (!this.hasMore) this.#endDrain();
    if (count > 0) this.refill();
    return count;
  }

  #endDrain(): void {
    if (!this.#slotOutcomes.areWaiting && !this.#streams.areOpen) this.#parts.sharedBuffers.endDrain();
  }

  #finishUpTo(takenBytes: number): number {
    const { carried } = this.#parts;
    const from = this.#finishedAt;
    while (this.hasMore && carried.takenBytes < takenBytes)
      this.#finish(this.#finished[this.#finishedAt++]!, false);
    return this.#finishedAt - from;
  }

  /** What NotArrived named has come. @returns whether outcomes waited for it, which `collect` finds, or streams, of which `deliver` tells. */
  arrived(id: number): boolean {
    const isNews = this.#streams.arrived(id);
    return this.#slotOutcomes.arrived(id) || isNews;
  }

  /** The job in `slot` is DONE. `isFinal`: its thread has ended, and everything that it had posted is here. */
  #finish(slot: number, isFinal: boolean): void {
    const job = this.#table.job(slot)!;
    if (this.#memory.slots.isStream(slot) && !this.#finishStream(slot, job, isFinal)) return;
    if (job.stage >= DECIDED) {
      // Given up while it ran: the late outcome is dropped.
      this.#slotOutcomes.drop(slot);
      this.#release(slot, job);
      return;
    }
    // What it has reported comes first.
    if (job.extras.progressId !== 0) this.#thread.takeMessages();
    const outcome = this.#memory.slots.outcome(slot);
    let kind: OutcomeKind = outcome === OUTCOME_RESULT || outcome === OUTCOME_STOPPED ? COMPLETED : THREW;
    let value: unknown;
    try {
      value = this.#slotOutcomes.read(slot);
      if (outcome === OUTCOME_STOPPED && !job.extras.stream!.hasLeft) {
        kind = CANCELED;
        value = new JobCanceledError(undefined, "The stream was asked to stop before its end");
      }
    } catch (error) {
      kind = FAILED;
      value = error;
      if (error instanceof NotArrived) {
        // The host has everything that was posted before the slot was linked; a thread has what the host has passed on.
        if (this.#memory.submitter !== HOST && !isFinal) {
          this.#slotOutcomes.wait(error.id, slot);
          return;
        }
        this.#slotOutcomes.forget(slot);
        value = new NotCloneableError("result", "holds a value that this thread cannot receive");
      }
    }
    this.#slotOutcomes.giveBack(slot);
    this.#release(slot, job);
    this.#decide(job, kind, value);
  }

  /**
   * The submitter was to look at a stream.
   * @returns whether its job is over, and everything that had come before is here; otherwise nothing follows now.
   */
  #finishStream(slot: number, job: PendingJob, isFinal: boolean): boolean {
    const isOver = this.#memory.slots.takeLink(slot) || isFinal;
    try {
      this.#streams.linked(slot, job, isOver, isFinal);
      if (isFinal) this.#slotOutcomes.forget(slot);
    } catch (error) {
      if (!(error instanceof NotArrived)) throw error;
      this.#slotOutcomes.wait(error.id, slot);
      return false;
    }
    return isOver;
  }

  // Giving up.

  /** Settles the job as canceled, at once, unless its outcome is decided. Queued, it never runs; running, it is asked to stop. */
  cancel(job: PendingJob, reason: Error): void {
    this.#giveUp(job, CANCELED, reason);
    this.refill();
    this.deliver();
  }

  /** The same, as failed. */
  fail(job: PendingJob, error: unknown): void {
    this.#giveUp(job, FAILED, error);
    this.refill();
    this.deliver();
  }

  /** Asks every running job to stop; their tasks stay as they are. */
  requestStop(): void {
    for (const [slot] of this.#table.entries()) this.#requestCancel(slot);
  }

  /** Writes down that all jobs fail that no thread has taken. The caller delivers. */
  failWaiting(error: () => Error): void {
    for (const backlog of this.#allBacklogs()) {
      for (; backlog.size > 0; backlog.shift()) this.#giveUp(backlog.peek(), FAILED, error());
    }
    for (const [slot, job] of this.#table.entries()) {
      if (this.#memory.slots.state(slot) === QUEUED) this.#giveUp(job, FAILED, error());
    }
  }

  /** Writes down that everything fails. Slots that a thread may still touch stay its own. The caller delivers. */
  failAll(error: () => Error): void {
    this.failWaiting(error);
    for (const [, job] of this.#table.entries()) {
      job.extras.stream?.giveUp();
      this.#decide(job, FAILED, error());
    }
  }

  /** The thread with this serial was told to end and has not: nobody waits for it. The caller delivers. */
  lose(serial: number, error: Error): void {
    const { slots } = this.#memory;
    for (const [slot, job] of this.#table.entries()) {
      if (slots.state(slot) !== RUNNING || slots.owner(slot) !== serial) continue;
      job.extras.stream?.takeRest(true);
      this.#decide(job, CRASHED, error);
    }
  }

  #giveUp(job: PendingJob, kind: OutcomeKind, value: unknown): void {
    if (job.stage >= DECIDED) return;
    this.#memory.trace?.canceled(job.extras.mark, job.fn.id);
    job.extras.stream?.giveUp();
    const { stage } = job;
    this.#decide(job, kind, value);
    if (stage === WAITING) {
      this.#forget(job);
    } else if (this.#withdraw(job)) {
      this.#release(job.slot, job);
    } else {
      this.#requestCancel(job.slot);
      this.#terminateLater(job);
    }
  }

  /** When the grace period is over. */
  #terminateLater(job: PendingJob): void {
    const { terminateAfterMs } = job.options;
    if (terminateAfterMs === null) return;
    const graceTimer = AsyncScope.root.run(setTimeout, () => this.#terminate(job), terminateAfterMs);
    graceTimer.unref();
    job.extras = { ...job.extras, graceTimer };
  }

  #terminate({ slot }: PendingJob): void {
    const { slots } = this.#memory;
    if (slot === NO_SLOT || slots.state(slot) !== RUNNING || !slots.doom(slot)) return;
    this.#thread.terminate(slots.owner(slot));
  }

  #requestCancel(slot: number): void {
    const { slots } = this.#memory;
    if (slots.state(slot) !== RUNNING) return;
    slots.requestCancel(slot);
    this.#thread.cancelRequested(slots.owner(slot), slot);
  }

  // Recovery.

  /**
   * The thread with this serial has ended, at whatever instruction, and nothing of it runs any more. Writes down that its jobs fail with
   * `error`, or queues them again if they may run again. The caller delivers.
   * @returns those that fail.
   */
  recover(serial: number, error: Error, mayRetry: boolean): PendingJob[] {
    const lost: PendingJob[] = [];
    const { slots } = this.#memory;
    const { holder } = this.#parts;
    this.closeHome(serial);
    for (const [slot, job] of this.#table.entries()) {
      const state = slots.state(slot);
      if (state === QUEUED || slots.owner(slot) !== serial) continue;
      const { carriedId } = job.extras;
      if (state !== RUNNING) {
        // DONE, and then the thread ended before it could link the slot into the inbox. Or what the outcome carries was not readable.
        this.#finish(slot, true);
      } else if (mayRetry && job.stage < DECIDED && carriedId !== 0 && holder.isUntouched(carriedId)) {
        // Claimed, and then its thread ended while it waited for the arguments.
        if (job.extras.home === null) this.#publishAgain(slot);
        else this.#placed!.moveOn(job, this.#emptySlot(job));
      } else {
        if (this.#recoverRunning(slot, job, error, mayRetry)) lost.push(job);
      }
    }
    this.#requeueLost();
    this.refill();
    return lost;
  }

  /** @returns whether the job fails. */
  #recoverRunning(slot: number, job: PendingJob, error: Error, mayRetry: boolean): boolean {
    const { retry, stream } = job.extras;
    const { slots } = this.#memory;
    const hasBegun = slots.outcome(slot) !== NOT_BEGUN;
    slots.setOutcome(slot, OUTCOME_RESULT);
    // Of a stream its caller may have seen items already.
    stream?.takeRest(true);
    const { placement, priority } = job.options;
    const mayRunAgain = mayRetry && stream === null && placement?.kind !== "thread";
    if (mayRunAgain && job.stage < DECIDED && retry !== null && retry.left > 0) {
      retry.left--;
      job.extras.runLimit?.again();
      this.#freeSlot(slot, job);
      job.stage = WAITING;
      // Behind those that wait.
      if (placement === null) this.#backlogs[priority]!.add(job, retry.args);
      else this.#placed!.moveOn(job, retry.args);
      return false;
    }
    const isLost = job.stage < DECIDED;
    this.#release(slot, job);
    this.#decide(
      job,
      CRASHED,
      hasBegun || !(error instanceof ThreadCrashedError) ? error : error.beforeItBegan(),
    );
    return isLost;
  }

  /** The thread that had the job in `slot`, with the arguments `carriedId`, has given it back and not begun it. */
  requeue(slot: number, carriedId: number): void {
    const job = this.#table.job(slot);
    if (job === null || job.extras.carriedId !== carriedId) return;
    this.#memory.slots.setOutcome(slot, OUTCOME_RESULT);
    if (job.stage >= DECIDED) {
      this.#release(slot, job);
      this.refill();
      return;
    }
    this.#publishAgain(slot);
    const { priority, isExclusive } = job.options;
    if (this.#memory.queues.push(priority, slot, isExclusive)) this.#thread.queued(isExclusive);
    else this.#requeueLost();
  }

  #publishAgain(slot: number): void {
    const { slots } = this.#memory;
    slots.setOutcome(slot, OUTCOME_RESULT);
    slots.release(slot);
    slots.publish(slot);
  }

  /** Queued jobs that are in no queue: nobody would find what a thread popped and could not claim before it ended. */
  #requeueLost(): void {
    const { slots, queues } = this.#memory;
    let shared = false;
    let exclusive = false;
    for (const [slot, { options, extras }] of this.#table.entries()) {
      const { priority, isExclusive } = options;
      // What is for one thread alone, that has, or it is found when the thread has ended.
      if (extras.home !== null || slots.state(slot) !== QUEUED) continue;
      if (queues.holds(priority, slot, isExclusive)) continue;
      if (!queues.push(priority, slot, isExclusive)) {
        this.#retry ??= AsyncScope.root.run(setTimeout, this.#onRetry, RING_FULL_RETRY_MS);
        break;
      }
      if (isExclusive) exclusive = true;
      else shared = true;
    }
    if (shared) this.#thread.queued(false);
    if (exclusive) this.#thread.queued(true);
  }

  // Jobs that this thread takes back and calls like any function.

  /** The job was withdrawn: its slot, and what it held, are free again. */
  takeBack(job: PendingJob): void {
    this.#table.free(job.slot);
    job.slot = NO_SLOT;
    job.stage = HERE;
    this.#forget(job);
    if (this.#backlogs[NORMAL]!.size > 0) this.refill();
  }

  /** Its function has ended, and it has its outcome: whoever hears of it now may join it. */
  endHere(job: PendingJob, outcome: "completed" | "failed", error?: unknown): void {
    const { trace, statistics } = this.#memory;
    const { mark } = job.extras;
    const startedAt = trace === null ? 0 : trace.settling(mark);
    job.stage = SETTLED;
    statistics.count(COUNTERS[outcome]);
    if (--this.#outstanding === 0) this.#thread.idle();
    publishOutcome(outcome === "completed" ? "end" : "error", job, error);
    if (startedAt > 0) trace!.settled(mark!, job, startedAt, job.fn.id, outcome, error);
  }

  // Outcomes.

  #decide(job: PendingJob, kind: OutcomeKind, value: unknown): void {
    if (job.stage >= DECIDED) return;
    job.stage = DECIDED;
    this.#outcomes.add(job, kind, value);
  }

  /**
   * Settles what is written down, in order; what is reported before comes first. User code runs here, and may come back here: then the
   * inner call goes on with the same list.
   */
  deliver(): void {
    if (this.#outcomes.isEmpty && this.#parts.progress.isEmpty && this.#streams.haveNoNews) return;
    // The outermost call goes on when this stack is gone.
    if (this.#depth >= MAX_DEPTH) return;
    this.#depth++;
    try {
      this.#parts.progress.deliver();
      this.#streams.tellNews();
      for (let job = this.#outcomes.takeFirst(); job !== null; job = this.#outcomes.takeFirst()) {
        this.#settle(job);
        if (!this.#parts.progress.isEmpty) this.#parts.progress.deliver();
        this.#streams.tellNews();
      }
    } finally {
      this.#depth--;
    }
  }

  /** The same for who waits for `job` on this stack, however deep that is: nobody else goes on before it does. */
  deliverTo(job: PendingJob): void {
    this.deliver();
    if (!job.isOver && this.#outcomes.take(job)) this.#settle(job);
  }

  /** Once for each job. Never throws. */
  #settle(job: PendingJob): void {
    const { trace, statistics } = this.#memory;
    const { value } = job;
    const { mark } = job.extras;
    const startedAt = trace === null ? 0 : trace.settling(mark);
    job.stage = SETTLED;
    statistics.count(outcomeCounters[job.outcome]!);
    if (--this.#outstanding === 0) this.#thread.idle();
    const { pumps } = job.extras;
    // Whoever hears of the outcome finds what the job has read released.
    if (pumps !== null) for (const { pump } of pumps) pump.end();
    tell(job);
    job.extras.stream?.end();
    if (startedAt > 0) trace!.settled(mark!, job, startedAt, job.fn.id, outcomeNames[job.outcome], value);
  }

  // What a job holds.

  /** No thread can touch the slot any more: everything that the job held is free again. */
  #release(slot: number, job: PendingJob): void {
    this.#freeSlot(slot, job);
    this.#forget(job);
  }

  #freeSlot(slot: number, job: PendingJob): void {
    this.#memory.slots.release(slot);
    this.#table.free(slot);
    job.slot = NO_SLOT;
    const { graceTimer, home } = job.extras;
    if (graceTimer !== null) clearTimeout(graceTimer);
    if (home === null) return;
    home.inSlots--;
    job.extras = { ...job.extras, home: null };
  }

  #forget(job: PendingJob): void {
    this.#jobs--;
    this.#bytes -= job.argsLength;
    this.giveBack(job);
  }

  /** What a job holds that was made, and is over or was never accepted. */
  giveBack({ fn, context, block, extras }: PendingJob): void {
    const { progress, holder, payloads, functions, contexts, pumps } = this.#parts;
    if (extras !== noExtras) {
      if (extras.pumps !== null) pumps.free(extras.pumps);
      if (extras.progressId !== 0) progress.remove(extras.progressId);
      if (extras.carriedId !== 0) holder.drop(extras.carriedId);
    }
    if (block !== 0) payloads.free(block);
    functions.leave(fn);
    if (context !== null) contexts.leave(context);
  }
}
