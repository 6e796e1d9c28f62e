/**
 * What a pool and one of its processes write to each other. Two pipes, which carry both ways: jobs and what comes of them go over the first,
 * in frames; what cannot wait until the process's main thread looks goes over the second, to a thread of its own (child/lifeline.ts).
 *
 * frame    | length u32 · kind u8 · body                        | the length counts from the kind on
 * START    | JSON: ProcessStart · [workerData]                  | the first one
 * JOB      | job u32 · flags u8 · attempt u8 · [function text] · [context text] · arguments
 * LEAVE    |                                                    | it has no job, and gets none any more
 * READY    | flags u8 · [error that a module threw]             | it has loaded what it was to load
 * BEGAN    | job u32                                            | written before the function is called
 * REPLY    | job u32 · flags u8 · began f64 · ran f64 · [value]  | microseconds, by the clock of shared/clock.ts
 * PROGRESS | job u32 · value
 * CAUSE    | error                                              | uncaught: it ends with that
 *
 * control  | op u8 · job u32
 * STOP     | give the job up                          | answered by WITHDRAWN or BEGUN
 * RECALL   | withdraw it, unless it has begun         | answered by WITHDRAWN or BEGUN
 *
 * Jobs are numbered in the order in which they are sent, and job n has word n % WORDS of the process. When the process reads the request of job
 * n it makes the word of job n + AHEAD wait for that one. The pool sends that job only when it has the reply of job n, and all answers about it.
 *
 * A text is its length u32, then UTF-16. Values and errors are as adapter/encoded-value.ts has them.
 */
import { Float64Array, ucs2Slice, Uint8Array } from "../shared/intrinsics.ts";

export const START = 1;
export const JOB = 2;
export const LEAVE = 3;
export const READY = 16;
export const BEGAN = 17;
export const REPLY = 18;
export const PROGRESS = 19;
export const CAUSE = 20;

/** What a process reads, and what its pool does. */
export const REQUEST_KINDS: readonly number[] = [START, JOB, LEAVE];
export const ANSWER_KINDS: readonly number[] = [READY, BEGAN, REPLY, PROGRESS, CAUSE];

export const STOP = 1;
export const RECALL = 2;
export const WITHDRAWN = 16;
export const BEGUN = 17;
export const CONTROL_BYTES = 5;

/** Of JOB. */
export const JobFlag = {
  /** The function is that of the job before: it is not written again. */
  sameFunction: 1,
  /** Likewise. */
  sameContext: 2,
  /** Nothing of the context flows. */
  noContext: 4,
  /** Somebody listens to its progress. */
  progress: 8,
} as const;

/** Of REPLY, and `failed` of READY. */
export const ReplyFlag = {
  /** The value is an error. */
  failed: 1,
  /** The job was withdrawn: there is no value. */
  withdrawn: 2,
  /** The process asks to be replaced: its heap has reached the limit. */
  asksToLeave: 4,
  /** A module has failed there for good, and would not elsewhere. */
  cannotLoad: 8,
} as const;

/** The pipes, in the process. */
export const JOB_FD = 3;
export const CONTROL_FD = 4;

/** How many jobs a process can have at once. */
export const AHEAD: number = 2 ** 16;
export const WORDS: number = 2 * AHEAD;

/** A pipe brings what neither side has written there. */
export function foreignBytes(): Error {
  return new Error(
    `Something in the process has written to, read from or closed file descriptor ${JOB_FD} or ${CONTROL_FD}, which are pipes of the pool: leave them alone`,
  );
}

export interface ProcessStart {
  readonly initialize: string | null;
  /** Job modules that are loaded before it is ready. */
  readonly modules: readonly string[];
  readonly jobsPerThread: number;
  /** Null: no limit. */
  readonly maxHeapBytes: number | null;
}

const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);

/** A frame's body, read in order. */
export class FrameBody {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#bytes[this.#at++]!;
  }

  u32(): number {
    this.#at += 4;
    return u32At(this.#bytes, this.#at - 4);
  }

  f64(): number {
    for (let i = 0; i < 8; i++) f64Bytes[i] = this.#bytes[this.#at++]!;
    return f64[0]!;
  }

  text(): string {
    const start = this.#at + 4;
    this.#at = start + this.u32() * 2;
    return ucs2Slice(this.#bytes, start, this.#at);
  }

  /** All that is left, where it lies: to be read before the next frame is. */
  rest(): Uint8Array {
    return part(this.#bytes, this.#at, this.#bytes.length);
  }
}

export function u32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** The same bytes, not a copy. */
export function part(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

export function controlMessage(op: number, job: number): Uint8Array {
  const bytes = new Uint8Array(CONTROL_BYTES);
  bytes[0] = op;
  writeU32(bytes, 1, job);
  return bytes;
}

/** Of a job, in its process. */
export function wordOf(words: Int32Array, job: number): Int32Array {
  const index = job % WORDS;
  return words.subarray(index, index + 1);
}
