/**
 * What Piscina would say of its threads: how many tasks have a place on one. The threads take the tasks themselves, from shared memory; these
 * are counts of the caller's thread, right without asking anybody.
 *
 * A task that can be aborted has a thread to itself. All others share, `perThread` each, spread as widely as possible.
 */
export class Places {
  readonly perThread: number;
  threads = 0;
  #alone = 0;
  #sharing = 0;

  constructor(perThread: number) {
    this.perThread = perThread;
  }

  get idleThreads(): number {
    return Math.max(0, this.threads - this.#busyThreads);
  }

  /** Tasks that share, as Piscina counts for `needsDrain`. */
  get usage(): number {
    return this.#sharing;
  }

  get #busyThreads(): number {
    return this.#alone + Math.min(this.#sharing, Math.max(0, this.threads - this.#alone));
  }

  hasPlace(isAlone: boolean): boolean {
    if (isAlone) return this.#busyThreads < this.threads;
    return this.#sharing < (this.threads - this.#alone) * this.perThread;
  }

  take(isAlone: boolean): void {
    if (isAlone) this.#alone++;
    else this.#sharing++;
  }

  give(isAlone: boolean): void {
    if (isAlone) this.#alone--;
    else this.#sharing--;
  }
}
