/** How jobs begin on the submitting thread: encoded first, then given a slot and queued, or put into the backlog. */
import { AsyncScope } from "@skein/context";
import { argumentRangeError } from "@skein/context/errors";
import type { Carried } from "../codec/carried.ts";
import type { Encoder } from "../codec/encoder.ts";
import { publishJob } from "../jobs/channels.ts";
import { QueueFullError } from "../errors.ts";
import type { Arena } from "../shared/arena.ts";
import { INLINE_BYTES, PRIORITIES } from "../shared/layout.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { COUNTERS, timestampUs } from "../shared/statistics.ts";
import { MAX_NUMBERS } from "../shared/slot.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import { detachCopied } from "../transfer/detach.ts";
import { forgetMoves, moveListOfArguments } from "../transfer/move.ts";
import { Backlog } from "./backlog.ts";
import { captureCallerFrames } from "./caller-frames.ts";
import type { ContextEntry, ContextTable } from "./context-table.ts";
import type { FunctionEntry } from "./function-registry.ts";
import { ForkedJob, type Joiner } from "./forked-job.ts";
import { jobExtras, noExtras } from "./job-extras.ts";
import { type JobTable, NONE_FREE } from "./job-table.ts";
import { type PendingJob, TaskJob } from "./pending-job.ts";
import { ProgressListeners } from "./progress-listeners.ts";
import type { SubmitOptions } from "./submit-options.ts";
import { TracedForkedJob, type TracedJob, TracedTaskJob } from "./traced-job.ts";

/** How much may wait. */
export interface QueueLimits {
  /** Jobs in slots and in the backlog: those that run, and those that wait. Changes with the number of threads. */
  jobs: number;
  /** Of the encoded arguments of these jobs. */
  readonly bytes: number;
  /** As the user gave it, for the error. */
  readonly maxQueue: number;
}

/** A ring full of withdrawn entries empties as soon as a thread looks; so long until the backlog tries again. */
const RING_FULL_RETRY_MS = 1;
const noArguments = new Uint8Array(0);
const TIMED_MASK = 15;
const NORMAL: number = PRIORITIES.indexOf("normal");

export class Submission {
  readonly #memory: PoolMemory;
  readonly #trace: ThreadTrace | null;
  readonly #serial: number;
  readonly #jobs: JobTable;
  readonly #arena: Arena;
  readonly #contexts: ContextTable;
  readonly #sharedBuffers: SharedBuffers;
  readonly #encoder: Encoder;
  readonly #holder: ArgumentsHolder;
  readonly #callThread: () => void;
  readonly progress: ProgressListeners = new ProgressListeners();
  readonly #limits: QueueLimits;
  #jobCount = 0;
  #argsBytes = 0;
  #untimed = 0;
  #retry: NodeJS.Timeout | null = null;
  readonly #backlogs: readonly Backlog[] = PRIORITIES.map(() => new Backlog());

  /** @param callThread A job was queued: somebody has to run it. */
  constructor(
    memory: PoolMemory,
    serial: number,
    jobs: JobTable,
    arena: Arena,
    contexts: ContextTable,
    sharedBuffers: SharedBuffers,
    encoder: Encoder,
    holder: ArgumentsHolder,
    limits: QueueLimits,
    callThread: () => void,
  ) {
    this.#holder = holder;
    this.#memory = memory;
    this.#trace = memory.trace;
    this.#serial = serial;
    this.#jobs = jobs;
    this.#arena = arena;
    this.#contexts = contexts;
    this.#sharedBuffers = sharedBuffers;
    this.#encoder = encoder;
    this.#limits = limits;
    this.#callThread = callThread;
  }

