/**
 * The words over which the controller of a model test and its threads talk: each thread asks before every atomic operation and
 * goes on when the controller grants it. Only one thread runs at a time, so everything else here may be plain.
 */

export const MODEL_THREADS = 3;
/** Words of one thread. */
const THREAD_WORDS = 1024;

// Offsets within a thread's words.
export const STATUS = 0;
export const GRANT = 1;
export const OP = 2;
export const INDEX = 3;
/** A value that says more about the operation in a printed schedule. */
export const VALUE = 4;
/** 1 when the last waitAsync has registered a waiter. */
export const REGISTERED = 5;
export const PROGRAM = 6;
/** Length, then that many numbers. */
export const ARGUMENTS = 8;
/** Length, then that many characters. */
export const ERROR_TEXT = 32;
/** Length, then that many numbers: what the program has to tell. */
export const LOG = 512;

// STATUS
export const RUNNING = 1;
export const ASKING = 2;
export const DONE = 3;
export const FAILED = 4;

// GRANT
export const NOT_YET = 0;
export const GO = 1;
export const NOTIFIED = 2;
export const TIMED_OUT = 3;
export const KILL = 4;

// OP
export const OPERATIONS = [
  "load",
  "store",
  "cas",
  "exchange",
  "add",
  "wait",
  "waitAsync",
  "notify",
  // Within wait, and for whoever awaits the promise of waitAsync: blocked until notified.
  "waiting",
  "waiting without end",
  "awaiting",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A fault to be injected: the operation is put off, so that the thread's next `until` comes first. */
export interface Fault {
  readonly operation: "store" | "cas";
  /** Word offsets in the control buffer, the second one excluded. */
  readonly from: number;
  readonly to: number;
  /** The low 17 bits of the value written. */
  readonly value: number;
  readonly until: Operation;
}

// The fault lies behind the threads' words: 1 when there is one, then its five fields.
export const FAULT: number = MODEL_THREADS * THREAD_WORDS;
export const HANDSHAKE_BYTES: number = (FAULT + 8) * 4;

export function threadBase(thread: number): number {
  return thread * THREAD_WORDS;
}

/** How often a thread looks before it blocks: the other side, on a core of its own, answers within microseconds. */
let looks = 2000;

/** For threads on one core: looking keeps the other side from answering. */
export function neverLook(): void {
  looks = 0;
}

/** Blocks until the word is another. */
export function awaitChange(words: Int32Array, index: number, from: number): number {
  for (let i = 0; i < looks; i++) {
    const value = Atomics.load(words, index);
    if (value !== from) return value;
  }
  for (;;) {
    Atomics.wait(words, index, from);
    const value = Atomics.load(words, index);
    if (value !== from) return value;
  }
}

export function announce(words: Int32Array, index: number, value: number): void {
  Atomics.store(words, index, value);
  Atomics.notify(words, index);
}
