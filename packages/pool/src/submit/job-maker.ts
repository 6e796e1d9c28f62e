/**
 * How a job is made and accepted, in two phases. First everything that runs code of the user's: the codecs of the context, the getters
 * of the arguments. It may submit jobs itself, throw, cancel, close the pool: nothing shared was touched, and no bytes of this job are
 * under way. Then, without a break, the job is encoded, admitted, given memory and placed. Channels and signals hear of it afterwards.
 */
import { argumentRangeError } from "@skein/context/errors";
import { type Carried, renameCarried } from "../codec/carried.ts";
import { type EncodedMessage, noMessage } from "../codec/encoded-message.ts";
import type { Encoder } from "../codec/encoder.ts";
import { streamsIn } from "../codec/marked-streams.ts";
import { JobTimeoutError, NotSupportedError, QueueFullError } from "../errors.ts";
import { publishJob } from "../jobs/channels.ts";
import { someoneTracesJobs, type TracedJob, traceSubmission } from "../jobs/job-tracing.ts";
import { nameOf } from "../jobs/function-name.ts";
import type { Payloads } from "../shared/payloads.ts";
import { copyBytes } from "../shared/copy-bytes.ts";
import { INLINE_BYTES } from "../shared/layout.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { MAX_NUMBERS } from "../shared/slot-fields.ts";
import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import { POLICIES } from "../shared/trace/trace-code.ts";
import { timestampUs } from "../shared/clock.ts";
import { clone } from "../transfer/clone.ts";
import { detachCopied } from "../transfer/detach.ts";
import { forgetMoves, moveListOfArguments } from "../transfer/move.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import { type ArgumentPumps, checkUntaken, letGo, letGoAll } from "./argument-pumps.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import { type Below, type Caller, callerOf } from "./caller.ts";
import { areFramesLeft } from "./caller-frames.ts";
import type { ContextEntry, ContextTable } from "./context-table.ts";
import { ForkedJob, type Joiner } from "./forked-job.ts";
import type { FunctionEntry, FunctionRegistry } from "./function-registry.ts";
import { type JobExtras, jobExtras } from "./job-extras.ts";
import type { JobWatch } from "./job-watch.ts";
import type { Ledger } from "./ledger.ts";
import { RunLimit } from "./run-limit.ts";
import { DECIDED, type PendingJob } from "./pending-job.ts";
import { TaskJob } from "./task-job.ts";
import type { ProgressListeners } from "./progress-listeners.ts";
import { contextBeside, noArguments } from "./slot-filling.ts";
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
  readonly pumps: ArgumentPumps;
  readonly ledger: Ledger;
  readonly watch: JobWatch<PendingJob>;
}

const TIMED_MASK = 15;

export class JobMaker {
  readonly #parts: JobMakerParts;
  #untimed = 0;

  constructor(parts: JobMakerParts) {
    this.#parts = parts;
  }

  /** @throws what encoding the arguments or the context throws, PoolClosedError, QueueFullError. Nothing was claimed then. */
  submit(fn: FunctionEntry, args: readonly unknown[], options: SubmitOptions, below: Below): TaskJob {
    const job = new TaskJob(fn, options);
    this.send(job, args, below);
    return job;
  }

