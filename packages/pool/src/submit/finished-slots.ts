/**
 * The inbox of one submitter: takes in the slots that threads have linked there, reads their outcomes and writes them down. Nothing of the
 * user's runs here; `Settlement.deliver` tells the outcomes afterwards.
 *
 * Moves      of JOB.stage (ledger.ts), for a slot that is linked
 *            | IN_SLOT, the slot DONE         | → DECIDED with the outcome of the slot, and everything is given back
 *            | DECIDED, SETTLED               | stays: the job was given up while it ran. The late outcome is dropped, and everything is given back
 *            | IN_SLOT, its outcome carries   | stays IN_SLOT until that has come: only on a pool thread, where it comes over the host
 *            |   what has not arrived         |
 *            | IN_SLOT, a stream that goes on | stays IN_SLOT; that somebody has to look is news, which `deliver` tells before it tells outcomes
 * Invariants I4 What was taken out of the inbox and not looked at (`hasMore`, the host alone) is DONE or a stream's link, and keeps its slot, so a
 *               batch fits into `#batch`. The inbox is taken anew only when the batch is empty: what was linked first is read first. Whoever
 *               recovers or gives up everything collects without a limit before.
 */
import { NotArrived } from "../codec/carried.ts";
import { JobCanceledError, NotCloneableError } from "../errors.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { OUTCOME_AHEAD, OUTCOME_RESULT, OUTCOME_STOPPED } from "../shared/slot-fields.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { JobHoldings } from "./job-holdings.ts";
import type { JobTable } from "./job-table.ts";
import type { LedgerThread } from "./ledger-thread.ts";
import type { OpenStreams } from "./open-streams.ts";
import {
  CANCELED,
  COMPLETED,
  DECIDED,
  FAILED,
  type OutcomeKind,
  type PendingJob,
  THREW,
} from "./pending-job.ts";
import type { Settlement } from "./settlement.ts";
import { SlotOutcomes, type SlotOutcomesParts } from "./slot-outcomes.ts";

export interface FinishedSlotsParts extends SlotOutcomesParts {
  readonly table: JobTable;
  readonly sharedBuffers: SharedBuffers;
  readonly thread: LedgerThread;
  readonly streams: OpenStreams;
  readonly holdings: JobHoldings;
  readonly settlement: Settlement;
}

export class FinishedSlots {
  readonly #parts: FinishedSlotsParts;
  readonly #memory: PoolMemory;
  readonly #table: JobTable;
  readonly #streams: OpenStreams;
  readonly #holdings: JobHoldings;
  readonly #settlement: Settlement;
  readonly #outcomes: SlotOutcomes;
  /** What was taken out of the inbox, and how much of it was looked at. */
  readonly #batch: Int32Array;
  #batchCount = 0;
  #batchAt = 0;

  constructor(parts: FinishedSlotsParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#table = parts.table;
    this.#streams = parts.streams;
    this.#holdings = parts.holdings;
    this.#settlement = parts.settlement;
    this.#outcomes = new SlotOutcomes(parts);
    this.#batch = new Int32Array(parts.memory.slotCount);
  }

  /** Whether `collect` has stopped before the end. */
  get hasMore(): boolean {
    return this.#batchAt < this.#batchCount;
  }

  /**
   * Takes the whole inbox: reads the outcomes, writes them down, and gives back what the jobs held.
   * @param movedBytes Once so much moved memory was attached to this thread, no more: see `hasMore`.
   * @returns how many slots came back. The caller refills them.
   */
  collect(movedBytes: number): number {
    const { sharedBuffers, carried } = this.#parts;
    const limit = carried.takenBytes + movedBytes;
    let count = this.#finishUpTo(limit);
    if (!this.hasMore) {
      // The batch before this one was read.
      if (count > 0) this.#endDrain();
      sharedBuffers.beginDrain();
      this.#batchAt = 0;
      this.#batchCount = this.#memory.inbox.takeAll(this.#batch);
      count += this.#finishUpTo(limit);
    }
    for (let slot = this.#outcomes.takeArrived(); slot !== undefined; slot = this.#outcomes.takeArrived()) {
      this.finish(slot, false);
      count++;
    }
    if (!this.hasMore) this.#endDrain();
    return count;
  }

