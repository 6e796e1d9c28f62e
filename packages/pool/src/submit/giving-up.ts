/**
 * Giving jobs up: their callers have an outcome, whatever threads still do with them. Nothing of the user's runs here; whoever calls this delivers.
 *
 * Moves      of JOB.stage (ledger.ts), by what it was
 *            | WAITING          | → DECIDED, and what it held is given back; its entry in the backlog stays for a while
 *            | IN_SLOT, QUEUED  | → DECIDED, withdrawn, and what it held is given back: it never runs
 *            | IN_SLOT, RUNNING | → DECIDED, and asked to stop; its thread is ended when the grace period is over, if its caller wants that and
 *            |                  |   the job has begun. What it held is given back when the thread is done (finished-slots.ts), or has ended (recovery.ts)
 *            | IN_SLOT, DONE    | → DECIDED: this outcome counts, and the other is dropped when its slot comes back
 *            | DECIDED, SETTLED | stays as it is
 */
import { AsyncScope } from "@skein/context";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { QUEUED, RUNNING } from "../shared/slot.ts";
import { setTimeout } from "../shared/timers.ts";
import type { Backlog } from "./backlog.ts";
import type { JobHoldings } from "./job-holdings.ts";
import type { JobTable } from "./job-table.ts";
import type { LedgerThread } from "./ledger-thread.ts";
import {
  CRASHED,
  DECIDED,
  FAILED,
  NO_SLOT,
  type OutcomeKind,
  type PendingJob,
  WAITING,
} from "./pending-job.ts";
import type { QueuedSlots } from "./queued-slots.ts";
import type { Settlement } from "./settlement.ts";
import type { WaitingJobs } from "./waiting-jobs.ts";

export interface GivingUpParts {
  readonly memory: PoolMemory;
  readonly table: JobTable;
  readonly thread: LedgerThread;
  readonly holdings: JobHoldings;
  readonly settlement: Settlement;
  readonly queued: QueuedSlots;
  readonly waiting: Pick<WaitingJobs, "gaveUp">;
}

export class GivingUp {
  readonly #memory: PoolMemory;
  readonly #table: JobTable;
  readonly #thread: LedgerThread;
  readonly #holdings: JobHoldings;
  readonly #settlement: Settlement;
  readonly #queued: QueuedSlots;
  readonly #waiting: GivingUpParts["waiting"];

  constructor({ memory, table, thread, holdings, settlement, queued, waiting }: GivingUpParts) {
    this.#memory = memory;
    this.#table = table;
    this.#thread = thread;
    this.#holdings = holdings;
    this.#settlement = settlement;
    this.#queued = queued;
    this.#waiting = waiting;
  }

  giveUp(job: PendingJob, kind: OutcomeKind, value: unknown): void {
    if (job.stage >= DECIDED) return;
    this.#memory.trace?.canceled(job.extras.mark, job.fn.id);
    job.extras.stream?.giveUp();
    const { stage } = job;
    this.#settlement.decide(job, kind, value);
    if (stage === WAITING) {
      this.#holdings.forget(job);
      this.#waiting.gaveUp();
    } else if (this.#queued.withdraw(job)) {
      this.#holdings.release(job.slot, job);
    } else {
      this.requestStop(job.slot);
      this.#terminateLater(job);
    }
  }

  /** Asks the job in this slot to stop, if it runs; its task stays as it is. */
  requestStop(slot: number): void {
    const { slots } = this.#memory;
    if (slots.state(slot) !== RUNNING) return;
    slots.requestCancel(slot);
    this.#thread.cancelRequested(slots.owner(slot), slot);
  }

  requestStopOfAll(): void {
    for (const [slot] of this.#table.entries()) this.requestStop(slot);
  }

  /** All jobs fail that no thread has begun: those in backlogs, and those in slots. */
  failWaiting(backlogs: Iterable<Backlog>, error: () => Error): void {
    for (const backlog of backlogs) {
      for (; backlog.size > 0; backlog.shift()) this.giveUp(backlog.peek(), FAILED, error());
    }
    for (const [slot, job] of this.#table.entries()) {
      if (this.#isWaiting(slot)) this.giveUp(job, FAILED, error());
    }
  }

  /** Nobody has begun the job in this slot. */
  #isWaiting(slot: number): boolean {
    const { slots } = this.#memory;
    const state = slots.state(slot);
    return state === QUEUED || (state === RUNNING && slots.isUnbegun(slot));
  }

  /** All jobs fail that threads have. Slots that a thread may still touch stay its own. */
  failTaken(error: () => Error): void {
    for (const [, job] of this.#table.entries()) {
      job.extras.stream?.giveUp();
      this.#settlement.decide(job, FAILED, error());
    }
  }

  /** The thread with this serial was told to end and has not: nobody waits for it. */
  lose(serial: number, error: Error): void {
    const { slots } = this.#memory;
    for (const [slot, job] of this.#table.entries()) {
      if (slots.state(slot) !== RUNNING || slots.owner(slot) !== serial) continue;
      job.extras.stream?.takeRest(true);
      this.#settlement.decide(job, CRASHED, error);
    }
  }

  /** When the grace period is over. */
  #terminateLater(job: PendingJob): void {
    const { terminateAfterMs } = job.options;
    if (terminateAfterMs === null) return;
    const graceTimer = AsyncScope.root.run(setTimeout, () => this.#terminate(job), terminateAfterMs);
    graceTimer.unref();
    job.extras = { ...job.extras, graceTimer };
  }

  #terminate({ slot }: PendingJob): void {
    const { slots } = this.#memory;
    if (slot === NO_SLOT || slots.state(slot) !== RUNNING || !slots.doom(slot)) return;
    this.#thread.terminate(slots.owner(slot));
  }
}
