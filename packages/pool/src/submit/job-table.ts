/** The slots of one submitter: which are free, and which job is in each of the others. No atomics: only it frees them. */
import type { PendingJob } from "./pending-job.ts";

/** No free slot. */
export const NONE_FREE = -1;

export class JobTable {
  readonly #first: number;
  readonly #jobs: (PendingJob | null)[];
  /** A stack: the slot freed last is used next, while it is still in the cache. */
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(firstSlot: number, slotCount: number) {
    this.#first = firstSlot;
    this.#jobs = Array.from({ length: slotCount }, () => null);
    this.#free = Int32Array.from({ length: slotCount }, (_, i) => firstSlot + slotCount - 1 - i);
    this.#freeCount = slotCount;
  }

  get hasFree(): boolean {
    return this.#freeCount > 0;
  }

  /** @returns a free slot, now of `job`, or NONE_FREE. */
  take(job: PendingJob): number {
    if (this.#freeCount === 0) return NONE_FREE;
    const slot = this.#free[--this.#freeCount]!;
    this.#jobs[slot - this.#first] = job;
    return slot;
  }

  /** Null when the slot is free. */
  job(slot: number): PendingJob | null {
    return this.#jobs[slot - this.#first]!;
  }

  free(slot: number): void {
    this.#jobs[slot - this.#first] = null;
    this.#free[this.#freeCount++] = slot;
  }

  /** The slots in use. */
  *entries(): Iterable<[slot: number, job: PendingJob]> {
    for (const [index, job] of this.#jobs.entries()) {
      if (job !== null) yield [this.#first + index, job];
    }
  }
}
