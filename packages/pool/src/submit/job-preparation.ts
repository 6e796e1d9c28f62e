/**
 * A job's arguments and its context, from the call to the memory in which they wait for a thread. First everything that runs code of the user's: the
 * codecs of the context, the getters of the arguments. It may submit jobs itself, throw, cancel, close the pool: nothing shared was touched, and no
 * bytes of this job are under way. Then, without a break, the job is admitted and given its memory; whatever fails there is undone.
 */
import { argumentRangeError } from "@skein/context/errors";
import { type Carried, renameCarried } from "../codec/carried.ts";
import { type EncodedMessage, noMessage } from "../codec/encoded-message.ts";
import type { Encoder } from "../codec/encoder.ts";
import { JobTimeoutError, NotSupportedError } from "../errors.ts";
import type { Payloads } from "../shared/payloads.ts";
import { copyBytes } from "../shared/copy-bytes.ts";
import { INLINE_BYTES } from "../shared/layout.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { clone } from "../transfer/clone.ts";
import { detachCopied } from "../transfer/detach.ts";
import { forgetMoves, moveListOfArguments } from "../transfer/move.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import { type ArgumentPumps, checkUntaken, letGoAll } from "./argument-pumps.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import type { ContextEntry } from "./context-entries.ts";
import type { ContextTable, SeenContext } from "./context-table.ts";
import type { FunctionEntry, FunctionRegistry } from "./function-registry.ts";
import { type JobExtras, jobExtras } from "./job-extras.ts";
import type { Ledger } from "./ledger.ts";
import { RunLimit } from "./run-limit.ts";
import type { PendingJob } from "./pending-job.ts";
import { TaskJob } from "./task-job.ts";
import { type ProgressListeners, unreadProgress } from "./progress-listeners.ts";
import { lengthBeside, noArguments } from "./slot-filling.ts";
import type { SubmitOptions } from "./submit-options.ts";

export interface JobPreparationParts {
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
}

export class JobPreparation {
  readonly #parts: JobPreparationParts;

  constructor(parts: JobPreparationParts) {
    this.#parts = parts;
  }

  /**
   * Both phases up to the memory. From the return of `encode` on nothing of the user's runs.
   * @param unstreamed What takes no argument that comes piece by piece, for the error. Null: it does.
   * @returns the arguments, to be released when they are where they go.
   */
  prepare(job: PendingJob, args: readonly unknown[], unstreamed: string | null = null): EncodedMessage {
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
    let beside: number | null = null;
    let named: ContextEntry | null = null;
    let contextLength = 0;
    try {
      if (context !== null) {
        beside = unstreamed === null ? this.#putBeside(message, context) : null;
        if (beside === null) named = contexts.entryOf(context);
        else contextLength = lengthBeside(beside);
      }
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
    if (beside !== null) job.contextBeside = beside;
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

  /** Not while the pool is traced: who reads along asks for the context. */
  #putBeside(message: EncodedMessage, context: SeenContext): number | null {
    const { contexts, memory } = this.#parts;
    if (message.length >= INLINE_BYTES || memory.trace !== null) return null;
    return contexts.putBeside(context, message.bytes, message.length);
  }

  /** To what the job reports. */
  #listen(job: PendingJob): Pick<JobExtras, "progressId" | "runLimit"> {
    const { progress, ledger } = this.#parts;
    const { onProgress, runTimeoutMs } = job.options;
    const lost = (): void => ledger.failReport(job, unreadProgress());
    if (runTimeoutMs === undefined)
      return { progressId: onProgress === undefined ? 0 : progress.add(onProgress, lost), runLimit: null };
    const runLimit = new RunLimit(runTimeoutMs, () =>
      ledger.fail(job, new JobTimeoutError(runTimeoutMs, { limit: "runTimeoutMs" })),
    );
    return { progressId: progress.add(onProgress, lost, runLimit), runLimit };
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
    let isHeld = false;
    try {
      if (length > INLINE_BYTES) {
        block = payloads.allocate(length);
        message.copyTo(payloads.bytes(block), payloads.offset(block));
      }
      // The last steps that can fail: nothing is detached when a job is refused. What is carried beside what was copied is not moved.
      if (carried !== null) holder.hold(carried);
      isHeld = carried !== null;
      if (copied !== null) detachCopied(copied, "args");
    } catch (error) {
      if (isHeld) holder.drop(carried!.id);
      this.#leave(fn, context, block);
      throw error;
    }
    return block;
  }

  /**
   * A job with the same arguments, and memory of its own.
   * @param inline The arguments of `first`, if they are to lie in its slot. Afterwards they name what this job carries.
   */
  copyOf(first: TaskJob, inline: Uint8Array, carried: Carried | null): TaskJob {
    const { encoder, holder } = this.#parts;
    const { fn, options, context, argsLength } = first;
    const own: Carried | null =
      carried === null
        ? null
        : { id: encoder.nextCarriedId(), values: clone(carried.values, []), transfer: [] };
    const job = new TaskJob(fn, options);
    this.#enter(fn, context);
    let block = 0;
    try {
      if (first.block !== 0) block = this.#copyBlock(first.block, argsLength, own);
      else if (own !== null) renameCarried(inline, argsLength, own.id);
      if (own !== null) holder.hold(own);
    } catch (error) {
      this.#leave(fn, context, block);
      throw error;
    }
    job.context = context;
    job.block = block;
    job.argsLength = argsLength;
    const { retry } = first.extras;
    job.extras = jobExtras({
      ...first.extras,
      carriedId: own === null ? 0 : own.id,
      retry: retry === null ? null : { ...retry, args: inline.slice() },
      ...this.#listen(job),
    });
    return job;
  }

  /** From the block itself: the message may have let go of long texts and bytes when it was copied there. */
  #copyBlock(from: number, length: number, own: Carried | null): number {
    const { payloads } = this.#parts;
    const block = payloads.allocate(length);
    const bytes = payloads.bytes(block);
    const at = payloads.offset(block);
    copyBytes(payloads.bytes(from), payloads.offset(from), length, bytes, at);
    if (own !== null) renameCarried(bytes, at + length, own.id);
    return block;
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

  /** Nothing but numbers need not be encoded. What jobs fork is not limited. */
  prepareNumbers(job: PendingJob): EncodedMessage {
    const { contexts, ledger } = this.#parts;
    const current = contexts.current();
    const context = current === null ? null : contexts.entryOf(current);
    ledger.admit(0, context);
    this.#enter(job.fn, context);
    job.context = context;
    return noMessage;
  }
}

export function streamsRefused(by: string): NotSupportedError {
  return new NotSupportedError("streamArguments", by, "an argument that is marked with `stream`");
}

/** A copy of the arguments, if they are to lie in a slot: `retries` need it, since that is overwritten with the outcome. Else empty. */
export function inlineArguments(job: PendingJob, message: EncodedMessage): Uint8Array {
  return job.block === 0 ? message.bytes.slice(0, job.argsLength) : noArguments;
}
