/**
 * Loop delay: how late the event loop of one thread is, for whoever records the pool. A timer of the thread writes how late each of its turns was, and
 * when the next one is due; so a reader also sees a loop that stands still now.
 *
 * Words      TICKS @ 0   how many delays the writer has written, modulo 2^32
 *            DUE   @ 1   when the next is due, in milliseconds of the trace, modulo 2^32
 *            DELAYS @ 2  a ring of the newest delays, in microseconds
 * State      a delay is | written | below TICKS, newer than the newest `CAPACITY` | to be read  |
 *                       | dropped | older                                         | overwritten |
 * Moves      tick: the delay, then DUE, then TICKS + 1      anything else is a bug
 * Invariants I1 One writer, the thread whose loop it is. Before its first tick TICKS is 0.
 * Pairings   [L1] the writer fills a delay and DUE, then stores TICKS; the reader loads TICKS first. What is overwritten while it reads is a delay
 *                 that is newer than it asked for, and told again.
 * Liveness   Nobody waits.
 * Sources    Node's monitorEventLoopDelay, which measures the same; it tells only its own thread. Test: test/trace/recording.test.ts
 */
import { load, store } from "../atomics.ts";
import { clearInterval, setInterval } from "../timers.ts";

const TICKS = 0;
const DUE = 1;
const DELAYS = 2;
/** Some seconds of them. */
const CAPACITY = 256;
const INTERVAL_MS = 20;
const MAX_US = 2 ** 31 - 1;

export function createLoopDelayBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer((DELAYS + CAPACITY) * 4);
}

/** For the thread whose loop it is. Never keeps the thread alive. */
export class LoopDelayMonitor {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #ticks: number;
  #dueUs: number;

  /** @param now Of the trace, in microseconds. Is called in the empty context: the timer is not of the job that runs. */
  constructor(buffer: SharedArrayBuffer, now: () => number) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#now = now;
    this.#ticks = load(this.#words, TICKS); // [L1] I1: its own
    this.#dueUs = now() + INTERVAL_MS * 1000;
    this.#timer = setInterval(() => this.#tick(), INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const words = this.#words;
    const now = this.#now();
    words[DELAYS + ((this.#ticks >>> 0) % CAPACITY)] = Math.min(MAX_US, Math.max(0, now - this.#dueUs));
    this.#dueUs = now + INTERVAL_MS * 1000;
    store(words, DUE, Math.floor(this.#dueUs / 1000) | 0); // [L1]
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
    const ticks = load(words, TICKS); // [L1]
    if (ticks === 0) return null;
    const count = Math.min(CAPACITY, (ticks - this.#read) >>> 0);
    let longest = Math.max(0, (Math.floor(nowUs / 1000) - load(words, DUE)) | 0) * 1000; // [L1]
    for (let i = 1; i <= count; i++) {
      const delay = words[DELAYS + (((ticks - i) >>> 0) % CAPACITY)]!;
      if (delay > longest) longest = delay;
    }
    this.#read = ticks;
    return longest;
  }
}
