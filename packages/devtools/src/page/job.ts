/** A job as far as the page has heard of it. Times are microseconds; -1: not yet, or not known. */
import type { Outcome, Policy, Priority } from "../wire.ts";

export interface Job {
  readonly id: number;
  fn: number;
  priority: Priority;
  policy: Policy | null;
  /** Whose code has submitted it; 0: none, or not known. */
  parent: number;
  /** Those that its code has submitted. Null: none is known. */
  children: number[] | null;
  submitted: number;
  /** Its function was called. */
  began: number;
  /** On which thread: the index of the lane. */
  lane: number;
  /** Its synchronous parts that have ended. */
  ranUs: number;
  /** The start of the part that runs now. */
  runningSince: number;
  /** The end of the part after which it awaits something. */
  awaitingSince: number;
  /** Its outcome was written. */
  finished: number;
  settled: number;
  canceled: number;
  outcome: Outcome | null;
  error: string | null;
  frames: string | null;
  values: Readonly<Record<string, string>> | null;
}

export type JobState = "queued" | "running" | "awaiting" | "finished" | "settled";

export function newJob(id: number): Job {
  return {
    id,
    fn: 0,
    priority: "normal",
    policy: null,
    parent: 0,
    children: null,
    submitted: -1,
    began: -1,
    lane: -1,
    ranUs: 0,
    runningSince: -1,
    awaitingSince: -1,
    finished: -1,
    settled: -1,
    canceled: -1,
    outcome: null,
    error: null,
    frames: null,
    values: null,
  };
}

export function stateOf(job: Job): JobState {
  if (job.settled >= 0) return "settled";
  if (job.finished >= 0) return "finished";
  if (job.runningSince >= 0) return "running";
  return job.began >= 0 ? "awaiting" : "queued";
}

/** From its submission, or as much as is known, to its settlement, or now. */
export function totalUs(job: Job, now: number): number {
  const from = job.submitted >= 0 ? job.submitted : job.began;
  if (from < 0) return 0;
  return (job.settled >= 0 ? job.settled : now) - from;
}

export function waitUs(job: Job, now: number): number {
  if (job.submitted < 0) return 0;
  if (job.began >= 0) return Math.max(0, job.began - job.submitted);
  return (job.settled >= 0 ? job.settled : now) - job.submitted;
}

export function hasFailed({ outcome }: Job): boolean {
  return outcome === "failed" || outcome === "crashed";
}
