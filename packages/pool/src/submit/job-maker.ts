/**
 * How a job is made and accepted, in two phases. First everything that runs code of the user's: the codecs of the context, the getters
 * of the arguments. It may submit jobs itself, throw, cancel, close the pool: nothing shared was touched, and no bytes of this job are
 * under way. Then, without a break, the job is encoded, admitted, given memory and placed. Channels and signals hear of it afterwards.
 */
import { AsyncScope } from "@skein/context";
import { argumentRangeError } from "@skein/context/errors";
import { type Carried, renameCarried } from "../codec/carried.ts";
import { type EncodedMessage, noMessage } from "../codec/encoded-message.ts";
import type { Encoder } from "../codec/encoder.ts";
import { QueueFullError } from "../errors.ts";
import { publishJob, someoneFollowsJobs } from "../jobs/channels.ts";
import { nameOf } from "../jobs/function-name.ts";
import type { Payloads } from "../shared/payloads.ts";
import { copyBytes } from "../shared/copy-bytes.ts";
import { INLINE_BYTES } from "../shared/layout.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { MAX_NUMBERS } from "../shared/slot.ts";
import { timestampUs } from "../shared/clock.ts";
import { clone } from "../transfer/clone.ts";
import { detachCopied } from "../transfer/detach.ts";
import { forgetMoves, moveListOfArguments } from "../transfer/move.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import { type CallerFrames, captureCallerFrames } from "./caller-frames.ts";
import type { ContextEntry, ContextTable } from "./context-table.ts";
import { ForkedJob, type Joiner } from "./forked-job.ts";
import type { FunctionEntry, FunctionRegistry } from "./function-registry.ts";
import { type JobExtras, jobExtras, noExtras } from "./job-extras.ts";
import type { JobWatch } from "./job-watch.ts";
import type { Ledger } from "./ledger.ts";
import { DECIDED, type PendingJob, TaskJob } from "./pending-job.ts";
import type { ProgressListeners } from "./progress-listeners.ts";
import type { SubmitOptions } from "./submit-options.ts";

export interface JobMakerParts {
  readonly memory: PoolMemory;
  readonly payloads: Payloads;
  readonly functions: FunctionRegistry;
  readonly contexts: ContextTable;
  readonly sharedBuffers: SharedBuffers;
  readonly encoder: Encoder;
  readonly holder: ArgumentsHolder;
  readonly progress: ProgressListeners;
  readonly ledger: Ledger;
  readonly watch: JobWatch;
}

/** The function of ours that the caller called: its frames and those above are not the caller's. */
export type Below = (...args: never[]) => unknown;

/** An argument list that is encoded and has its memory: what is left of a job to make. */
interface Prepared {
  readonly context: ContextEntry | null;
  /** To be released by whoever has asked for this. */
  readonly message: EncodedMessage;
  readonly block: number;
  readonly carried: Carried | null;
  readonly keepAlive: readonly SharedArrayBuffer[] | null;
}

const noArguments = new Uint8Array(0);
/** Every job is timed while there are few, then one in 16: reading the clock costs a tenth of a submission. */
const TIMED_MASK = 15;

export class JobMaker {
  readonly #parts: JobMakerParts;
  #untimed = 0;

  constructor(parts: JobMakerParts) {
    this.#parts = parts;
  }

  /** @throws what encoding the arguments or the context throws, PoolClosedError, QueueFullError. Nothing was claimed then. */
  submit(fn: FunctionEntry, args: readonly unknown[], options: SubmitOptions, below: Below): TaskJob {
    const { ledger, memory } = this.#parts;
    const startedAt = memory.trace === null ? 0 : memory.trace.now();
    const frames = captureCallerFrames(below, ledger.outstanding === 0);
    const scope = scopeOf(frames);
    const prepared = this.#prepare(fn, args, options);
    const { message } = prepared;
    const job = new TaskJob(
      fn,
      options,
      prepared.context,
      message.length,
      prepared.block,
      this.#timestamp(frames !== null),
      this.#extrasOf(prepared, options, frames, scope),
    );
    if (memory.trace !== null) memory.trace.began(job, options.priority, startedAt);
    this.#accept(job, message);
    this.#told(job);
    return job;
  }

