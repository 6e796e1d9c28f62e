/** Where carried arguments are until a thread has the job: with the host, also those of jobs that threads submit. */
import type { Carried } from "../codec/carried.ts";

export interface ArgumentsHolder {
  /**
   * Takes them from the caller, at once.
   * @throws NotCloneableError when Node refuses them; nothing was taken then.
   */
  hold(carried: Carried): void;
  /** The job is over. */
  drop(id: number): void;
  /** The serial of a thread that would begin with the job at once; 0: all are busy, or another thread decides. */
  idleThread(): number;
  /** The job in `slot` was assigned to that thread, and these are its arguments. */
  give(serial: number, slot: number, id: number): void;
}
