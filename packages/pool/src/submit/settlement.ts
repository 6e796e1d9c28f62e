/**
 * How jobs end on the submitting thread: each task settles once, and everything the job held is given back once. The two
 * moments differ for a job that is cancelled while it runs: `#settle` at the cancellation, `#release` when the thread is done
 * with the slot.
 */
import { publishJob } from "../jobs/channels.ts";
import { NotArrived } from "../codec/carried.ts";
import type { Decoder } from "../codec/decoder.ts";
import { type ErrorWire, fromWire } from "../codec/error-wire.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import { NotCloneableError, ThreadCrashedError } from "../errors.ts";
import { HOST } from "../shared/pool-memory.ts";
import { COUNTERS } from "../shared/statistics.ts";
import { INLINE, NOT_BEGUN, OUTCOME_RESULT, QUEUED, RUNNING } from "../shared/slot.ts";
import { carriedInSlot } from "../transfer/carried-in-slot.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { frameLines } from "./caller-frames.ts";
import type { JobTable } from "./job-table.ts";
import { NO_SLOT, type PendingJob, rejectionOf } from "./pending-job.ts";
import type { TracedJob } from "./traced-job.ts";

/** A ring full of withdrawn entries empties as soon as a thread looks. */
const RING_FULL_RETRY_MS = 1;

/** What settlement needs from above. */
export interface SettlementEvents {
  /** Slots are free that were not. */
  slotsFreed(): void;
  /** Jobs are in a queue again: somebody has to run them. */
  queued(): void;
  /** Nothing of the job is in a slot or in the backlog any more. */
  forgotten(job: PendingJob): void;
  /** The same of a single job, whose slot is free now. */
  takenBack(job: PendingJob): void;
  /** Somebody listens to the progress of a job that is about to settle: what it reported comes first. */
  takeProgress(): void;
  /** Whether the arguments of a job that a thread had claimed are still here: then it never began. */
  isUntouched(job: PendingJob): boolean;
  /** The job's thread died, and it may run again. */
  again(job: PendingJob): void;
  /** The last outstanding job is about to settle. */
  idle(): void;
  /** The cancel flag of a running job was set: the thread with this serial may be waiting in its event loop. */
  cancelRequested(serial: number, slot: number): void;
  /** A job that was asked to stop has not: its thread has to be ended. */
  terminate(serial: number): void;
}

export class Settlement {
  readonly #memory: PoolMemory;
  readonly #trace: ThreadTrace | null;
  readonly #jobs: JobTable;
  readonly #arenas: Arenas;
  readonly #carried: CarriedValues;
  readonly #decoder: Decoder;
  readonly #events: SettlementEvents;
  readonly #finished: Int32Array;
  /** Slots by the number of what their outcome carries, which the host has yet to pass on to this thread. */
  readonly #incomplete = new Map<number, number>();
  /** Of these, the slots that can be completed now. */
  readonly #completable: number[] = [];
  #draining = false;
  #outstanding = 0;

  constructor(
    memory: PoolMemory,
    jobs: JobTable,
    arenas: Arenas,
    carried: CarriedValues,
    decoder: Decoder,
    events: SettlementEvents,
  ) {
    this.#carried = carried;
    this.#memory = memory;
    this.#trace = memory.trace;
    this.#jobs = jobs;
    this.#arenas = arenas;
    this.#decoder = decoder;
    this.#events = events;
    this.#finished = new Int32Array(memory.slotCount);
  }

  /** Jobs that have been submitted and have not settled. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** A job was accepted: it will settle. @returns how many are outstanding now. */
  expect(): number {
    return ++this.#outstanding;
  }

