/**
 * Jobs that found no free slot, first in, first out, with the bytes of their inline arguments behind each other in chunks:
 * a waiting job costs its task and some bytes outside the heap, not an array of its own.
 */
import { INLINE_BYTES, PRIORITIES } from "../shared/layout.ts";
import { type PendingJob, WAITING } from "./pending-job.ts";
import { noArguments } from "./slot-filling.ts";

const CHUNK_BYTES = 64 << 10;

export class Backlog {
  #jobs: PendingJob[] = [];
  #firstJob = 0;
  /** Written at the end of the last, read from the start of the first. */
  #chunks: Uint8Array[] = [];
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
    if (isFull(this.#writeAt)) {
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

  /** Forgets those that were given up. */
  compact(): void {
    const rest = new Backlog();
    let chunk = 0;
    let readAt = this.#readAt;
    for (let i = this.#firstJob; i < this.#jobs.length; i++) {
      const job = this.#jobs[i]!;
      let args = noArguments;
      if (job.block === 0) {
        if (isFull(readAt)) {
          chunk++;
          readAt = 0;
        }
        args = this.#chunks[chunk]!.subarray(readAt, (readAt += job.argsLength));
      }
      if (job.stage === WAITING) rest.add(job, args);
    }
    // At the end: there may be no stack left for what comes before.
    this.#jobs = rest.#jobs;
    this.#firstJob = 0;
    this.#chunks = rest.#chunks;
    this.#writeAt = rest.#writeAt;
    this.#readAt = 0;
  }

  /** The writer leaves a chunk where the next job might not fit; so does the reader. */
  #skipFullChunk(): void {
    if (!isFull(this.#readAt)) return;
    this.#chunks.shift();
    this.#readAt = 0;
  }
}

/** One for each priority. */
export function newBacklogs(): readonly Backlog[] {
  return PRIORITIES.map(() => new Backlog());
}

/** How many jobs are in them. */
export function sizeOf(backlogs: readonly Backlog[]): number {
  let size = 0;
  for (let i = 0; i < backlogs.length; i++) size += backlogs[i]!.size;
  return size;
}

/** Whether the arguments of a job might not fit into a chunk from there on. */
function isFull(at: number): boolean {
  return at + INLINE_BYTES > CHUNK_BYTES;
}
