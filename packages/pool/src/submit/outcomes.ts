/** Outcomes that are written down and not yet told, first in, first out; and how a job is told its own. */
import { AsyncScope } from "@skein/context";
import { withJob } from "../codec/job-of-error.ts";
import { JobError, ThreadCrashedError } from "../errors.ts";
import { type ErrorWire, fromWire } from "../codec/error-wire.ts";
import { publishJob } from "../jobs/channels.ts";
import { COUNTERS } from "../shared/statistics.ts";
import { queueMicrotask } from "../shared/timers.ts";
import { labelOf } from "../jobs/function-name.ts";
import { type CallerFrames, frameLines, withCallerFrames } from "./caller-frames.ts";
import { type PendingJob, rejectionOf } from "./pending-job.ts";

export const COMPLETED = 0;
/** With what the job threw, in its wire form: an instance of the user's class is made when the outcome is told, not before. */
export const THREW = 1;
export const FAILED = 2;
export const CANCELED = 3;
export const CRASHED = 4;
export type OutcomeKind = typeof COMPLETED | typeof THREW | typeof FAILED | typeof CANCELED | typeof CRASHED;

/** By kind. */
export const outcomeNames = ["completed", "failed", "failed", "canceled", "crashed"] as const;
export const outcomeCounters: readonly number[] = outcomeNames.map((name) => COUNTERS[name]);

export class Outcomes {
  #jobs: PendingJob[] = [];
  #kinds: OutcomeKind[] = [];
  #values: unknown[] = [];
  #first = 0;

  get isEmpty(): boolean {
    return this.#first === this.#jobs.length;
  }

  add(job: PendingJob, kind: OutcomeKind, value: unknown): void {
    this.#jobs.push(job);
    this.#kinds.push(kind);
    this.#values.push(value);
  }

  /** Calls `settle` with the first one, which is in the list no more. @returns false when there was none. */
  takeFirst(settle: (job: PendingJob, kind: OutcomeKind, value: unknown) => void): boolean {
    const at = this.#first;
    if (at === this.#jobs.length) return false;
    const job = this.#jobs[at]!;
    const kind = this.#kinds[at]!;
    const value = this.#values[at];
    this.#first++;
    this.#clearIfEmpty();
    settle(job, kind, value);
    return true;
  }

  /** The same with the outcome of `job`, wherever in the list it is. */
  takeOf(job: PendingJob, settle: (job: PendingJob, kind: OutcomeKind, value: unknown) => void): boolean {
    const at = this.#jobs.indexOf(job, this.#first);
    if (at < 0) return false;
    this.#jobs.splice(at, 1);
    const [kind] = this.#kinds.splice(at, 1);
    const [value] = this.#values.splice(at, 1);
    this.#clearIfEmpty();
    settle(job, kind!, value);
    return true;
  }

  /** Emptied, not kept at their largest: a burst leaves nothing behind. */
  #clearIfEmpty(): void {
    if (!this.isEmpty) return;
    this.#jobs = [];
    this.#kinds = [];
    this.#values = [];
    this.#first = 0;
  }
}

/**
 * Stops listening to the caller's signal and clock, tells the channels and the job. All of it is user code's chance to run: fake timers,
 * formatters and accessors of error classes, subscribers, inline continuations. Subscribers hear in the context of the call. Never throws:
 * what they throw becomes an uncaught exception, and the job has its outcome.
 */
export function tell(job: PendingJob, kind: OutcomeKind, value: unknown): void {
  const { stopWatching, scope } = job.extras;
  if (stopWatching !== null) guarded(stopWatching);
  if (scope === null) tellHere(job, kind, value);
  else scope.run(tellHere, job, kind, value);
}

function tellHere(job: PendingJob, kind: OutcomeKind, value: unknown): void {
  const { source } = job.fn;
  try {
    switch (kind) {
      case COMPLETED:
        publishJob("end", source, job);
        job.trySetResult(value);
        break;
      case CANCELED:
        publishJob("cancel", source, job, value);
        job.trySetCanceled(value as Error);
        break;
      case THREW:
        tellError(job, named(fromWire(value as ErrorWire, frameLines(job.extras.frames)), job));
        break;
      case FAILED:
      case CRASHED:
        tellError(job, named(ownCopy(value), job, job.extras.frames));
        break;
    }
  } catch (error) {
    if (!job.isOver) job.trySetError(rejectionOf(error));
    throwAside(error);
  }
}

function tellError(job: PendingJob, error: unknown): void {
  publishJob("error", job.fn.source, job, error);
  job.trySetError(rejectionOf(error));
}

/** Several jobs may have ended with one thread. */
function ownCopy(error: unknown): unknown {
  return error instanceof ThreadCrashedError ? error.forOneJob() : error;
}

/** An error of the engine says which job it is about, and who submitted that. */
function named(error: unknown, { fn }: PendingJob, frames: CallerFrames | null = null): unknown {
  return error instanceof JobError ? withCallerFrames(withJob(error, labelOf(fn.source)), frames) : error;
}

/** In the context of the call, if somebody listened to outcomes then. */
export function publishOutcome(name: "end" | "error" | "cancel", job: PendingJob, error?: unknown): void {
  const { scope } = job.extras;
  if (scope === null) publishJob(name, job.fn.source, job, error);
  else scope.run(publishJob, name, job.fn.source, job, error);
}

function guarded(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    throwAside(error);
  }
}

function throwAside(error: unknown): void {
  AsyncScope.root.run(queueMicrotask, () => {
    throw error;
  });
}
