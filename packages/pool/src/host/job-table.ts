/** The slots of this submitter: which are free, and which job is in each of the others. No atomics: only it frees them. */
import type { PendingJob } from "./pending-job.ts";

/** No free slot. */
export const NONE_FREE = -1;

export class JobTable {
  readonly #jobs: (PendingJob | null)[];
  /** A stack: the slot freed last is used next, while it is still in the cache. */
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(capacitySlots: number) {
    this.#jobs = Array.from({ length: capacitySlots }, () => null);
    this.#free = Int32Array.from({ length: capacitySlots }, (_, i) => capacitySlots - 1 - i);
    this.#freeCount = capacitySlots;
  }

  get hasFree(): boolean {
    return this.#freeCount > 0;
  }

  /** @returns a free slot, now of `job`, or NONE_FREE. */
  take(job: PendingJob): number {
    if (this.#freeCount === 0) return NONE_FREE;
    const slot = this.#free[--this.#freeCount]!;
    this.#jobs[slot] = job;
    return slot;
  }

  /** Null when the slot is free. */
  job(slot: number): PendingJob | null {
    return this.#jobs[slot]!;
  }

  free(slot: number): void {
    this.#jobs[slot] = null;
    this.#free[this.#freeCount++] = slot;
  }

  /** The slots in use. */
  *entries(): Iterable<[slot: number, job: PendingJob]> {
    for (const [slot, job] of this.#jobs.entries()) {
      if (job !== null) yield [slot, job];
    }
  }
}
