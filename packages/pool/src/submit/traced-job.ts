/** Jobs of a traced pool: what their slices are told apart by. */
import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import { ForkedJob } from "./forked-job.ts";
import { nameOf } from "../jobs/function-name.ts";
import { type PendingJob, TaskJob } from "./pending-job.ts";

export interface TracedJob extends PendingJob {
  /** See trace-code.ts. */
  key: number;
  /** When its submission began. */
  startedAt: number;
}

export class TracedTaskJob extends TaskJob implements TracedJob {
  key = 0;
  startedAt = 0;
}

export class TracedForkedJob extends ForkedJob implements TracedJob {
  key = 0;
  startedAt = 0;
}

/** The arguments are encoded, nothing is claimed yet. @param job A TracedJob, as all of a traced pool. */
export function beginTrace(job: PendingJob, trace: ThreadTrace, startedAt: number): void {
  const traced = job as TracedJob;
  traced.key = trace.nextKey(job.options.priority);
  traced.startedAt = startedAt;
}

export function recordSubmission(job: PendingJob, trace: ThreadTrace): void {
  const { key, startedAt, fn } = job as TracedJob;
  trace.submitted(key, startedAt, fn.id, () => nameOf(fn.source));
}
