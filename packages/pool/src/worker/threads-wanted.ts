/** When this thread asks the host for one more thread, if there may be more than there are. */
import type { PoolMemory } from "../shared/pool-memory.ts";
import { now as clockNow } from "../shared/timers.ts";

/** A thread takes about so long to start. */
const AGAIN_AFTER_MS = 20;

export class ThreadsWanted {
  readonly #memory: PoolMemory;
  readonly #ask: () => void;
  #askedAt = -Infinity;

  /** @param ask Tells the host, which looks whether jobs still wait. */
  constructor(memory: PoolMemory, ask: () => void) {
    this.#memory = memory;
    this.#ask = ask;
  }

  /** All threads are busy, and jobs wait. */
  askNow(): void {
    if (this.#hasRoom()) this.#ask();
  }

  /**
   * The same, for whoever sees it with each job that it submits: asks once in a while. Once the new thread has started and found its first job, it
   * says so itself if more remain.
   */
  ask(): void {
    if (!this.#hasRoom()) return;
    const now = clockNow();
    if (now - this.#askedAt < AGAIN_AFTER_MS) return;
    this.#askedAt = now;
    this.#ask();
  }

  /** After the ready threads were counted: whether there may be more threads than there are. */
  #hasRoom(): boolean {
    return this.#memory.parking.readySeen < this.#memory.places.maxThreads;
  }
}
