/**
 * Which jobs run beside each other in a worker process. A job that may have killed its process before runs alone, so that it takes no other job
 * with it: jobs of a process that has died count as lost, all of them, and too many losses are final.
 *
 * State      | OPEN     | any jobs begin, and run                                                              | construction, leave
 *            | CLEARING | one job waits until those that run have ended, and others are back in the store         | enterAlone
 *            | ALONE    | it runs; nothing else begins                                                          | the last of them leaves
 * Moves      enterAlone OPEN → CLEARING    leave ALONE → OPEN; the last other, or turnAway: CLEARING → ALONE
 *            wait       of the job that is alone: ALONE → OPEN, since those that it waits for have to run somewhere
 * Invariants I1 While CLEARING or ALONE no job is admitted: it goes back into the store, where it does not count as begun.
 *            I2 What is not back in the store counts as lost with the process: the job that is alone does not begin before.
 *            I3 Jobs that wait for others of the cluster do not count: else the job that is alone could be what they wait for.
 */
import { Promise } from "./native-promise.ts";
import { setImmediate } from "./timers.ts";

export interface Gate {
  /** No more jobs are fetched. */
  close(): void;
  open(): void;
}

export class Solitude {
  readonly #gate: Gate;
  /** Jobs that run and wait for nobody. */
  #busy = 0;
  /** Jobs that were not admitted, and are not back in the store. */
  #turnedAway = 0;
  #exclusive: object | null = null;
  #cleared: (() => void) | null = null;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** Whether jobs are admitted. */
  get isOpen(): boolean {
    return this.#exclusive === null;
  }

  /** @returns false: not now. Otherwise the job runs, until it leaves. */
  enter(): boolean {
    if (this.#exclusive !== null) return false;
    this.#busy++;
    return true;
  }

  /** The same for a job that is to be alone; resolves when it is. @param job Stands for it. */
  async enterAlone(job: object): Promise<boolean> {
    if (this.#exclusive !== null) return false;
    this.#exclusive = job;
    this.#gate.close();
    // Those that were fetched together with it are turned away in this turn of the event loop.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (!this.#isCleared) await new Promise<void>((resolve) => (this.#cleared = resolve));
    this.#busy++;
    return true;
  }

  /** A job that was not admitted goes back into the store. */
  async turnAway<T>(giveBack: () => Promise<T>): Promise<T> {
    this.#turnedAway++;
    try {
      return await giveBack();
    } finally {
      this.#turnedAway--;
      this.#clear();
    }
  }

  /** A job waits for others of the cluster. */
  wait(job: object): void {
    this.#busy--;
    this.#reopen(job);
    this.#clear();
  }

  /** It does not wait any more. */
  proceed(): void {
    this.#busy++;
  }

  leave(job: object): void {
    this.#busy--;
    this.#reopen(job);
    this.#clear();
  }

  #reopen(job: object): void {
    if (this.#exclusive !== job) return;
    this.#exclusive = null;
    this.#gate.open();
  }

  get #isCleared(): boolean {
    return this.#busy === 0 && this.#turnedAway === 0;
  }

  #clear(): void {
    if (!this.#isCleared) return;
    const cleared = this.#cleared;
    this.#cleared = null;
    cleared?.();
  }
}
