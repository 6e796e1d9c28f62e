/**
 * Whether more threads would help, asked twice a second while jobs are outstanding. .NET asks the same (A3.14): its starvation detector, and
 * hill climbing, for which we have a simpler rule, since our jobs are meant to compute: cores that stand idle while jobs wait.
 */

/** How often to ask, in milliseconds. */
export const DEMAND_INTERVAL_MS = 500;
/** Of all cores, used by this process: above it one more thread only takes turns with the others. */
const CPU_IS_FULL = 0.8;
/** With full cores, jobs that nobody takes wait so long per thread before there is one more. */
const PATIENCE_MS_PER_THREAD = 1000;

export interface Demand {
  /** Milliseconds, of any clock. */
  readonly now: number;
  /** Whether jobs wait that no thread has taken. */
  readonly jobsWait: boolean;
  /** How many jobs threads have taken so far. */
  readonly taken: number;
  /** CPU time that the process has used so far, in milliseconds. */
  readonly cpuMs: number;
  readonly cores: number;
  readonly threads: number;
}

export class ThreadDemand {
  #last: Demand | null = null;
  #lastTakenAt = 0;

  /** @returns 'stuck': nobody has taken a job for too long; 'busy': jobs are taken, others wait, and cores are idle; null: all is well. */
  ask(demand: Demand): "stuck" | "busy" | null {
    const last = this.#last;
    this.#last = demand;
    if (last === null || last.taken !== demand.taken || !demand.jobsWait || !last.jobsWait) {
      this.#lastTakenAt = demand.now;
    }
    if (last === null || !demand.jobsWait || !last.jobsWait) return null;
    const cpuIsFull = demand.cpuMs - last.cpuMs > CPU_IS_FULL * demand.cores * (demand.now - last.now);
    if (last.taken !== demand.taken) return cpuIsFull ? null : "busy";
    const patience = cpuIsFull ? demand.threads * PATIENCE_MS_PER_THREAD : 0;
    return demand.now - this.#lastTakenAt >= patience ? "stuck" : null;
  }
}