  #endDrain(): void {
    if (!this.#outcomes.areWaiting && !this.#streams.areOpen) this.#parts.sharedBuffers.endDrain();
  }

  #finishUpTo(takenBytes: number): number {
    const { carried } = this.#parts;
    const from = this.#batchAt;
    while (this.hasMore && carried.takenBytes < takenBytes) this.finish(this.#batch[this.#batchAt++]!, false);
    return this.#batchAt - from;
  }

  /** What NotArrived named has come. @returns whether outcomes waited for it, which `collect` finds, or streams, of which `deliver` tells. */
  arrived(id: number): boolean {
    const isNews = this.#streams.arrived(id);
    return this.#outcomes.arrived(id) || isNews;
  }

  /** What `wantReports` has asked for is here. @returns whether an outcome has waited for it; `collect` finds it. */
  told(id: number): boolean {
    return this.#outcomes.told(id);
  }

  /** The job in `slot` is DONE. `isFinal`: its thread has ended, and everything that it had posted is here. */
  finish(slot: number, isFinal: boolean): void {
    const job = this.#table.job(slot)!;
    if (isFinal) this.#outcomes.forget(slot);
    if (this.#memory.slots.isStream(slot) && !this.#finishStream(slot, job, isFinal)) return;
    if (job.stage >= DECIDED) {
      // Given up while it ran: the late outcome is dropped.
      this.#outcomes.drop(slot);
      this.#holdings.release(slot, job);
      return;
    }
    // What it has reported comes first.
    if (job.extras.progressId !== 0) {
      this.#parts.thread.takeMessages();
      if (!isFinal && this.#awaitsReports(slot)) return;
    }
    const outcome = this.#memory.slots.outcome(slot);
    let kind: OutcomeKind = outcome === OUTCOME_RESULT || outcome === OUTCOME_STOPPED ? COMPLETED : THREW;
    if (outcome === OUTCOME_AHEAD) job.extras.stream!.hasFailedAhead = true;
    let value: unknown;
    try {
      value = this.#outcomes.read(slot);
      if (outcome === OUTCOME_STOPPED && !job.extras.stream!.hasLeft) {
        kind = CANCELED;
        value = new JobCanceledError(undefined, "The stream was asked to stop before its end");
      }
    } catch (error) {
      kind = FAILED;
      value = error;
      if (error instanceof NotArrived) {
        // The host has everything that was posted before the slot was linked, but for memory that is announced again; a thread has what the host
        // has passed on.
        if ((this.#memory.submitter !== HOST || error.id < 0) && !isFinal) {
          this.#outcomes.wait(error.id, slot);
          return;
        }
        this.#outcomes.forget(slot);
        value = new NotCloneableError("result", "holds a value that this thread cannot receive");
      }
    }
    this.#outcomes.giveBack(slot);
    this.#holdings.release(slot, job);
    this.#settlement.decide(job, kind, value);
  }

  /** Whether what the job has reported may still be on its way. The outcome waits for it then. */
  #awaitsReports(slot: number): boolean {
    const isOnWay = this.#memory.slots.takeReported(slot) && this.#memory.submitter !== HOST;
    if (isOnWay) this.#parts.thread.wantReports(this.#outcomes.hold(slot));
    return isOnWay;
  }

  /**
   * The submitter was to look at a stream.
   * @returns whether its job is over, and everything that had come before is here; otherwise nothing follows now.
   */
  #finishStream(slot: number, job: PendingJob, isFinal: boolean): boolean {
    const isOver = this.#memory.slots.takeLink(slot) || isFinal;
    try {
      this.#streams.linked(slot, job, isOver, isFinal);
      if (isFinal) this.#outcomes.forget(slot);
    } catch (error) {
      if (!(error instanceof NotArrived)) throw error;
      this.#outcomes.wait(error.id, slot);
      return false;
    }
    return isOver;
  }
}