  /** Settles everything in the inbox. @returns how many slots came back. */
  drain(): number {
    // Inside itself when an inline continuation joins a job.
    const finished = this.#draining ? new Int32Array(this.#finished.length) : this.#finished;
    const outer = this.#draining;
    this.#draining = true;
    let count = this.#memory.inbox.takeAll(finished);
    try {
      for (let i = 0; i < count; i++) this.#complete(finished[i]!, false);
      for (; this.#completable.length > 0; count++) this.#complete(this.#completable.shift()!, false);
    } finally {
      this.#draining = outer;
    }
    if (count > 0) this.#events.slotsFreed();
    return count;
  }

  /** Carried values have come. @returns whether an outcome waited for them: `drain` settles it. */
  arrived(id: number): boolean {
    const slot = this.#incomplete.get(id);
    if (slot === undefined) return false;
    this.#incomplete.delete(id);
    this.#completable.push(slot);
    return true;
  }

  /** The submitting thread has withdrawn the job and will call it like any function: its slot, and what it held, are free again. */
  takeBack(job: PendingJob): void {
    this.#jobs.free(job.slot);
    job.slot = NO_SLOT;
    this.#events.takenBack(job);
  }

  /** A job that was taken back is over: the caller gives it its outcome. */
  overHere(job: PendingJob, outcome: "completed" | "failed", error?: unknown): void {
    const trace = this.#trace;
    const { statistics } = this.#memory;
    const startedAt = trace === null ? 0 : trace.now();
    const hasSucceeded = outcome === "completed";
    statistics.count(hasSucceeded ? COUNTERS.completed : COUNTERS.failed);
    if (--this.#outstanding === 0) this.#events.idle();
    if (hasSucceeded) publishJob("end", job.fn.source, job);
    else publishJob("error", job.fn.source, job, error);
    if (trace !== null) trace.settled((job as TracedJob).key, startedAt, job.fn.id, outcome);
  }

  cancel(job: PendingJob, reason: Error): void {
    if (job.isOver) return;
    this.#stop(job);
    this.#settle(job, "canceled", reason);
  }

  fail(job: PendingJob, error: unknown): void {
    if (job.isOver) return;
    this.#stop(job);
    this.#settle(job, "failed", error);
  }

  /** Asks every running job to stop; their tasks stay as they are. */
  requestStop(): void {
    for (const [slot] of this.#jobs.entries()) this.#requestCancel(slot);
  }

  /** Rejects the jobs that no thread has taken. */
  failQueued(error: () => Error): void {
    for (const [slot, job] of this.#jobs.entries()) {
      if (this.#memory.slots.state(slot) === QUEUED) this.fail(job, error());
    }
  }

  /**
   * The thread with this serial has ended, at whatever instruction, and nothing of it runs any more: its jobs reject with `error`,
   * or run again if they may.
   */
  recover(serial: number, error: Error, mayRetry: boolean): void {
    const { slots } = this.#memory;
    for (const [slot, job] of this.#jobs.entries()) {
      const state = slots.state(slot);
      if (state === QUEUED || slots.owner(slot) !== serial) continue;
      if (state === RUNNING && mayRetry && !job.isOver && this.#events.isUntouched(job)) {
        // Claimed, and then its thread ended while it waited for the arguments.
        this.#publishAgain(slot);
      } else if (state === RUNNING) {
        this.#recoverRunning(slot, job, error, mayRetry);
      } else {
        // DONE, and then the thread ended before it could link the slot into the inbox. Or what the outcome carries was not readable.
        this.#complete(slot, true);
      }
    }
    this.#requeueLost();
    this.#events.slotsFreed();
  }

  /** The thread that had the job in `slot`, with the arguments `carriedId`, has given it back and not begun it. */
  requeue(slot: number, carriedId: number): void {
    const job = this.#jobs.job(slot);
    if (job === null || job.extras.carriedId !== carriedId) return;
    this.#memory.slots.setOutcome(slot, OUTCOME_RESULT);
    if (job.isOver) {
      this.#release(slot, job);
      this.#events.slotsFreed();
      return;
    }
    this.#publishAgain(slot);
    if (this.#memory.queues.push(job.options.priority, slot)) this.#events.queued();
    else this.#requeueLost();
  }

  #publishAgain(slot: number): void {
    const { slots } = this.#memory;
    slots.setOutcome(slot, OUTCOME_RESULT);
    slots.release(slot);
    slots.publish(slot);
  }

  #recoverRunning(slot: number, job: PendingJob, error: Error, mayRetry: boolean): void {
    const { retry } = job.extras;
    const { slots } = this.#memory;
    const hasBegun = slots.outcome(slot) !== NOT_BEGUN;
    slots.setOutcome(slot, OUTCOME_RESULT);
    if (mayRetry && !job.isOver && retry !== null && retry.left > 0) {
      retry.left--;
      this.#freeSlot(slot, job);
      this.#events.again(job);
      return;
    }
    this.#release(slot, job);
    if (job.isOver) return;
    this.#settle(
      job,
      "crashed",
      hasBegun || !(error instanceof ThreadCrashedError) ? error : error.beforeItBegan(),
    );
  }

  /** Queued jobs that are in no queue: nobody would find what a thread popped and could not claim before it ended. */
  #requeueLost(): void {
    const { slots, queues } = this.#memory;
    let full = false;
    let queued = false;
    for (const [slot, { options }] of this.#jobs.entries()) {
      if (slots.state(slot) !== QUEUED || queues.holds(options.priority, slot)) continue;
      if (queues.push(options.priority, slot)) queued = true;
      else full = true;
    }
    if (queued) this.#events.queued();
    if (full) setTimeout(() => this.#requeueLost(), RING_FULL_RETRY_MS);
  }

  /** The job in `slot` is DONE. `isFinal`: its thread has ended, and everything that it had posted is here. */
  #complete(slot: number, isFinal: boolean): void {
    const job = this.#jobs.job(slot)!;
    if (job.isOver) {
      // Cancelled while it ran: the late outcome is dropped.
      this.#dropCarried(slot);
      this.#giveBackOutcome(slot);
      this.#release(slot, job);
      return;
    }
    if (job.extras.progressId !== 0) this.#events.takeProgress();
    const succeeded = this.#memory.slots.outcome(slot) === OUTCOME_RESULT;
    let value: unknown;
    let undecodable: unknown;
    let decoded = false;
    try {
      value = this.#readOutcome(slot);
      decoded = true;
    } catch (error) {
      undecodable = error;
      if (error instanceof NotArrived) {
        // The host has everything that was posted before the slot was linked; a thread has what the host has passed on.
        if (this.#memory.submitter !== HOST && !isFinal) {
          this.#incomplete.set(error.id, slot);
          return;
        }
        this.#incomplete.delete(error.id);
        undecodable = new NotCloneableError("result", "holds a value that this thread cannot receive");
      }
    }
    this.#giveBackOutcome(slot);
    this.#release(slot, job);
    if (!decoded) this.#settle(job, "failed", undecodable);
    else if (succeeded) this.#settle(job, "completed", value);
    else this.#settle(job, "failed", fromWire(value as ErrorWire, frameLines(job.extras.frames)));
  }

  #readOutcome(slot: number): unknown {
    const { slots } = this.#memory;
    const length = slots.payloadLength(slot);
    const arena = slots.payloadArena(slot);
    if (arena === INLINE) return this.#decoder.decode(slots.bytes, slots.inlineOffset(slot), length);
    const block = slots.payloadBlock(slot);
    return this.#decoder.decode(this.#arenas.bytes(arena, block, length), block * 8, length);
  }

