/**
 * The end of a job: its outcome is written down, and later, when the ledger is whole, its task is told. User code runs in `deliver` and
 * nowhere else, and may submit, join, cancel or close.
 *
 * Moves      of JOB.stage (ledger.ts)
 *            `decide`   below DECIDED → DECIDED: the outcome stands in the job, and the job at the end of the list; a second outcome is dropped,
 *                       unless it is that of a report, which was before the first: `replaceResult`
 *            `deliver`  DECIDED → SETTLED: first in, first out, each job in a guard of its own
 *            `endHere`  HERE → SETTLED: its function has run on this stack, and it has its outcome already
 * Invariants I1 Every accepted job is DECIDED once, or ends HERE. And SETTLED once: what was taken out of the list is in it no more.
 *            I2 `outstanding` counts the accepted jobs below SETTLED.
 */
import type { PoolMemory } from "../shared/pool-memory.ts";
import { COUNTERS } from "../shared/statistics.ts";
import type { LedgerThread } from "./ledger-thread.ts";
import type { OpenStreams } from "./open-streams.ts";
import { outcomeCounters, outcomeNames, Outcomes, publishOutcome, tell } from "./outcomes.ts";
import { COMPLETED, DECIDED, FAILED, type OutcomeKind, type PendingJob, SETTLED } from "./pending-job.ts";
import type { ProgressListeners } from "./progress-listeners.ts";

/** Inline continuations may cancel jobs whose inline continuations cancel jobs: beyond it the outermost `deliver` goes on. */
const MAX_DEPTH = 64;

export interface SettlementParts {
  readonly memory: PoolMemory;
  readonly progress: ProgressListeners;
  readonly streams: OpenStreams;
  readonly thread: LedgerThread;
}

export class Settlement {
  readonly #memory: PoolMemory;
  readonly #progress: ProgressListeners;
  readonly #streams: OpenStreams;
  readonly #thread: LedgerThread;
  /** DECIDED, and not SETTLED. */
  readonly #outcomes = new Outcomes();
  /** How many `deliver` are on the stack. */
  #depth = 0;
  /** I2. Written here alone; a field, since every submission reads it. */
  outstanding = 0;

  constructor({ memory, progress, streams, thread }: SettlementParts) {
    this.#memory = memory;
    this.#progress = progress;
    this.#streams = streams;
    this.#thread = thread;
  }

  /** Whether outcomes are written down that nobody was told. */
  get hasUndelivered(): boolean {
    return !this.#outcomes.isEmpty;
  }

  /** A job is accepted; if it is the first one outstanding, the thread has been told. */
  expect(): void {
    this.outstanding++;
  }

  decide(job: PendingJob, kind: OutcomeKind, value: unknown): void {
    if (job.stage >= DECIDED) return;
    job.stage = DECIDED;
    this.#outcomes.add(job, kind, value);
  }

  /** The job is to fail in place of a result that nobody was told. @returns whether it has one. */
  replaceResult(job: PendingJob, error: unknown): boolean {
    if (job.stage !== DECIDED || job.outcome !== COMPLETED) return false;
    job.outcome = FAILED;
    job.value = error;
    return true;
  }

  /**
   * Settles what is written down, in order; what is reported before comes first. User code runs here, and may come back here: then the
   * inner call goes on with the same list.
   */
  deliver(): void {
    if (this.#outcomes.isEmpty && this.#progress.isEmpty && this.#streams.haveNoNews) return;
    // The outermost call goes on when this stack is gone.
    if (this.#depth >= MAX_DEPTH) return;
    this.#depth++;
    try {
      this.#progress.deliver();
      this.#streams.tellNews();
      for (let job = this.#outcomes.takeFirst(); job !== null; job = this.#outcomes.takeFirst()) {
        this.#settle(job);
        if (!this.#progress.isEmpty) this.#progress.deliver();
        this.#streams.tellNews();
      }
    } finally {
      this.#depth--;
    }
  }

  /** The same for who waits for `job` on this stack, however deep that is: nobody else goes on before it does. */
  deliverTo(job: PendingJob): void {
    this.deliver();
    if (!job.isOver && this.#outcomes.take(job)) this.#settle(job);
  }

  /** The job's function has ended here, and it has its outcome: whoever hears of it now may join it. */
  endHere(job: PendingJob, outcome: "completed" | "failed", error?: unknown): void {
    const { trace, statistics } = this.#memory;
    const { mark } = job.extras;
    const startedAt = trace === null ? 0 : trace.settling(mark);
    job.stage = SETTLED;
    statistics.count(COUNTERS[outcome]);
    if (--this.outstanding === 0) this.#thread.idle();
    publishOutcome(outcome === "completed" ? "end" : "error", job, error);
    if (startedAt > 0) trace!.settled(mark!, job, startedAt, job.fn.id, outcome, error);
  }

  /** Once for each job. Never throws. */
  #settle(job: PendingJob): void {
    const { trace, statistics } = this.#memory;
    const { value } = job;
    const { mark } = job.extras;
    const startedAt = trace === null ? 0 : trace.settling(mark);
    job.stage = SETTLED;
    statistics.count(outcomeCounters[job.outcome]!);
    if (--this.outstanding === 0) this.#thread.idle();
    const { pumps, progressId } = job.extras;
    if (progressId !== 0) this.#progress.silence(progressId);
    // Whoever hears of the outcome finds what the job has read released.
    if (pumps !== null) for (const { pump } of pumps) pump.end();
    tell(job);
    job.extras.stream?.end();
    if (startedAt > 0) trace!.settled(mark!, job, startedAt, job.fn.id, outcomeNames[job.outcome], value);
  }
}
