/**
 * A job of a ProcessPool on its way: one attempt, from `carry` to what came of it.
 *
 * Stage      | QUEUED | it waits in the pool                                             | carry; back from a process; process.ended
 *            | SENT   | a process has its request, and has not begun it as far as is known | send
 *            | BEGUN  | its function is called, or was                                     | BEGAN
 *            | OVER   | `ends` was told, or is told next                                  | reply, withdrawn, lost
 * Moves      stop            QUEUED → OVER; SENT, BEGUN: STOP goes to its process, whose answer moves it
 *            WITHDRAWN       SENT → OVER when it was to stop; else, when it was only recalled, → QUEUED, in front
 *            process.ended   SENT → QUEUED, in front, or OVER when it was to stop; BEGUN → OVER, with the crash
 *            anything else is a bug
 * Invariants I1 `ends` is told once, by whoever moves it to OVER.
 *            I2 A process writes BEGAN before it calls the function, and all it has written is read before its end is acted upon: what is SENT
 *               then never began. So no job runs twice unless it has `retries`.
 *            I3 A process has no more to say of a job that it has given back or replied to (pool-process.ts).
 */
import type { CarriedJob } from "../adapter/engine-job.ts";
import type { JobEnds } from "../adapter/job-carrier.ts";
import type { JobRequest } from "../adapter/job-request.ts";
import { timestampUs } from "../shared/clock.ts";
import type { PoolProcess } from "./pool-process.ts";

export const QUEUED = 0;
export const SENT = 1;
export const BEGUN = 2;
export const OVER = 3;

export class Journey {
  readonly job: CarriedJob;
  readonly ends: JobEnds;
  readonly request: JobRequest;
  readonly submittedUs: number = timestampUs();
  /** Of the arguments and the context. */
  readonly bytes: number;
  /** The only process that may run it; null: any. */
  target: PoolProcess | null;
  stage: number = QUEUED;
  isStopping = false;
  /** It was asked for because its process is busy, and the answer is not here. */
  isRecalled = false;
  /** Where it is, or was last. */
  process: PoolProcess | null = null;
  /** Its number there. */
  number = -1;

  constructor(job: CarriedJob, ends: JobEnds, target: PoolProcess | null) {
    this.job = job;
    this.ends = ends;
    this.request = job.request;
    this.target = target;
    this.bytes = this.request.args.bytes.length + (this.request.context?.length ?? 0);
  }
}
