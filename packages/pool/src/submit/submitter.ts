/** One thread that submits jobs, the host or a pool thread: its slots, its arena, its jobs from submission to settlement. */
import { Decoder } from "../codec/decoder.ts";
import { Encoder } from "../codec/encoder.ts";
import { JobCanceledError, JobTimeoutError } from "../errors.ts";
import type { Arena } from "../shared/arena.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import { ContextTable } from "./context-table.ts";
import type { ForkedJob, Joiner } from "./forked-job.ts";
import { type FunctionEntry, FunctionRegistry } from "./function-registry.ts";
import { JobTable } from "./job-table.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { JobWatch } from "./job-watch.ts";
import type { PendingJob, TaskJob } from "./pending-job.ts";
import { Settlement } from "./settlement.ts";
import { type QueueLimits, Submission } from "./submission.ts";
import type { SubmitOptions } from "./submit-options.ts";
import { beginTrace, recordSubmission } from "./traced-job.ts";

/** What a submitter tells its thread. */
export interface SubmitterEvents {
  /** A job is outstanding, and none was. */
  active(): void;
  /** The last outstanding job is about to settle. */
  idle(): void;
  /** Jobs were queued: somebody has to run them. */
  queued(): void;
  /** The cancel flag of a running job was set: the thread with this serial may be waiting in its event loop. */
  cancelRequested(serial: number, slot: number): void;
  /** Takes in what threads have reported, without waiting. */
  takeProgress(): void;
  /** A job that was asked to stop has not: the thread with this serial has to be ended. */
  terminate(serial: number): void;
}

export class Submitter {
  readonly functions: FunctionRegistry;
  readonly settlement: Settlement;
  readonly #jobs: JobTable;
  readonly #submission: Submission;
  readonly #watch: JobWatch;
  readonly #events: SubmitterEvents;
  readonly #trace: ThreadTrace | null;

  constructor(
    memory: PoolMemory,
    serial: number,
    arena: Arena,
    arenas: Arenas,
    sharedBuffers: SharedBuffers,
    carried: CarriedValues,
    holder: ArgumentsHolder,
    limits: QueueLimits,
    events: SubmitterEvents,
  ) {
    this.#events = events;
    this.#trace = memory.trace;
    this.functions = new FunctionRegistry(arena, serial);
    const jobs = (this.#jobs = new JobTable(memory.firstSlot, memory.slotCount));
    const contexts = new ContextTable(arena);
    this.#submission = new Submission(
      memory,
      serial,
      jobs,
      arena,
      contexts,
      sharedBuffers,
      new Encoder(sharedBuffers, carried.nextId),
      holder,
      limits,
      () => events.queued(),
    );
    this.settlement = new Settlement(memory, jobs, arenas, carried, new Decoder(sharedBuffers, carried), {
      slotsFreed: () => this.#submission.refill(),
      queued: () => events.queued(),
      forgotten: (job) => this.#submission.forget(job),
      takenBack: (job) => this.#submission.takenBack(job),
      takeProgress: () => events.takeProgress(),
      isUntouched: (job) => job.extras.carriedId !== 0 && holder.isUntouched(job.extras.carriedId),
      again: (job) => this.#submission.enqueueAgain(job),
      idle: () => events.idle(),
      cancelRequested: (owner, slot) => events.cancelRequested(owner, slot),
      terminate: (owner) => events.terminate(owner),
    });
    this.#watch = new JobWatch(
      (job, signal) => this.settlement.cancel(job, cancellation(signal)),
      (job, timeoutMs) => this.settlement.fail(job, new JobTimeoutError(timeoutMs)),
    );
  }

  /**
   * @param below The function of ours that the caller called: its frames and those above are not the caller's.
   * @throws what encoding the arguments or the context throws. Nothing was claimed then.
   */
  submit(
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): TaskJob {
    const trace = this.#trace;
    const startedAt = trace === null ? 0 : trace.now();
    const job = this.#submission.create(fn, args, options, below);
    if (trace !== null) beginTrace(job, trace, startedAt);
    if (this.settlement.expect() === 1) this.#events.active();
    if (options.signal !== undefined || options.timeoutMs !== undefined) {
      this.#watch.watch(job, options.signal, options.timeoutMs);
    }
    this.#submission.enqueue(job);
    if (trace !== null) recordSubmission(job, trace);
    return job;
  }

  /** As `submit`, for a job that this thread will probably take back. */
  fork(
    joiner: Joiner,
    fn: FunctionEntry,
    args: readonly unknown[],
    below: (...args: never[]) => unknown,
  ): ForkedJob {
    const trace = this.#trace;
    const startedAt = trace === null ? 0 : trace.now();
    const job = this.#submission.createForked(joiner, fn, args, below);
    if (trace !== null) beginTrace(job, trace, startedAt);
    if (this.settlement.expect() === 1) this.#events.active();
    this.#submission.offer(job);
    if (trace !== null) recordSubmission(job, trace);
    return job;
  }

  /**
   * A job for the thread with this serial alone; the caller tells the thread of its slot.
   * @throws as `submit`, and QueueFullError when no slot is free.
   */
  assign(
    serial: number,
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): TaskJob {
    const trace = this.#trace;
    const startedAt = trace === null ? 0 : trace.now();
    const job = this.#submission.create(fn, args, options, below);
    if (trace !== null) beginTrace(job, trace, startedAt);
    this.#submission.assign(job, serial);
    if (trace !== null) recordSubmission(job, trace);
    if (this.settlement.expect() === 1) this.#events.active();
    if (options.signal !== undefined || options.timeoutMs !== undefined) {
      this.#watch.watch(job, options.signal, options.timeoutMs);
    }
    return job;
  }

  /** The job in this slot of this submitter; null: the slot is free. */
  jobIn(slot: number): PendingJob | null {
    return this.#jobs.job(slot);
  }

  /** What a job of this submitter has reported. */
  reportProgress(id: number, value: unknown): void {
    this.#submission.progress.report(id, value);
  }

  /** How many jobs wait for a slot, by priority. */
  backlogSize(priority: number): number {
    return this.#submission.backlogSize(priority);
  }

  /** Rejects all jobs that no thread has taken. */
  failWaiting(error: () => Error): void {
    for (const job of this.#submission.takeBacklog()) this.settlement.fail(job, error());
    this.settlement.failQueued(error);
  }
}

function cancellation(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new JobCanceledError(reason);
}
