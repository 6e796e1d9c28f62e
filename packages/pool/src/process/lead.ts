import { now } from "../shared/timers.ts";
import type { PoolProcess } from "./pool-process.ts";

/** What a process may have ahead of it, in microseconds of work: more than the pool takes to send the next jobs. */
const AHEAD_US = 1000;
/** What each job costs besides its run. */
const COST_US = 12;
const MOST = 64;
const MOST_BYTES = 256 << 10;
/** Of a process that has jobs, and is not heard of: it is in a long one. */
const SILENT_MS = 2;

/**
 * How many jobs a process is sent ahead of those that it runs, so that it does not wait for the next one: as many as fit into a millisecond, by
 * what jobs have taken lately. None until the first has returned.
 */
export class Lead {
  #meanUs = Infinity;

  /** A job has run so long. */
  ran(us: number): void {
    // Quick to see that jobs got longer, slow to forget it.
    if (this.#meanUs === Infinity) this.#meanUs = us;
    else this.#meanUs += (us - this.#meanUs) / (us > this.#meanUs ? 2 : 8);
  }

  of(process: PoolProcess): number {
    if (process.unbegunBytes > MOST_BYTES || isSilent(process)) return 0;
    return Math.min(MOST, Math.floor(AHEAD_US / (this.#meanUs + COST_US)));
  }
}

/** Whether it has jobs, and does not come to the next one. */
export function isSilent(process: PoolProcess): boolean {
  return process.load > 0 && now() - process.heardAt > SILENT_MS;
}
