/**
 * Jobs that found no free slot, first in, first out, with the bytes of their inline arguments behind each other in chunks:
 * a waiting job costs its task and some bytes outside the heap, not an array of its own.
 */
import { INLINE_BYTES } from "../shared/layout.ts";
import { type PendingJob, WAITING } from "./pending-job.ts";

const CHUNK_BYTES = 64 << 10;

export class Backlog {
  #jobs: PendingJob[] = [];
  #firstJob = 0;
  /** Written at the end of the last, read from the start of the first. */
  readonly #chunks: Uint8Array[] = [];
  #writeAt = CHUNK_BYTES;
  #readAt = 0;

  get size(): number {
    return this.#jobs.length - this.#firstJob;
  }

  /** Those that were given up not included; counts no further than `limit`. */
  countWaiting(limit: number): number {
    let count = 0;
    for (let i = this.#firstJob; i < this.#jobs.length && count < limit; i++) {
      if (this.#jobs[i]!.stage === WAITING) count++;
    }
    return count;
  }

  /** The first of them to which `test` says yes, those that were given up not included. */
  find(test: (job: PendingJob) => boolean): PendingJob | null {
    for (let i = this.#firstJob; i < this.#jobs.length; i++) {
      const job = this.#jobs[i]!;
      if (job.stage === WAITING && test(job)) return job;
    }
    return null;
  }

  add(job: PendingJob, args: Uint8Array): void {
    if (job.block === 0) this.#write(job, args);
    this.#jobs.push(job);
  }

  #write(job: PendingJob, args: Uint8Array): void {
    if (this.#writeAt + INLINE_BYTES > CHUNK_BYTES) {
      this.#chunks.push(new Uint8Array(CHUNK_BYTES));
      this.#writeAt = 0;
    }
    const chunk = this.#chunks[this.#chunks.length - 1]!;
    for (let i = 0; i < job.argsLength; i++) chunk[this.#writeAt + i] = args[i]!;
    this.#writeAt += job.argsLength;
  }

  peek(): PendingJob {
    return this.#jobs[this.#firstJob]!;
  }

  /** The arguments of the job that `peek` shows; not for a job whose arguments lie in the arena. */
  peekArguments(): Uint8Array {
    this.#skipFullChunk();
    return this.#chunks[0]!.subarray(this.#readAt, this.#readAt + this.peek().argsLength);
  }

  shift(): void {
    const job = this.peek();
    if (job.block === 0) {
      this.#skipFullChunk();
      this.#readAt += job.argsLength;
    }
    this.#jobs[this.#firstJob++] = undefined as never;
    if (this.#firstJob === this.#jobs.length) {
      this.#jobs = [];
      this.#firstJob = 0;
      this.#chunks.length = 0;
      this.#writeAt = CHUNK_BYTES;
      this.#readAt = 0;
    } else if (this.#firstJob >= 4096 && this.#firstJob * 2 >= this.#jobs.length) {
      this.#jobs = this.#jobs.slice(this.#firstJob);
      this.#firstJob = 0;
    }
  }

  /** The writer leaves a chunk where the next job might not fit; so does the reader. */
  #skipFullChunk(): void {
    if (this.#readAt + INLINE_BYTES <= CHUNK_BYTES) return;
    this.#chunks.shift();
    this.#readAt = 0;
  }
}
