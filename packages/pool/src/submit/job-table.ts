/** The slots of one submitter: which are free, and which job is in each of the others. No atomics: only it frees them. */
import type { PendingJob } from "./pending-job.ts";

/** No free slot. */
export const NONE_FREE = -1;

export class JobTable {
  readonly #first: number;
  readonly #count: number;
  /** As long as slots were ever used: the others are free. */
  readonly #jobs: (PendingJob | null)[] = [];
  /** A stack: the slot freed last is used next, while it is still in the cache. */
  readonly #freed: Int32Array;
  #freedCount = 0;

  constructor(firstSlot: number, slotCount: number) {
    this.#first = firstSlot;
    this.#count = slotCount;
    this.#freed = new Int32Array(slotCount);
  }

  get freeCount(): number {
    return this.#freedCount + this.#count - this.#jobs.length;
  }

  /** @returns a free slot, now of `job`, or NONE_FREE. */
  take(job: PendingJob): number {
    if (this.#freedCount > 0) {
      const slot = this.#freed[--this.#freedCount]!;
      this.#jobs[slot - this.#first] = job;
      return slot;
    }
    if (this.#jobs.length === this.#count) return NONE_FREE;
    return this.#first + this.#jobs.push(job) - 1;
  }

  /** Null when the slot is free. */
  job(slot: number): PendingJob | null {
    return this.#jobs[slot - this.#first] ?? null;
  }

  free(slot: number): void {
    this.#jobs[slot - this.#first] = null;
    this.#freed[this.#freedCount++] = slot;
  }

  /** The slots in use. */
  *entries(): Iterable<[slot: number, job: PendingJob]> {
    for (const [index, job] of this.#jobs.entries()) {
      if (job !== null) yield [this.#first + index, job];
    }
  }
}
