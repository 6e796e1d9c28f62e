/** A job on its way into the store, as BullMQ takes it. */
import type { BulkJobOptions, FlowParentJob } from "bullmq";
import { backoffOf } from "./backoff.ts";
import { now } from "./timers.ts";
import type { WireRequest } from "./wire.ts";

export interface NewJob {
  readonly id: string;
  readonly queue: string;
  readonly request: WireRequest;
  /** From 1: BullMQ takes jobs that have none before all others. */
  readonly priority: number;
  readonly attempts: number;
  readonly backoffMs: number;
  /** By `now()`; null: its caller waits for ever. */
  readonly expiresAt: number | null;
  /** They run before it. */
  readonly children: readonly NewJob[];
}

/** How long the store keeps it when it is over. Without an age, jobs would stay for ever; a count would cost more with each. */
export interface ResultAge {
  /** In seconds. */
  readonly age: number;
}

export function dataOf({ request, expiresAt }: NewJob): WireRequest {
  if (expiresAt === null) return request;
  return { ...request, leftMs: Math.max(1, Math.round(expiresAt - now())) };
}

export function optionsOf(job: NewJob, age: ResultAge): BulkJobOptions {
  return {
    jobId: job.id,
    priority: job.priority,
    // One is what there is without.
    ...(job.attempts > 1 && { attempts: job.attempts, backoff: backoffOf(job.backoffMs) }),
    removeOnComplete: age,
    removeOnFail: age,
  };
}

/** @param own What the children of another job have beside. */
export function flowOf(job: NewJob, age: ResultAge, own: FlowParentJob["opts"] = {}): FlowParentJob {
  const { queue: queueName, request, children } = job;
  return {
    name: request.fn,
    queueName,
    data: dataOf(job),
    opts: { ...optionsOf(job, age), ...own },
    // If the store gives a child up, its parent does not wait for ever. What a job throws is an outcome, and no failure of this kind.
    children: children.map((child) => flowOf(child, age, { failParentOnFailure: true })),
  };
}

/** The job and all below it. */
export function* idsOf(job: NewJob): Generator<string> {
  yield job.id;
  for (const child of job.children) yield* idsOf(child);
}
