/**
 * The ledger of one submitting thread, the host or a pool thread: every job from its acceptance to its settlement.
 *
 * Nothing of the user's runs while an entry moves. Taking results in (`collect`), recovering what a dead thread had and giving jobs up
 * only write outcomes down; `deliver` then settles them one by one, each in a guard of its own, and whatever runs there may submit,
 * join, cancel or close: it finds a ledger that is whole.
 *
 * Words      JOB.stage, JOB.slot; plain, this thread alone. What a thread does with a slot: shared/slot.ts
 * Stage      | value     | means                                     | the job holds                     | entered in
 *            | 0 WAITING | accepted, no slot yet                     | its place in the backlog, memory  | waiting-jobs.ts; again: queued-slots.ts, recovery.ts
 *            | 1 IN_SLOT | in a slot; the slot's word says the rest  | a slot, memory                    | queued-slots.ts
 *            | 2 HERE    | taken back: its function runs here        | nothing                           | takeBack
 *            | 3 DECIDED | its outcome is written down               | a slot while a thread is at it    | settlement.ts
 *            | 4 SETTLED | its task has the outcome                  | as DECIDED                        | settlement.ts
 *            finished-slots.ts, giving-up.ts and recovery.ts say what is DECIDED; job-holdings.ts, what "memory" is and when it goes. The header of
 *            each of these files has the moves that it makes.
 * Moves      upwards only, but for IN_SLOT → WAITING: a job with retries whose thread died; a job for one thread alone whose home has
 *            closed (placed-jobs.ts). DECIDED and SETTLED with a slot: the job was given up while a thread has it; when the thread is done, or
 *            has ended, the slot is released and nothing else happens.
 */
import { JobCanceledError, PoolClosedError } from "../errors.ts";
import { Promise, promiseThen } from "../shared/intrinsics.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { QUEUED } from "../shared/slot.ts";
import { COUNTERS } from "../shared/statistics.ts";
import type { ContextEntry } from "./context-entries.ts";
import { FinishedSlots, type FinishedSlotsParts } from "./finished-slots.ts";
import { GivingUp } from "./giving-up.ts";
import { JobHoldings, type JobHoldingsParts } from "./job-holdings.ts";
import type { JobTable } from "./job-table.ts";
import type { LedgerThread } from "./ledger-thread.ts";
import { OpenStreams } from "./open-streams.ts";
import {
  CANCELED,
  COMPLETED,
  DECIDED,
  FAILED,
  HERE,
  IN_SLOT,
  NO_SLOT,
  type OutcomeKind,
  type PendingJob,
  WAITING,
} from "./pending-job.ts";
import { NORMAL, QueuedSlots } from "./queued-slots.ts";
import { Recovery } from "./recovery.ts";
import { Settlement } from "./settlement.ts";
import type { Placement } from "./submit-options.ts";
import { WaitingJobs, type WaitingJobsParts } from "./waiting-jobs.ts";

const settled: Promise<void> = Promise.resolve();

export type LedgerParts = JobHoldingsParts &
  Omit<WaitingJobsParts, "queued"> &
  Omit<FinishedSlotsParts, "streams" | "holdings" | "settlement">;

export class Ledger {
  readonly #memory: PoolMemory;
  readonly #table: JobTable;
  readonly #streams: OpenStreams;
  readonly #holdings: JobHoldings;
  readonly #settlement: Settlement;
  readonly #queued: QueuedSlots;
  readonly #waiting: WaitingJobs;
  readonly #finished: FinishedSlots;
  readonly #givingUp: GivingUp;
  readonly #recovery: Recovery;
  readonly #thread: LedgerThread;
  /** Jobs whose acceptance had no stack left: before they were counted, and behind that. */
  readonly #uncounted: PendingJob[] = [];
  readonly #brokenOff: PendingJob[] = [];
  #isClosed = false;

  constructor(parts: LedgerParts) {
    const { memory, table, thread } = parts;
    this.#memory = memory;
    this.#table = table;
    this.#thread = thread;
    const streams = new OpenStreams(parts, {
      awaited: () => thread.awaited(),
      leave: (job) => this.#leave(job),
      cancel: (job, reason) => this.cancel(job, reason),
    });
    const settlement = new Settlement({ ...parts, streams });
    const holdings = new JobHoldings(parts);
    const queued = new QueuedSlots({ ...parts, holdings });
    const waiting = new WaitingJobs({ ...parts, queued }, (job, error) =>
      givingUp.giveUp(job, FAILED, error),
    );
    const givingUp: GivingUp = new GivingUp({ ...parts, holdings, settlement, queued, waiting });
    const finished = new FinishedSlots({ ...parts, streams, holdings, settlement });
    this.#streams = streams;
    this.#settlement = settlement;
    this.#holdings = holdings;
    this.#queued = queued;
    this.#givingUp = givingUp;
    this.#waiting = waiting;
    this.#finished = finished;
    this.#recovery = new Recovery({ ...parts, holdings, settlement, queued, waiting, finished });
  }