  /**
   * A job for each of these threads alone, or for none.
   * @param threads Asked once all user code has run.
   * @param post Tells the thread of the slot of its job.
   * @returns the jobs; none when there are no threads.
   * @throws as `submit`, QueueFullError. Nothing was claimed then.
   */
  assign<T extends { readonly serial: number }>(
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: Below,
    threads: () => readonly T[],
    post: (thread: T, slot: number) => void,
  ): TaskJob[] {
    const { ledger, memory } = this.#parts;
    const frames = captureCallerFrames(below, ledger.outstanding === 0);
    const scope = scopeOf(frames);
    const first = this.#prepare(fn, args, options);
    const { message } = first;
    const { length } = message;
    const bytes = message.bytes.slice(0, length);
    message.release();
    const all = [first];
    const targets = threads();
    try {
      ledger.admit(length, null, targets.length);
      if (!ledger.hasSlots(targets.length)) throw new QueueFullError("maxQueue", memory.slotCount);
      while (all.length < targets.length) all.push(this.#copyOf(fn, first, bytes));
    } catch (error) {
      for (const prepared of all) this.#giveBack(fn, prepared);
      throw error;
    }
    if (targets.length === 0) this.#giveBack(fn, first);
    const jobs = targets.map((thread, i) => {
      const prepared = all[i]!;
      const { context, block, carried } = prepared;
      const extras = this.#extrasOf(prepared, options, frames, scope);
      const job = new TaskJob(fn, options, context, length, block, timestampUs(), extras);
      if (memory.trace !== null) memory.trace.began(job, options.priority, memory.trace.now());
      if (carried !== null) renameCarried(bytes, length, carried.id);
      ledger.assign(job, bytes, thread.serial);
      post(thread, job.slot);
      return job;
    });
    for (const job of jobs) this.#told(job);
    return jobs;
  }

  /** As `submit`, for a job that this thread forks, and will probably take back: no more than it needs then. */
  fork(joiner: Joiner, fn: FunctionEntry, args: readonly unknown[], below: Below): ForkedJob {
    const { ledger, memory } = this.#parts;
    const startedAt = memory.trace === null ? 0 : memory.trace.now();
    const frames = captureCallerFrames(below, ledger.outstanding === 0);
    const scope = scopeOf(frames);
    const { options } = joiner;
    const isNumbers = areNumbers(args);
    const prepared = isNumbers ? this.#prepareNumbers(fn) : this.#prepare(fn, args, options);
    const { message } = prepared;
    const own = isNumbers || args.every(isPrimitive) ? args : null;
    const job = new ForkedJob(
      joiner,
      fn,
      own,
      isNumbers,
      prepared.context,
      message.length,
      prepared.block,
      this.#timestamp(frames !== null),
      this.#extrasOf(prepared, options, frames, scope),
    );
    if (memory.trace !== null) memory.trace.began(job, options.priority, startedAt);
    this.#accept(job, message);
    this.#told(job);
    return job;
  }

  #accept(job: PendingJob, message: EncodedMessage): void {
    try {
      this.#parts.ledger.accept(job, message.bytes);
    } finally {
      message.release();
    }
  }

