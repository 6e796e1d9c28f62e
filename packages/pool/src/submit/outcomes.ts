/** Outcomes that are written down and not yet told, first in, first out; and how a job is told its own. */
import { withJob } from "../codec/job-of-error.ts";
import { JobError, ThreadCrashedError } from "../errors.ts";
import { type ErrorWire, fromWire } from "../codec/error-wire.ts";
import { publishJob } from "../jobs/channels.ts";
import { settleTraced } from "../jobs/job-tracing.ts";
import { COUNTERS } from "../shared/statistics.ts";
import { throwAside } from "./throw-aside.ts";
import { labelOf } from "../jobs/function-name.ts";
import { type CallerFrames, frameLines, withCallerFrames } from "./caller-frames.ts";
import {
  CANCELED,
  COMPLETED,
  CRASHED,
  type DecidedJob,
  FAILED,
  type OutcomeKind,
  type PendingJob,
  rejectionOf,
  THREW,
} from "./pending-job.ts";

/** By kind. */
export const outcomeNames = ["completed", "failed", "failed", "canceled", "crashed"] as const;
export const outcomeCounters: readonly number[] = outcomeNames.map((name) => COUNTERS[name]);

/** The jobs themselves are the list: a burst of outcomes takes no memory. */
export class Outcomes {
  #first: PendingJob | null = null;
  #last: PendingJob | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  add(job: PendingJob, kind: OutcomeKind, value: unknown): void {
    job.outcome = kind;
    job.value = value;
    if (this.#last === null) this.#first = job;
    else this.#last.next = job;
    this.#last = job;
  }

  /** The first one, which is in the list no more; null: there is none. */
  takeFirst(): PendingJob | null {
    const job = this.#first;
    if (job !== null) this.#remove(job, null);
    return job;
  }

  /** Takes `job` out, wherever in the list it is. @returns whether it was there. */
  take(job: PendingJob): boolean {
    let before: PendingJob | null = null;
    for (let each = this.#first; each !== job; each = each.next) {
      if (each === null) return false;
      before = each;
    }
    this.#remove(job, before);
    return true;
  }

  #remove(job: PendingJob, before: PendingJob | null): void {
    const { next } = job;
    job.next = null;
    if (before === null) this.#first = next;
    else before.next = next;
    if (next === null) this.#last = before;
  }
}

/**
 * Stops listening to the caller's signal and clock, tells the channels and the job. All of it is user code's chance to run: fake timers,
 * formatters and accessors of error classes, subscribers, inline continuations. Subscribers hear in the context of the call. Never throws:
 * what they throw becomes an uncaught exception, and the job has its outcome.
 */
export function tell(job: DecidedJob): void {
  const { extras, value } = job;
  job.value = undefined;
  if (extras.stopWatching !== null) guarded(extras.stopWatching);
  if (extras.scope === null) tellHere(job, value);
  else extras.scope.run(tellHere, job, value);
}

function tellHere(job: DecidedJob, value: unknown): void {
  const { traced } = job.extras;
  try {
    switch (job.outcome) {
      case COMPLETED:
        publishJob("end", job.fn.source, job);
        if (traced !== null) settleTraced(traced, "completed");
        job.trySetResult(value);
        break;
      case CANCELED:
        publishJob("cancel", job.fn.source, job, value);
        if (traced !== null) settleTraced(traced, "canceled", value);
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
    if (traced !== null) settleTraced(traced, "failed", error);
    if (!job.isOver) job.trySetError(rejectionOf(error));
    throwAside(error);
  }
}

function tellError(job: DecidedJob, error: unknown): void {
  publishJob("error", job.fn.source, job, error);
  const { traced } = job.extras;
  if (traced !== null) settleTraced(traced, "failed", error);
  job.trySetError(rejectionOf(error));
}

/** Several jobs may have ended with one thread. */
function ownCopy(error: unknown): unknown {
  return error instanceof ThreadCrashedError ? error.forOneJob() : error;
}

/** An error of the engine says which job it is about, and who submitted that. */
function named(error: unknown, { fn }: DecidedJob, frames: CallerFrames | null = null): unknown {
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
