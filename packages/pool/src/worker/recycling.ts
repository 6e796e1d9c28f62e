/**
 * When a thread is to be replaced: after so many jobs, with so much heap, or at such an age. It asks the host between two jobs, which
 * starts a successor and has the thread leave when that is ready (host/recycling.ts).
 *
 * | state | means                                                                       | moves to                               |
 * | ----- | --------------------------------------------------------------------------- | -------------------------------------- |
 * | fit   | no limit is reached, or none was looked at since the last job                | asked: by `reached`                    |
 * | asked | the host has been told, and says "leave" or "kept". At the limit of jobs the | fit: by `kept`                         |
 * |       | thread takes none until then; otherwise it goes on                           |                                        |
 *
 * Only a thread that has run a job since it looked last looks again: idle ones are not replaced by one another.
 */
import type { RecycleLimits } from "../messages/recycle-limits.ts";
import { now as clockNow } from "../shared/timers.ts";

type ReachedLimit = "jobs" | "heap" | "age";

/** Between two looks at the heap, which take microseconds. */
const HEAP_LOOK_MS = 5;
/** After the host could not start a successor. */
const ASK_AGAIN_MS = 1000;

export class Recycling {
  readonly #limits: RecycleLimits;
  readonly #usedHeapBytes: () => number;
  readonly #startedAt: number = clockNow();
  #jobs = 0;
  #lookedAtJobs = 0;
  #nextHeapLookAt = 0;
  #askedFor: ReachedLimit | null = null;
  #notBefore = 0;

  constructor(limits: RecycleLimits, usedHeapBytes: () => number) {
    this.#limits = limits;
    this.#usedHeapBytes = usedHeapBytes;
  }

  /** The thread begins a job. */
  ran(): void {
    this.#jobs++;
  }

  /** Between two jobs. @returns the limit that is reached, and the host is to be told of. */
  reached(): ReachedLimit | null {
    if (this.#askedFor !== null || this.#lookedAtJobs === this.#jobs) return null;
    const now = clockNow();
    if (now < this.#notBefore) return null;
    this.#lookedAtJobs = this.#jobs;
    this.#askedFor = this.#look(now);
    return this.#askedFor;
  }

  /** There is no successor. @returns whether the thread takes jobs again that took none. */
  kept(): boolean {
    const tookNone = this.#askedFor === "jobs";
    this.#askedFor = null;
    this.#notBefore = clockNow() + ASK_AGAIN_MS;
    return tookNone;
  }

  #look(now: number): ReachedLimit | null {
    const { maxJobs, maxHeapBytes, maxAgeMs } = this.#limits;
    if (this.#jobs >= maxJobs) return "jobs";
    if (now - this.#startedAt >= maxAgeMs) return "age";
    if (maxHeapBytes === Infinity || now < this.#nextHeapLookAt) return null;
    this.#nextHeapLookAt = now + HEAP_LOOK_MS;
    return this.#usedHeapBytes() >= maxHeapBytes ? "heap" : null;
  }
}