  /**
   * Encodes the arguments and the context; `enqueue` must follow at once, since the bytes are in the encoder.
   *
   * @param below The function of ours that the caller called: its frames and those above are not the caller's.
   * @throws what encoding throws. Nothing was claimed then.
   */
  create(
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): TaskJob {
    this.#sharedBuffers.named = false;
    const length = this.#encoder.encode(args, "args", moveListOfArguments(args, options.transfer));
    const { carried, copied } = this.#encoder;
    const keepAlive = this.#sharedBuffers.named ? args : null;
    const limits = this.#limits;
    if (this.#jobCount >= limits.jobs) throw new QueueFullError("maxQueue", limits.maxQueue);
    if (this.#argsBytes + length > limits.bytes) throw new QueueFullError("maxQueueBytes", limits.bytes);
    const context = options.flowContext ? this.#contexts.enter() : null;
    const block = this.#store(length, context);
    if (carried !== null || copied !== null)
      this.#hold(carried, copied, args, options.retries, context, block);
    this.#jobCount++;
    this.#argsBytes += length;
    const retry =
      options.retries === 0
        ? null
        : { left: options.retries, args: block === 0 ? this.#encoder.bytes.slice(0, length) : noArguments };
    const frames = captureCallerFrames(below);
    const progressId =
      options.onProgress === undefined ? 0 : this.progress.add(listenerOf(options.onProgress));
    const submittedAt = this.#timestamp(frames !== null);
    this.#memory.statistics.count(COUNTERS.submitted);
    const carriedId = carried === null ? 0 : carried.id;
    const extras = jobExtras(frames, keepAlive, retry, progressId, carriedId);
    // Written twice: `new` of a class that is known is faster.
    const job =
      this.#trace === null
        ? new TaskJob(fn, options, context, length, block, submittedAt, extras)
        : new TracedTaskJob(fn, options, context, length, block, submittedAt, extras);
    publishJob("submit", fn.source, job);
    return job;
  }

  /** The same for a job that this thread forks, and will probably take back: no more than it needs then. */
  createForked(
    joiner: Joiner,
    fn: FunctionEntry,
    args: readonly unknown[],
    below: (...args: never[]) => unknown,
  ): ForkedJob {
    const isNumbers = areNumbers(args);
    let length = 0;
    let own: readonly unknown[] | null = args;
    let keepAlive: unknown = null;
    let carried: Carried | null = null;
    let copied: readonly ArrayBuffer[] | null = null;
    if (!isNumbers) {
      this.#sharedBuffers.named = false;
      length = this.#encoder.encode(args, "args", moveListOfArguments(args, null));
      ({ carried, copied } = this.#encoder);
      if (this.#sharedBuffers.named) keepAlive = args;
      if (!args.every(isPrimitive)) own = null;
    }
    const context = this.#contexts.enter();
    const block = this.#store(length, context);
    if (carried !== null || copied !== null) this.#hold(carried, copied, args, 0, context, block);
    this.#jobCount++;
    this.#argsBytes += length;
    const frames = captureCallerFrames(below);
    this.#memory.statistics.count(COUNTERS.submitted);
    const submittedAt = this.#timestamp(frames !== null);
    const extras = jobExtras(frames, keepAlive, null, 0, carried === null ? 0 : carried.id);
    const job =
      this.#trace === null
        ? new ForkedJob(joiner, fn, own, isNumbers, context, length, block, submittedAt, extras)
        : new TracedForkedJob(joiner, fn, own, isNumbers, context, length, block, submittedAt, extras);
    publishJob("submit", fn.source, job);
    return job;
  }

  /** The encoded arguments, if they do not fit into a slot. */
  #store(length: number, context: ContextEntry | null): number {
    if (length <= INLINE_BYTES) return 0;
    try {
      const block = this.#arena.allocate(length);
      this.#encoder.copyTo(this.#arena.bytes, block * 8);
      return block;
    } catch (error) {
      if (context !== null) this.#contexts.leave(context);
      throw error;
    }
  }

  /** What is carried, or moved, leaves the caller. The last step that can fail: nothing is detached when a job is refused. */
  #hold(
    carried: Carried | null,
    copied: readonly ArrayBuffer[] | null,
    args: readonly unknown[],
    retries: number,
    context: ContextEntry | null,
    block: number,
  ): void {
    try {
      const moves = copied !== null || carried!.transfer.length > 0;
      if (moves && retries > 0)
        throw argumentRangeError("retries", "0 for a job whose arguments are moved", retries);
      if (copied !== null) detachCopied(copied, "args");
      if (carried !== null) this.#holder.hold(carried);
    } catch (error) {
      if (block !== 0) this.#arena.free(block);
      if (context !== null) this.#contexts.leave(context);
      throw error;
    }
    forgetMoves(args);
  }

  /** Every job is timed while there are few, then one in 16: reading the clock costs a tenth of a submission. */
  #timestamp(isOneOfFew: boolean): number {
    const timed = isOneOfFew || (this.#untimed = (this.#untimed + 1) & TIMED_MASK) === 0;
    return timed ? timestampUs() : 0;
  }

  /** The job is over, and nothing of it is in a slot or in the backlog any more. */
  forget(job: PendingJob): void {
    this.#jobCount--;
    this.#argsBytes -= job.argsLength;
    const { extras } = job;
    if (extras !== noExtras) {
      if (extras.progressId !== 0) this.progress.remove(extras.progressId);
      if (extras.carriedId !== 0) this.#holder.drop(extras.carriedId);
    }
    if (job.block !== 0) this.#arena.free(job.block);
    if (job.context !== null) this.#contexts.leave(job.context);
  }

  /** As `forget`; and a slot is free, which the backlog may want: only forked jobs are taken back, and they wait there. */
  takenBack(job: PendingJob): void {
    this.forget(job);
    if (this.#backlogs[NORMAL]!.size > 0) this.refill();
  }

  /** Its thread died, and the job may run again: behind those that wait. */
  enqueueAgain(job: PendingJob): void {
    this.#backlogs[job.options.priority]!.add(job, job.extras.retry!.args);
    this.refill();
    this.#retryIfRingIsFull();
  }

  /**
   * Puts the job into a slot that is the thread's already; the caller tells the thread.
   * @throws QueueFullError when no slot is free.
   */
  assign(job: PendingJob, serial: number): void {
    const slot = this.#jobs.take(job);
    if (slot === NONE_FREE) {
      this.forget(job);
      throw new QueueFullError("maxQueue", this.#memory.slotCount);
    }
    this.#fill(slot, job, this.#encoder.bytes);
    this.#memory.slots.assign(slot, serial);
    job.slot = slot;
  }

  enqueue(job: PendingJob): void {
    const isCarried = job.extras.carriedId !== 0;
    if (isCarried && this.#give(job)) return;
    const backlog = this.#backlogs[job.options.priority]!;
    // Behind those that wait already: first in, first out.
    if (backlog.size === 0 && this.#place(job, this.#encoder.bytes)) {
      this.#callThread();
      if (isCarried) this.#holder.queued();
      return;
    }
    backlog.add(job, this.#encoder.bytes);
    this.#retryIfRingIsFull();
  }

  /** Past the queues, if there is a thread for it: its carried arguments go there with one message. */
  #give(job: PendingJob): boolean {
    const serial = this.#jobs.hasFree ? this.#holder.threadFor(job) : 0;
    if (serial === 0) return false;
    this.assign(job, serial);
    this.#holder.give(serial, job.slot, job.extras.carriedId);
    return true;
  }

  /** As `enqueue`, for a job that this thread forks. */
  offer(job: ForkedJob): void {
    const backlog = this.#backlogs[NORMAL]!;
    if (backlog.size === 0 && this.#place(job, this.#encoder.bytes)) {
      this.#callThread();
      return;
    }
    if (job.isNumbers) {
      job.isNumbers = false;
      job.argsLength = this.#encoder.encode(job.args, "args");
      this.#argsBytes += job.argsLength;
    }
    backlog.add(job, this.#encoder.bytes);
    this.#retryIfRingIsFull();
  }

  /** Slots have become free: the backlog moves up, high priority first. */
  refill(): void {
    let placed = false;
    for (const backlog of this.#backlogs) {
      while (backlog.size > 0) {
        const job = backlog.peek();
        if (!job.isOver) {
          if (!this.#place(job, job.block === 0 ? backlog.peekArguments() : noArguments)) {
            this.#retryIfRingIsFull();
            break;
          }
          placed = true;
        }
        backlog.shift();
      }
    }
    if (placed) this.#callThread();
  }

  /** How many jobs wait for a slot, by priority; those of withdrawn jobs included. */
  backlogSize(priority: number): number {
    return this.#backlogs[priority]!.size;
  }

  /** The jobs that wait for a slot. */
  takeBacklog(): PendingJob[] {
    const jobs: PendingJob[] = [];
    for (const backlog of this.#backlogs) {
      for (; backlog.size > 0; backlog.shift()) jobs.push(backlog.peek());
    }
    return jobs;
  }

  /** Slots are free, and yet there was no room: no result that comes in will say when there is. */
  #retryIfRingIsFull(): void {
    if (!this.#jobs.hasFree || this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.refill();
    }, RING_FULL_RETRY_MS);
  }

  /** Into a slot and a queue. @returns false when there is no room. */
  #place(job: PendingJob, args: Uint8Array): boolean {
    const slot = this.#jobs.take(job);
    if (slot === NONE_FREE) return false;
    this.#fill(slot, job, args);
    const { slots } = this.#memory;
    slots.publish(slot);
    if (!this.#queue(job.options.priority, slot) && slots.withdraw(slot)) {
      this.#jobs.free(slot);
      return false;
    }
    // Queued; or the ring was full, but a thread came by a former entry of this slot and has claimed the job (slot.ts I4).
    job.slot = slot;
    return true;
  }

  #fill(slot: number, job: PendingJob, args: Uint8Array): void {
    const { slots } = this.#memory;
    slots.describeJob(slot, job.fn.id, job.fn.block, job.fn.length, job.extras.progressId, job.submittedAt);
    if (job.isNumbers) slots.setNumbers(slot, job.args as readonly number[]);
    else if (job.block === 0) slots.setInlinePayload(slot, args, job.argsLength);
    else slots.setArenaPayload(slot, this.#serial, job.block, job.argsLength);
    const { context } = job;
    if (context !== null) {
      slots.setContext(slot, context.id, context.block, context.length);
    }
    const trace = this.#trace;
    if (trace !== null) trace.place(slot, (job as TracedJob).key, (job as TracedJob).startedAt);
  }

  /** Jobs of normal priority that a job submits stay with its thread, until somebody steals them (A3.8). */
  #queue(priority: number, slot: number): boolean {
    const { queues, submitter } = this.#memory;
    return submitter === HOST || priority !== NORMAL ? queues.push(priority, slot) : queues.pushLocal(slot);
  }
}

function areNumbers(args: readonly unknown[]): boolean {
  for (let i = 0; i < args.length; i++) if (typeof args[i] !== "number") return false;
  return args.length <= MAX_NUMBERS;
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

/** In the context of the call that submitted the job; what it throws must not reach whoever settles jobs. */
function listenerOf(onProgress: (value: unknown) => void): (value: unknown) => void {
  const scope = AsyncScope.capture();
  return (value) => {
    try {
      scope.run(onProgress, value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
