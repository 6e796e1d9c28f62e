/**
 * The jobs that a thread had, and has no more: it has ended, at whatever instruction, or gives a job back that it has not begun. Nothing of
 * the user's runs here; whoever calls this delivers.
 *
 * Moves      of JOB.stage (ledger.ts), by the slot's own word (shared/slot.ts), for each slot that the thread owned
 *            | DONE                              | as if it were linked (finished-slots.ts): the thread ended before it could link it
 *            | RUNNING, its arguments never left | stays IN_SLOT, and is queued again; for this thread alone: → WAITING
 *            | RUNNING, with retries             | → WAITING, behind those that wait
 *            | RUNNING                           | → DECIDED, crashed. A job that was given up before: gives back what it held, and nothing else
 *            | QUEUED, and in no queue           | stays, and is queued again: the thread had popped it, and not claimed it
 *            Streams of which an item has come, and jobs with the option `thread`, do not run again; nor does any job once the pool has
 *            dropped them (`drop`).
 */
import { ThreadCrashedError } from "../errors.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { QUEUED, RUNNING } from "../shared/slot.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import type { FinishedSlots } from "./finished-slots.ts";
import type { JobHoldings } from "./job-holdings.ts";
import type { JobTable } from "./job-table.ts";
import type { LedgerThread } from "./ledger-thread.ts";
import { CRASHED, DECIDED, type PendingJob, WAITING } from "./pending-job.ts";
import type { QueuedSlots } from "./queued-slots.ts";
import type { Settlement } from "./settlement.ts";
import type { WaitingJobs } from "./waiting-jobs.ts";

export interface RecoveryParts {
  readonly memory: PoolMemory;
  readonly table: JobTable;
  readonly holder: ArgumentsHolder;
  readonly thread: LedgerThread;
  readonly holdings: JobHoldings;
  readonly settlement: Settlement;
  readonly queued: QueuedSlots;
  readonly waiting: WaitingJobs;
  readonly finished: FinishedSlots;
}

export class Recovery {
  readonly #parts: RecoveryParts;
  #isDropped = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** Jobs that threads have were asked to stop: if their thread ends, they end with it. */
  drop(): void {
    this.#isDropped = true;
  }

  /** The thread has ended, and nothing of it runs any more. @returns the jobs that fail: see `Ledger.recover`. */
  recover(serial: number, error: Error): PendingJob[] {
    const { memory, table, holder, queued, waiting, finished } = this.#parts;
    const { slots } = memory;
    const lost: PendingJob[] = [];
    waiting.placed?.close(serial);
    for (const [slot, job] of table.entries()) {
      const state = slots.state(slot);
      if (state === QUEUED || slots.owner(slot) !== serial) continue;
      const { carriedId, home } = job.extras;
      const isOpen = !this.#isDropped && job.stage < DECIDED;
      if (state !== RUNNING) {
        // DONE, and then the thread ended before it could link the slot into the inbox. Or what the outcome carries was not readable.
        finished.finish(slot, true);
      } else if (isOpen && carriedId !== 0 && holder.isUntouched(carriedId)) {
        // Claimed, and then its thread ended while it waited for the arguments.
        if (home === null) queued.publishAgain(slot);
        else waiting.waitAgain(job, queued.empty(job));
      } else {
        if (this.#recoverRunning(slot, job, error)) lost.push(job);
      }
    }
    waiting.requeueLost();
    waiting.refill();
    return lost;
  }

  /** @returns whether the job fails. */
  #recoverRunning(slot: number, job: PendingJob, error: Error): boolean {
    const { memory, holdings, settlement, waiting } = this.#parts;
    const { slots } = memory;
    const { retry, stream } = job.extras;
    const hasBegun = !slots.isUnbegun(slot);
    stream?.takeRest(true);
    const isLeft = !this.#isDropped && job.stage < DECIDED && retry !== null && retry.left > 0;
    const mayRunAgain = isLeft && job.options.placement?.kind !== "thread";
    if (mayRunAgain && (stream === null || stream.tryBeginAgain())) {
      retry.left--;
      job.extras.runLimit?.again();
      holdings.freeSlot(slot, job);
      job.stage = WAITING;
      waiting.waitAgain(job, retry.args);
      return false;
    }
    const isLost = job.stage < DECIDED;
    holdings.release(slot, job);
    settlement.decide(
      job,
      CRASHED,
      hasBegun || !(error instanceof ThreadCrashedError)
        ? error
        : error.beforeItBegan(job.extras.carriedId !== 0),
    );
    return isLost;
  }

  /** The thread that had the job in `slot`, with the arguments `carriedId`, has given it back and not begun it. */
  requeue(slot: number, carriedId: number): void {
    const { memory, table, thread, holdings, queued, waiting } = this.#parts;
    const job = table.job(slot);
    if (job === null || job.extras.carriedId !== carriedId) return;
    if (job.stage >= DECIDED) {
      holdings.release(slot, job);
      waiting.refill();
      return;
    }
    queued.publishAgain(slot);
    const { priority, isExclusive } = job.options;
    if (memory.queues.push(priority, slot, isExclusive)) thread.queued(isExclusive);
    else waiting.requeueLost();
  }
}