  /** Nothing but numbers need not be encoded. What jobs fork is not limited. */
  #prepareNumbers(fn: FunctionEntry): Prepared {
    const { contexts, ledger } = this.#parts;
    const context = contexts.current();
    ledger.admit(0, context);
    this.#enter(fn, context);
    return { context, message: noMessage, block: 0, carried: null, keepAlive: null };
  }

  /** Both phases up to the memory. From the return of `encode` on nothing of the user's runs. */
  #prepare(fn: FunctionEntry, args: readonly unknown[], options: SubmitOptions): Prepared {
    const { contexts, encoder, sharedBuffers } = this.#parts;
    const context = options.flowContext ? contexts.current() : null;
    const outer = sharedBuffers.beginMessage();
    let message: EncodedMessage;
    let keepAlive: readonly SharedArrayBuffer[] | null;
    try {
      message = encoder.encode(args, "args", moveListOfArguments(args, options.transfer));
    } finally {
      keepAlive = sharedBuffers.endMessage(outer);
    }
    let block: number;
    try {
      block = this.#claim(fn, context, message, options);
    } catch (error) {
      message.release();
      throw error;
    }
    const { carried, copied } = message;
    if (carried !== null || copied !== null) forgetMoves(args);
    return { context, message, block, carried, keepAlive };
  }

  /** Admits the job and gives it its memory, or changes nothing. @returns where its arguments lie; 0: they fit into a slot. */
  #claim(
    fn: FunctionEntry,
    context: ContextEntry | null,
    message: EncodedMessage,
    { retries }: SubmitOptions,
  ): number {
    const { ledger, holder } = this.#parts;
    const { length, carried, copied } = message;
    const moves = copied !== null || (carried !== null && carried.transfer.length > 0);
    if (moves && retries > 0)
      throw argumentRangeError("retries", "0 for a job whose arguments are moved", retries);
    ledger.admit(length, context);
    this.#enter(fn, context);
    let block = 0;
    try {
      if (length > INLINE_BYTES) block = this.#store(message);
      // The last step that can fail: nothing is detached when a job is refused.
      if (copied !== null) detachCopied(copied, "args");
      if (carried !== null) holder.hold(carried);
    } catch (error) {
      this.#giveBack(fn, { context, block, carried: null });
      throw error;
    }
    return block;
  }

  /** The same arguments once more, with memory of their own. */
  #copyOf(
    fn: FunctionEntry,
    { context, message, block, carried, keepAlive }: Prepared,
    bytes: Uint8Array,
  ): Prepared {
    const { payloads, encoder, holder } = this.#parts;
    const { length } = message;
    const own: Carried | null =
      carried === null
        ? null
        : { id: encoder.nextCarriedId(), values: clone(carried.values, []), transfer: [] };
    this.#enter(fn, context);
    let copied = 0;
    try {
      if (own !== null) renameCarried(bytes, length, own.id);
      if (block !== 0) {
        copied = payloads.allocate(length);
        copyBytes(bytes, 0, length, payloads.bytes(copied), payloads.offset(copied));
      }
      if (own !== null) holder.hold(own);
    } catch (error) {
      this.#giveBack(fn, { context, block: copied, carried: null });
      throw error;
    }
    return { context, message, block: copied, carried: own, keepAlive };
  }

  /** What the job names, besides its arguments. */
  #enter(fn: FunctionEntry, context: ContextEntry | null): void {
    const { functions, contexts } = this.#parts;
    functions.enter(fn);
    if (context === null) return;
    try {
      contexts.enter(context);
    } catch (error) {
      functions.leave(fn);
      throw error;
    }
  }

  #store(message: EncodedMessage): number {
    const { payloads } = this.#parts;
    const block = payloads.allocate(message.length);
    message.copyTo(payloads.bytes(block), payloads.offset(block));
    return block;
  }

  #giveBack(
    fn: FunctionEntry,
    { context, block, carried }: Pick<Prepared, "context" | "block" | "carried">,
  ): void {
    const { payloads, functions, contexts, holder } = this.#parts;
    if (carried !== null) holder.drop(carried.id);
    if (block !== 0) payloads.free(block);
    functions.leave(fn);
    if (context !== null) contexts.leave(context);
  }

  #extrasOf(
    { message, block, carried, keepAlive }: Prepared,
    { retries, onProgress }: SubmitOptions,
    frames: CallerFrames | null,
    scope: AsyncScope | null,
  ): JobExtras {
    if (
      frames === null &&
      keepAlive === null &&
      carried === null &&
      retries === 0 &&
      onProgress === undefined &&
      scope === null
    )
      return noExtras;
    const { progress } = this.#parts;
    return jobExtras({
      frames,
      keepAlive,
      carriedId: carried === null ? 0 : carried.id,
      retry:
        retries === 0
          ? null
          : { left: retries, args: block === 0 ? message.bytes.slice(0, message.length) : noArguments },
      progressId: onProgress === undefined ? 0 : progress.add(onProgress),
      scope,
    });
  }

  /** The job is accepted, and whole: who listens may do anything. */
  #told(job: PendingJob): void {
    const { memory, watch } = this.#parts;
    const { signal, timeoutMs } = job.options;
    if ((signal !== undefined || timeoutMs !== undefined) && job.stage < DECIDED)
      watch.watch(job, signal, timeoutMs);
    publishJob("submit", job.fn.source, job);
    if (memory.trace !== null) memory.trace.submitted(job, job.fn.id, () => nameOf(job.fn.source));
  }

  #timestamp(isOneOfFew: boolean): number {
    const timed = isOneOfFew || (this.#untimed = (this.#untimed + 1) & TIMED_MASK) === 0;
    return timed ? timestampUs() : 0;
  }
}

/** The context of the call, for jobs whose end is told in it. */
function scopeOf(frames: CallerFrames | null): AsyncScope | null {
  return frames !== null || someoneFollowsJobs() ? AsyncScope.capture() : null;
}

function areNumbers(args: readonly unknown[]): boolean {
  for (let i = 0; i < args.length; i++) if (typeof args[i] !== "number") return false;
  return args.length <= MAX_NUMBERS;
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}