  #dropCarried(slot: number): void {
    const id = carriedInSlot(this.#memory.slots, this.#arenas, slot);
    if (id === 0) return;
    this.#incomplete.delete(id);
    this.#carried.dropWhenHere(id);
  }

  #giveBackOutcome(slot: number): void {
    const { slots } = this.#memory;
    const arena = slots.payloadArena(slot);
    if (arena !== INLINE) this.#arenas.giveBack(arena, slots.payloadBlock(slot));
  }

  /** Takes a queued job out, asks a running one to stop. One in the backlog is skipped when its turn comes. */
  #stop(job: PendingJob): void {
    const trace = this.#trace;
    if (trace !== null) trace.canceled((job as TracedJob).key, job.fn.id);
    if (job.slot === NO_SLOT) {
      this.#events.forgotten(job);
    } else if (this.#memory.slots.withdraw(job.slot)) {
      this.#release(job.slot, job);
      this.#events.slotsFreed();
    } else {
      this.#requestCancel(job.slot);
      const { terminateAfterMs } = job.options;
      if (terminateAfterMs !== null) setTimeout(() => this.#terminate(job), terminateAfterMs);
    }
  }

  /** The grace period is over. */
  #terminate(job: PendingJob): void {
    const { slots } = this.#memory;
    if (job.slot === NO_SLOT || slots.state(job.slot) !== RUNNING) return;
    this.#events.terminate(slots.owner(job.slot));
  }

  #requestCancel(slot: number): void {
    const { slots } = this.#memory;
    if (slots.state(slot) !== RUNNING) return;
    slots.requestCancel(slot);
    this.#events.cancelRequested(slots.owner(slot), slot);
  }

  /** No thread can touch the slot any more: everything it held is free again. */
  #release(slot: number, job: PendingJob): void {
    this.#freeSlot(slot, job);
    this.#events.forgotten(job);
  }

  #freeSlot(slot: number, job: PendingJob): void {
    this.#memory.slots.release(slot);
    this.#jobs.free(slot);
    job.slot = NO_SLOT;
  }

  /** Once for each job. */
  #settle(job: PendingJob, outcome: "completed" | "failed" | "canceled" | "crashed", value: unknown): void {
    const trace = this.#trace;
    const startedAt = trace === null ? 0 : trace.now();
    this.#memory.statistics.count(COUNTERS[outcome]);
    const { stopWatching } = job.extras;
    if (stopWatching !== null) stopWatching();
    if (--this.#outstanding === 0) this.#events.idle();
    const { source } = job.fn;
    if (outcome === "completed") {
      publishJob("end", source, job);
      job.trySetResult(value);
    } else if (outcome === "canceled") {
      publishJob("cancel", source, job, value);
      job.trySetCanceled(value as Error);
    } else {
      publishJob("error", source, job, value);
      job.trySetError(rejectionOf(value));
    }
    if (trace !== null) trace.settled((job as TracedJob).key, startedAt, job.fn.id, outcome);
  }
}