  /** Jobs that were accepted and have not settled. */
  get outstanding(): number {
    return this.#settlement.outstanding;
  }

  /** Whether any of them is more than a stream of which nobody waits for an item. For few jobs: looks at all streams. */
  get isAwaited(): boolean {
    return this.outstanding > this.#streams.idleCount;
  }

  /** The job in this slot; null: the slot is free. */
  jobIn(slot: number): PendingJob | null {
    return this.#table.job(slot);
  }

  /** How many jobs wait for a slot, by priority; those that were given up included. */
  backlogSize(priority: number): number {
    return this.#waiting.size(priority);
  }

  /** Whether `count` jobs or more wait for a thread. Looks at no more jobs than that, and at those that threads have. */
  hasWaiting(count: number): boolean {
    if (this.outstanding < count) return false;
    let left = count;
    for (const backlog of this.#waiting.backlogs()) left -= backlog.countWaiting(left);
    for (const [slot] of this.#table.entries()) {
      if (left <= 0) return true;
      if (this.#memory.slots.state(slot) === QUEUED) left--;
    }
    return left <= 0;
  }

  /** The job to which `test` says yes, unless its outcome is decided. */
  find(test: (job: PendingJob) => boolean): PendingJob | null {
    for (const [, job] of this.#table.entries()) if (job.stage < DECIDED && test(job)) return job;
    for (const backlog of this.#waiting.backlogs()) {
      const job = backlog.find(test);
      if (job !== null) return job;
    }
    return null;
  }

  // Jobs that one thread alone may run: see placed-jobs.ts.

  /** How many wait. */
  get placedWaiting(): number {
    const { placed } = this.#waiting;
    if (placed === null || !this.#memory.places.hasPlaced) return 0;
    let count = placed.countWaiting(Infinity);
    for (const [slot, { extras }] of this.#table.entries()) {
      if (extras.home !== null && this.#memory.slots.state(slot) === QUEUED) count++;
    }
    return count;
  }

  /** Whether the thread with this serial is the only one for jobs that have not ended: for any, or for jobs with the option `thread`. */
  isHome(serial: number, kind: Placement["kind"] | "any"): boolean {
    const { placed } = this.#waiting;
    if (placed === null) return false;
    const isOne = ({ options: { placement } }: PendingJob): boolean =>
      kind === "any" || placement!.kind === kind;
    for (const [, job] of this.#table.entries()) {
      if (job.extras.home?.serial === serial && isOne(job)) return true;
    }
    return placed.isBehind(serial, isOne);
  }

  /** The thread with this serial takes no more jobs. The caller delivers. */
  closeHome(serial: number): void {
    this.#waiting.placed?.close(serial);
  }

  /** There is one more thread. */
  settleHomeless(): void {
    this.#waiting.placed?.settle();
  }

  /** @throws ThreadGoneError. To be called as the last step of `admit`. */
  admitPlaced(placement: Placement): void {
    this.#waiting.placed!.admit(placement);
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
    if (this.#isClosed) throw new PoolClosedError();
    this.#holdings.checkRoom(argsLength, context, jobs);
  }

  /** Whether so many slots are free at this moment. */
  hasSlots(count: number): boolean {
    return this.#table.freeCount >= count;
  }

  /** @param args The encoded arguments, if they are to lie in the slot; valid during the call. */
  accept(job: PendingJob, args: Uint8Array): void {
    let isCounted = false;
    try {
      this.#count(job);
      isCounted = true;
      this.#waiting.accept(job, args);
    } catch (fullStack) {
      // Nothing else throws here. There is no stack left to undo anything on, nor to make an object: these need none.
      const list = isCounted ? this.#brokenOff : this.#uncounted;
      list[list.length] = job;
      promiseThen(settled, this.#undoBrokenOff);
      throw fullStack;
    }
  }

  /** Accepts a job into a slot that is the thread's already; the caller has asked `hasSlots`, and tells the thread. */
  assign(job: PendingJob, args: Uint8Array, serial: number): void {
    this.#count(job);
    this.#queued.assign(job, args, serial);
  }

  /** As WaitingJobs.refill. */
  refill(): void {
    this.#waiting.refill();
  }

  /** What needs most stack comes first: if that throws, the job is not counted. */
  #count(job: PendingJob): void {
    if (this.outstanding === 0) this.#thread.active();
    this.#memory.statistics.count(COUNTERS.submitted);
    this.#holdings.add(job);
    this.#settlement.expect();
  }

  /** Their callers have the error, and nobody has their tasks. */
  readonly #undoBrokenOff = (): void => {
    for (const job of this.#uncounted.splice(0)) this.giveBack(job);
    for (const job of this.#brokenOff.splice(0)) {
      this.#queued.recall(job);
      this.cancel(job, new JobCanceledError("The stack was full when it was submitted"));
    }
    // The jobs of others rely on what these have not finished.
    this.#memory.parking.finishWakeUps();
    this.#thread.queued(false);
    if (this.outstanding === 0) this.#thread.idle();
  };

  /** What a job holds that was made and was never accepted. */
  giveBack(job: PendingJob): void {
    this.#holdings.giveBack(job);
  }

  // Results: see finished-slots.ts.

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
    return this.#finished.hasMore;
  }

  /** Takes in what has come, and writes it down. The caller delivers. @param movedBytes As `drain`. @returns how many slots came back. */
  collect(movedBytes: number = Infinity): number {
    const count = this.#finished.collect(movedBytes);
    if (count > 0) this.refill();
    return count;
  }

  /** As FinishedSlots.arrived. */
  arrived(id: number): boolean {
    return this.#finished.arrived(id);
  }

  /** As FinishedSlots.told. */
  told(id: number): boolean {
    return this.#finished.told(id);
  }

  // Giving up: see giving-up.ts.

  /** Settles the job as canceled, at once, unless its outcome is decided. Queued, it never runs; running, it is asked to stop. */
  cancel(job: PendingJob, reason: Error): void {
    this.#giveUp(job, CANCELED, reason);
  }

  /** The same, as failed. */
  fail(job: PendingJob, error: unknown): void {
    this.#giveUp(job, FAILED, error);
  }

  /** The same, for what comes before its outcome, and may be heard together with that: then this one counts. */
  failReport(job: PendingJob, error: unknown): void {
    if (!this.#settlement.replaceResult(job, error)) this.fail(job, error);
  }

  /** Nobody wants items of its stream any more. One that was to begin again, and that no thread has taken, never runs. */
  #leave(job: PendingJob): void {
    const { stage, slot } = job;
    const isInSlot = stage === IN_SLOT;
    if (stage === WAITING || (isInSlot && this.#memory.slots.state(slot) === QUEUED))
      this.#giveUp(job, COMPLETED, undefined);
    else if (isInSlot) this.#givingUp.requestStop(slot);
  }

  #giveUp(job: PendingJob, kind: OutcomeKind, value: unknown): void {
    this.#givingUp.giveUp(job, kind, value);
    this.refill();
    this.deliver();
  }

  /** Writes down that all jobs fail that no thread has taken. The caller delivers. */
  failWaiting(error: () => Error): void {
    this.#givingUp.failWaiting(this.#waiting.backlogs(), error);
  }

  /**
   * The pool closes without its jobs: writes down that all fail that no thread has taken, and asks the others to stop. Their tasks stay as
   * they are, and none of them runs again. The caller delivers.
   */
  drop(error: () => Error): void {
    this.#recovery.drop();
    this.failWaiting(error);
    this.#givingUp.requestStopOfAll();
  }

  /** Writes down that everything fails. Slots that a thread may still touch stay its own. The caller delivers. */
  failAll(error: () => Error): void {
    this.failWaiting(error);
    this.#givingUp.failTaken(error);
  }

  /** The thread with this serial was told to end and has not: nobody waits for it. The caller delivers. */
  lose(serial: number, error: Error): void {
    this.#givingUp.lose(serial, error);
  }

  // Recovery: see recovery.ts.

  /**
   * The thread with this serial has ended, at whatever instruction, and nothing of it runs any more. Writes down that its jobs fail with
   * `error`, or queues them again if they may run again. The caller delivers.
   * @returns those that fail.
   */
  recover(serial: number, error: Error): PendingJob[] {
    return this.#recovery.recover(serial, error);
  }

  /** As Recovery.requeue. */
  requeue(slot: number, carriedId: number): void {
    this.#recovery.requeue(slot, carriedId);
  }

  // Jobs that this thread takes back and calls like any function.

  /** The job was withdrawn: its slot, and what it held, are free again. */
  takeBack(job: PendingJob): void {
    this.#table.free(job.slot);
    job.slot = NO_SLOT;
    job.stage = HERE;
    this.#holdings.forget(job);
    if (this.#waiting.size(NORMAL) > 0) this.refill();
  }

  /** As Settlement.endHere. */
  endHere(job: PendingJob, outcome: "completed" | "failed", error?: unknown): void {
    this.#settlement.endHere(job, outcome, error);
  }

  // Outcomes: see settlement.ts.

  /** Whether outcomes are written down that nobody was told. */
  get hasUndelivered(): boolean {
    return this.#settlement.hasUndelivered;
  }

  /** As Settlement.deliver: user code runs here. */
  deliver(): void {
    this.#settlement.deliver();
  }

  /** As Settlement.deliverTo. */
  deliverTo(job: PendingJob): void {
    this.#settlement.deliverTo(job);
  }
}
