/**
 * What the jobs of one submitter hold, and how much of it they may hold.
 *
 * Slot       Held from when a job is in it until no thread can touch it any more (slot.ts I3), which may be after the job has settled.
 * Memory     Argument bytes, a use of its function and of its context, carried values, streams among its arguments, a progress listener.
 *            Held from when the job is made; counted, against the limits, from when it is accepted.
 * Moves      | what                                                        | the slot   | the memory
 *            | `add`: the job is accepted                                  | –          | counted
 *            | `freeSlot`: it waits again, or for another thread           | given back | stays
 *            | `release`: its thread is done with it; nobody had begun it  | given back | given back
 *            | `forget`: it had no slot, or was taken back from it         | –          | given back
 *            | `giveBack`: it was never accepted                           | –          | given back, and was not counted
 * Invariants Of an accepted job `release` or `forget` is called once.
 */
import { QueueFullError } from "../errors.ts";
import type { Payloads } from "../shared/payloads.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { clearTimeout } from "../shared/timers.ts";
import type { ArgumentPumps } from "./argument-pumps.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import type { ContextEntry } from "./context-entries.ts";
import type { ContextTable } from "./context-table.ts";
import type { FunctionRegistry } from "./function-registry.ts";
import { noExtras } from "./job-extras.ts";
import type { JobTable } from "./job-table.ts";
import { NO_SLOT, type PendingJob } from "./pending-job.ts";
import type { ProgressListeners } from "./progress-listeners.ts";

/** How much may wait. */
export interface QueueLimits {
  /** Jobs in slots and in the backlog: those that run, and those that wait. Changes with the number of threads. */
  jobs: number;
  /** Of the encoded arguments of these jobs, and of the contexts that they name. */
  readonly bytes: number;
  /** As the user gave it, for the error. */
  readonly maxQueue: number;
}

export interface JobHoldingsParts {
  readonly memory: PoolMemory;
  readonly table: JobTable;
  readonly payloads: Payloads;
  readonly functions: FunctionRegistry;
  readonly contexts: ContextTable;
  readonly holder: ArgumentsHolder;
  readonly progress: ProgressListeners;
  readonly pumps: Pick<ArgumentPumps, "free">;
  readonly limits: QueueLimits;
}

export class JobHoldings {
  readonly #parts: JobHoldingsParts;
  readonly #memory: PoolMemory;
  readonly #table: JobTable;
  /** Jobs that hold memory, and how much of it counts for the limit. */
  #jobs = 0;
  #bytes = 0;

  constructor(parts: JobHoldingsParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#table = parts.table;
  }

  /** Whether there is room for so many jobs with arguments of this length. @throws QueueFullError. */
  checkRoom(argsLength: number, context: ContextEntry | null, jobs: number): void {
    const { limits, contexts } = this.#parts;
    if (this.#jobs + jobs > limits.jobs) throw new QueueFullError("maxQueue", limits.maxQueue);
    const bytes = this.#bytes + argsLength * jobs + contexts.bytesInUse + contexts.bytesToAdd(context);
    if (bytes > limits.bytes) throw new QueueFullError("maxQueueBytes", limits.bytes);
  }

  /** The job is accepted. */
  add(job: PendingJob): void {
    this.#jobs++;
    this.#bytes += job.argsLength;
  }

  /** No thread can touch the slot any more: everything that the job held is free again. */
  release(slot: number, job: PendingJob): void {
    this.freeSlot(slot, job);
    this.forget(job);
  }

  freeSlot(slot: number, job: PendingJob): void {
    this.#memory.slots.release(slot);
    this.#table.free(slot);
    job.slot = NO_SLOT;
    const { graceTimer, home } = job.extras;
    if (graceTimer !== null) clearTimeout(graceTimer);
    if (home === null) return;
    home.inSlots--;
    home.inSlotsOf[job.options.priority]!--;
    job.extras = { ...job.extras, home: null };
  }

  forget(job: PendingJob): void {
    this.#jobs--;
    this.#bytes -= job.argsLength;
    this.giveBack(job);
  }

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
