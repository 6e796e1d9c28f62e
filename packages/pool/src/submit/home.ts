/** A thread as the only one that may run some jobs: see placed-jobs.ts. */
import { PRIORITIES } from "../shared/layout.ts";
import type { Placement } from "./submit-options.ts";

export class Home {
  /** Of the thread: its index, and its serial. */
  readonly place: number;
  readonly serial: number;
  /** Slots whose jobs wait for the thread, or are with it. */
  inSlots = 0;
  /** The same by priority. */
  readonly inSlotsOf: number[] = PRIORITIES.map(() => 0);
  /** Jobs that have no slot yet. */
  inBacklog = 0;
  /** The thread takes no more jobs. */
  isClosed = false;

  constructor(place: number, serial: number) {
    this.place = place;
    this.serial = serial;
  }
}

/** The threads of a pool as homes. None of it runs user code, but for `wanted`. */
export interface Homes {
  /** How many slots the jobs of one home may have. Those that are behind them wait without one, so that they hold up nobody else. */
  readonly maxSlots: number;
  /** And how many those of each priority may have beyond that: so none waits for a slot until others have run, nor for ever. */
  readonly slotsOfPriority: number;
  /**
   * The home of a job.
   * @param mayWait Whether a thread that could be started is better than one that has jobs already.
   * @returns null: there is none, or none yet.
   */
  homeOf(placement: Placement, mayWait: boolean): Home | null;
  /** The thread with this serial takes no more jobs. @returns its home, closed; null: no job has named it. */
  close(serial: number): Home | null;
  /** A job waits for a home. May start a thread, and so call listeners of the user's: the last step. */
  wanted(): void;
}
