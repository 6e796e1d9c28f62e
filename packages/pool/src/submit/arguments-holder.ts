/** Where carried arguments are until a thread has the job: with the host, also those of jobs that threads submit. */
import type { Carried } from "../codec/carried.ts";
import type { PendingJob } from "./pending-job.ts";

export interface ArgumentsHolder {
  /**
   * Takes them from the caller, at once.
   * @throws NotCloneableError when Node refuses them; nothing was taken then.
   */
  hold(carried: Carried): void;
  /** The job is over. */
  drop(id: number): void;
  /** Whether they are here and were never given to a thread. */
  isUntouched(id: number): boolean;
  /** The serial of the thread that should have a new job past the queues; 0: it is to be queued. */
  threadFor(job: PendingJob): number;
  /** The job in `slot` was assigned to that thread, and these are its arguments. */
  give(serial: number, slot: number, id: number): void;
  /** The job with these arguments was queued, or waits for a slot. */
  queued(id: number): void;
}