  /** As `submit`, for a job that is made already. */
  send(job: PendingJob, args: readonly unknown[], below: Below): void {
    if (!someoneTracesJobs(job.fn.source)) this.#send(job, args, below, null);
    else traceSubmission(job.fn.source, job.options.ofMap, (traced) => this.#send(job, args, below, traced));
  }

  #send(job: PendingJob, args: readonly unknown[], below: Below, traced: TracedJob | null): void {
    const { ledger, memory } = this.#parts;
    const startedAt = memory.trace === null ? 0 : memory.trace.beginning();
    const caller = callerOf(below, ledger.outstanding === 0, traced);
    this.#accept(job, this.#prepare(job, args), caller, startedAt);
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
    const caller = callerOf(below, ledger.outstanding === 0);
    const first = new TaskJob(fn, options);
    const message = this.#prepare(first, args, "broadcast");
    const { carried } = message;
    const bytes = message.bytes.slice(0, message.length);
    message.release();
    const jobs = [first];
    const targets = threads();
    try {
      ledger.admit(bytes.length, null, targets.length);
      if (!ledger.hasSlots(targets.length)) throw new QueueFullError("maxQueue", memory.slotCount);
      while (jobs.length < targets.length) jobs.push(this.#copyOf(first, bytes, carried));
    } catch (error) {
      for (const job of jobs) ledger.giveBack(job);
      throw error;
    }
    if (targets.length === 0) {
      ledger.giveBack(first);
      return [];
    }
    for (const [i, job] of jobs.entries()) {
      remember(job, caller);
      job.submittedAt = timestampUs();
      if (memory.trace !== null) this.#mark(memory.trace, job, 0);
      if (carried !== null) renameCarried(bytes, bytes.length, job.extras.carriedId);
      ledger.assign(job, bytes, targets[i]!.serial);
      post(targets[i]!, job.slot);
    }
    for (const job of jobs) this.#told(job);
    return jobs;
  }

  /** As `submit`, for a job that this thread forks, and will probably take back: no more than it needs then. */
  fork(joiner: Joiner, fn: FunctionEntry, args: readonly unknown[], below: Below): ForkedJob {
    const { memory } = this.#parts;
    const startedAt = memory.trace === null ? 0 : memory.trace.beginning();
    // Not 'first', even if it is: joined at once each would be, and reading the clock costs a tenth of a fork.
    const caller = callerOf(below, false);
    const isNumbers = areNumbers(args);
    if (!isNumbers && streamsIn(args).length > 0) {
      letGo(args);
      throw streamsRefused("fork");
    }
    const job = new ForkedJob(joiner, fn, isNumbers || arePrimitive(args) ? args : null, isNumbers);
    const message = isNumbers ? this.#prepareNumbers(job) : this.#prepare(job, args, "fork");
    this.#accept(job, message, caller, startedAt);
    return job;
  }

  #accept(job: PendingJob, message: EncodedMessage, caller: Caller | null, startedAt: number): void {
    const { ledger, memory } = this.#parts;
    remember(job, caller);
    this.#timestamp(job);
    if (memory.trace !== null) this.#mark(memory.trace, job, startedAt);
    try {
      ledger.accept(job, message.bytes);
    } finally {
      message.release();
    }
    this.#told(job);
  }

