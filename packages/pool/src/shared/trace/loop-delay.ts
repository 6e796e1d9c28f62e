/**
 * Loop delay: how late the event loop of one thread is, for whoever records the pool. The thread writes how late each of its turns was, and when the
 * next one is due (worker/loop-delay-monitor.ts); so a reader also sees a loop that stands still now.
 *
 * Words      TICKS @ 0   how many delays the writer has written, modulo 2^32
 *            DUE   @ 1   when the next is due, in milliseconds of the trace, modulo 2^32
 *            DELAYS @ 2  a ring of the newest delays, in microseconds
 * State      a delay is | written | below TICKS, newer than the newest `capacity` | to be read  |
 *                       | dropped | older                                         | overwritten |
 * Moves      tick: the delay, then DUE, then TICKS + 1      anything else is a bug
 * Invariants I1 One writer, the thread whose loop it is. Before its first tick TICKS is 0.
 * Pairings   [L1] the writer fills a delay and DUE, then stores TICKS; the reader loads TICKS first. What is overwritten while it reads is a delay
 *                 that is newer than it asked for, and told again.
 * Liveness   Nobody waits.
 * Sources    Node's monitorEventLoopDelay, which measures the same; it tells only its own thread.
 *            Tests: test/shared/trace/loop-delay.test.ts and its model test
 */
import { load, store } from "../atomics.ts";

const TICKS = 0;
const DUE = 1;
const DELAYS = 2;
/** At 20 ms each, five seconds. */
const CAPACITY = 256;
const MAX_US = 2 ** 31 - 1;

/** @param capacity A power of two: 2^32 is a multiple of it. */
export function createLoopDelayBuffer(capacity: number = CAPACITY): SharedArrayBuffer {
  return new SharedArrayBuffer((DELAYS + capacity) * 4);
}

/** For the thread whose loop it is. */
export class LoopDelayWriter {
  readonly #words: Int32Array;
  #ticks: number;

  /** Goes on where a writer before it has ended. */
  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#ticks = load(this.#words, TICKS); // [L1] I1: its own
  }

  /**
   * @param delayUs How late this turn was; below 0: it was not.
   * @param dueUs When the next is due: of the trace.
   */
  tick(delayUs: number, dueUs: number): void {
    const words = this.#words;
    words[DELAYS + ((this.#ticks >>> 0) % (words.length - DELAYS))] = Math.min(MAX_US, Math.max(0, delayUs));
    store(words, DUE, Math.floor(dueUs / 1000) | 0); // [L1]
    this.#ticks = (this.#ticks + 1) | 0;
    store(words, TICKS, this.#ticks); // [L1]
  }
}

/** For one who reads along, also while the thread writes, and when it stands still. */
export class LoopDelayReader {
  readonly #words: Int32Array;
  #read: number;

  /** Reads what is written from now on. */
  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#read = load(this.#words, TICKS); // [L1]
  }

  /**
   * The longest delay since the last call, one that goes on included, in microseconds; null: the thread has yet to begin.
   * @param nowUs Of the trace.
   */
  read(nowUs: number): number | null {
    const words = this.#words;
    const capacity = words.length - DELAYS;
    const ticks = load(words, TICKS); // [L1]
    if (ticks === 0) return null;
    const count = Math.min(capacity, (ticks - this.#read) >>> 0);
    let longest = Math.max(0, (Math.floor(nowUs / 1000) - load(words, DUE)) | 0) * 1000; // [L1]
    for (let i = 1; i <= count; i++) {
      const delay = words[DELAYS + (((ticks - i) >>> 0) % capacity)]!;
      if (delay > longest) longest = delay;
    }
    this.#read = ticks;
    return longest;
  }
}
