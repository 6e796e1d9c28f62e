/** What things cost on a machine, in nanoseconds. `measure-costs.ts` finds them out. */
export interface Costs {
  /** Of a word whose line this core has. */
  readonly loadNs: number;
  readonly storeNs: number;
  readonly casNs: number;
  /** Of a line from another core. */
  readonly transferNs: number;
  readonly pauseNs: number;
  readonly clockNs: number;
  /** When nobody waits. */
  readonly notifyNs: number;
  /** To whoever wakes a thread that sleeps. */
  readonly wakeNs: number;
  /** From there to when that thread runs. */
  readonly wakeLatencyNs: number;
  /** Falling asleep. */
  readonly sleepNs: number;
  /** A turn of the event loop. */
  readonly turnNs: number;
  /** A message to a thread that is in its event loop: sending it, and from there to its arrival. */
  readonly messageNs: number;
  readonly messageLatencyNs: number;
}

/** What the pool does for a job besides the operations that are simulated: plain code on the thread that runs it. */
export interface JobCosts {
  /** The caller, from the call to the slot. */
  readonly makeNs: number;
  /** The pool thread, but for the job itself. */
  readonly runNs: number;
  /** The caller, from the slot to whoever awaits. */
  readonly settleNs: number;
  /** Fork and join of what nobody steals. */
  readonly forkNs: number;
}