  /** Nothing but numbers need not be encoded. What jobs fork is not limited. */
  #prepareNumbers(job: ForkedJob): EncodedMessage {
    const { contexts, ledger } = this.#parts;
    const context = contexts.current();
    ledger.admit(0, context);
    this.#enter(job.fn, context);
    job.context = context;
    return noMessage;
  }

  /**
   * Both phases up to the memory. From the return of `encode` on nothing of the user's runs.
   * @param unstreamed What takes no argument that comes piece by piece, for the error. Null: it does.
   * @returns the arguments, to be released when they are where they go.
   */
  #prepare(job: PendingJob, args: readonly unknown[], unstreamed: string | null = null): EncodedMessage {
    const { contexts, encoder, sharedBuffers } = this.#parts;
    const { fn, options } = job;
    const context = options.flowContext ? contexts.current() : null;
    const outer = sharedBuffers.beginMessage();
    let message: EncodedMessage;
    let keepAlive: readonly SharedArrayBuffer[] | null;
    try {
      message = encoder.encode(args, "args", moveListOfArguments(args, options.transfer));
    } finally {
      keepAlive = sharedBuffers.endMessage(outer);
    }
    const { streams } = message;
    const isBeside = context !== null && unstreamed === null && this.#putBeside(message, context);
    const named = isBeside ? null : context;
    const contextLength = isBeside ? context.length : 0;
    try {
      if (streams !== null) {
        if (unstreamed !== null) throw streamsRefused(unstreamed);
        checkUntaken(streams, args);
      }
      job.block = this.#claim(fn, named, message, contextLength, options);
    } catch (error) {
      message.release();
      if (streams !== null) letGoAll(streams);
      throw error;
    }
    job.context = named;
    job.argsLength = message.length + contextLength;
    if (isBeside) job.contextBeside = contextBeside(context);
    const { carried } = message;
    if (carried !== null || message.copied !== null) forgetMoves(args);
    const { retries, onProgress, runTimeoutMs } = options;
    const isHeard = onProgress !== undefined || runTimeoutMs !== undefined;
    if (keepAlive !== null || carried !== null || streams !== null || retries > 0 || isHeard) {
      job.extras = jobExtras({
        keepAlive,
        carriedId: carried === null ? 0 : carried.id,
        pumps: streams === null ? null : this.#parts.pumps.take(job, streams, args),
        retry: retries === 0 ? null : { left: retries, args: inlineArguments(job, message) },
        ...this.#listen(job),
      });
    }
    return message;
  }

  /**
   * Writes the text of a context behind the arguments, if no job has had it before and both fit into a slot: most contexts have one job, and
   * that holds nothing else for it then. Not while the pool is traced: who reads along asks for the context.
   * @returns false: the job names it.
   */
  #putBeside(message: EncodedMessage, context: ContextEntry): boolean {
    const { contexts, memory } = this.#parts;
    if (context.wasUsed || message.length + context.length > INLINE_BYTES || memory.trace !== null)
      return false;
    contexts.write(context, message.bytes, message.length);
    context.wasUsed = true;
    return true;
  }

  /** To what the job reports. */
  #listen(job: PendingJob): Pick<JobExtras, "progressId" | "runLimit"> {
    const { progress, ledger } = this.#parts;
    const { onProgress, runTimeoutMs } = job.options;
    if (runTimeoutMs === undefined)
      return { progressId: onProgress === undefined ? 0 : progress.add(onProgress), runLimit: null };
    const runLimit = new RunLimit(runTimeoutMs, () =>
      ledger.fail(job, new JobTimeoutError(runTimeoutMs, { limit: "runTimeoutMs" })),
    );
    return { progressId: progress.add(onProgress, runLimit), runLimit };
  }

  /** Admits the job and gives it its memory, or changes nothing. @returns where its arguments lie; 0: they fit into a slot. */
  #claim(
    fn: FunctionEntry,
    context: ContextEntry | null,
    message: EncodedMessage,
    contextLength: number,
    { retries, placement }: SubmitOptions,
  ): number {
    const { ledger, holder, payloads } = this.#parts;
    const { length, carried, copied, streams } = message;
    const moves = copied !== null || (carried !== null && carried.transfer.length > 0);
    if (moves && retries > 0)
      throw argumentRangeError("retries", "0 for a job whose arguments are moved", retries);
    if (streams !== null && retries > 0)
      throw argumentRangeError("retries", "0 for a job that reads a stream of its caller", retries);
    ledger.admit(length + contextLength, context);
    if (placement !== null) ledger.admitPlaced(placement);
    this.#enter(fn, context);
    let block = 0;
    try {
      if (length > INLINE_BYTES) {
        block = payloads.allocate(length);
        message.copyTo(payloads.bytes(block), payloads.offset(block));
      }
      // The last step that can fail: nothing is detached when a job is refused.
      if (copied !== null) detachCopied(copied, "args");
      if (carried !== null) holder.hold(carried);
    } catch (error) {
      this.#leave(fn, context, block);
      throw error;
    }
    return block;
  }

  /** A job with the same arguments, and memory of its own. */
  #copyOf(first: TaskJob, bytes: Uint8Array, carried: Carried | null): TaskJob {
    const { payloads, encoder, holder } = this.#parts;
    const { fn, options, context } = first;
    const { length } = bytes;
    const own: Carried | null =
      carried === null
        ? null
        : { id: encoder.nextCarriedId(), values: clone(carried.values, []), transfer: [] };
    const job = new TaskJob(fn, options);
    this.#enter(fn, context);
    let block = 0;
    try {
      if (own !== null) renameCarried(bytes, length, own.id);
      if (first.block !== 0) {
        block = payloads.allocate(length);
        copyBytes(bytes, 0, length, payloads.bytes(block), payloads.offset(block));
      }
      if (own !== null) holder.hold(own);
    } catch (error) {
      this.#leave(fn, context, block);
      throw error;
    }
    job.context = context;
    job.block = block;
    job.argsLength = length;
    const { retry } = first.extras;
    job.extras = jobExtras({
      ...first.extras,
      carriedId: own === null ? 0 : own.id,
      retry: retry === null ? null : { ...retry },
      ...this.#listen(job),
    });
    return job;
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

  #leave(fn: FunctionEntry, context: ContextEntry | null, block: number): void {
    const { payloads, functions, contexts } = this.#parts;
    if (block !== 0) payloads.free(block);
    functions.leave(fn);
    if (context !== null) contexts.leave(context);
  }

  /** The job is accepted, and whole: who listens may do anything. */
  #told(job: PendingJob): void {
    const { watch, ledger } = this.#parts;
    const { signal, timeoutMs, runTimeoutMs } = job.options;
    const isWatched = signal !== undefined || timeoutMs !== undefined || runTimeoutMs !== undefined;
    try {
      if (isWatched && job.stage < DECIDED) watch.watch(job, signal, timeoutMs);
    } catch (error) {
      // Of a signal that is no AbortSignal. The job was sent.
      ledger.fail(job, error);
    }
    publishJob("submit", job.fn.source, job);
    const { mark } = job.extras;
    if (mark !== null)
      mark.trace.submitted(mark, job.fn.id, policyIndex(job.options), () => nameOf(job.fn.source));
  }

  #mark(trace: ThreadTrace, job: PendingJob, startedAt: number): void {
    const mark = trace.began(job, job.options.priority, startedAt);
    if (mark !== null) job.extras = { ...job.extras, mark };
  }

  /** Every job is timed that is traced, or while there are few, then one in 16: reading the clock costs a tenth of a submission. */
  #timestamp(job: PendingJob): void {
    if (
      job.extras.traced !== null ||
      areFramesLeft() ||
      (this.#untimed = (this.#untimed + 1) & TIMED_MASK) === 0
    )
      job.submittedAt = timestampUs();
  }
}

function streamsRefused(by: string): NotSupportedError {
  return new NotSupportedError("streamArguments", by, "an argument that is marked with `stream`");
}

/** Of POLICIES. */
function policyIndex({ continuations }: SubmitOptions): number {
  if (continuations === undefined) return 0;
  const policy = continuations.continuations;
  return typeof policy === "string" ? POLICIES.indexOf(policy) : POLICIES.indexOf("scheduler");
}

/** Before the job is accepted: it may fail at once, when no thread can start. */
function remember(job: PendingJob, caller: Caller | null): void {
  if (caller !== null) job.extras = { ...job.extras, ...caller };
}

/** A copy for `retries`, if they lie in a slot: that is overwritten with the outcome. */
function inlineArguments(job: PendingJob, message: EncodedMessage): Uint8Array {
  return job.block === 0 ? message.bytes.slice(0, job.argsLength) : noArguments;
}

function areNumbers(args: readonly unknown[]): boolean {
  for (let i = 0; i < args.length; i++) if (typeof args[i] !== "number") return false;
  return args.length <= MAX_NUMBERS;
}

function arePrimitive(args: readonly unknown[]): boolean {
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    if (typeof value === "object" && value !== null) return false;
  }
  return true;
}
