import { AsyncScope } from "@skein/context";
import { someoneFollowsJobs } from "../jobs/channels.ts";
import type { TracedJob } from "../jobs/job-tracing.ts";
import { captureCallerFrames } from "./caller-frames.ts";
import type { JobExtras } from "./job-extras.ts";

/** The function of ours that the caller called: its frames and those above are not the caller's. Null: nobody wants to know who called. */
export type Below = ((...args: never[]) => unknown) | null;

/** Who submits, and in which context. */
export type Caller = Pick<JobExtras, "frames" | "scope" | "traced">;

/**
 * Null for most jobs of a burst. Hooks of the program's may run here, so nothing is claimed yet.
 * @param isFirst Whether no other job is outstanding.
 */
export function callerOf(below: Below, isFirst: boolean, traced: TracedJob | null = null): Caller | null {
  const frames = below === null ? null : captureCallerFrames(below, isFirst);
  if (frames === null && traced === null && !someoneFollowsJobs()) return null;
  return { frames, scope: AsyncScope.capture(), traced };
}
