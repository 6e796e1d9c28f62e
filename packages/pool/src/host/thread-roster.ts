/** The threads of a pool and their places; given up when they never start. When there are how many: thread-supply.ts. */
import type { HostMessage } from "../messages/protocol.ts";
import type { PoolThread } from "./pool-thread.ts";
import { now as clockNow } from "../shared/timers.ts";

/** So many threads in a row that died before they were ready: starting more would go on for ever. */
const MAX_FAILED_STARTS = 3;
/** While other threads run the jobs, nobody gives the start up for good: what it failed for may be over. */
const TRY_AGAIN_MS = 1000;

/** Ids that other threads know hold a serial above 32 bits, and are exact up to 53. */
const MAX_SERIAL = 2 ** 20;

/** See `add`. */
export type StartThread = (
  index: number,
  serial: number,
  isExtra: boolean,
  modules: readonly string[] | null,
  isSpare: boolean,
) => PoolThread;

export class ThreadRoster {
  readonly #threads: (PoolThread | null)[];
  readonly #isFree: (index: number) => boolean;
  readonly #start: StartThread;
  /** Without those that are leaving, and spares. */
  #count = 0;
  /** 0 is the host's. */
  #nextSerial = 1;
  #failedStarts = 0;
  #failedAt = 0;

  /** @param isFree Whether the place of a thread that died can be taken. */
  constructor(places: number, isFree: (index: number) => boolean, start: StartThread) {
    this.#threads = Array.from({ length: places }, () => null);
    this.#isFree = isFree;
    this.#start = start;
  }

  get count(): number {
    return this.#count;
  }

  /** How many of them are not ready yet. */
  get starting(): number {
    return this.staying().filter((thread) => !thread.isReady && !thread.isSpare).length;
  }

  /** Whether threads keep dying before they are ready, and did just now. */
  get cannotStart(): boolean {
    return this.#failedStarts >= MAX_FAILED_STARTS && clockNow() - this.#failedAt < TRY_AGAIN_MS;
  }

  at(index: number): PoolThread | null {
    return this.#threads[index] ?? null;
  }

  withSerial(serial: number): PoolThread | null {
    return this.#threads.find((thread) => thread?.serial === serial) ?? null;
  }

  /**
   * @param isExtra Whether the thread is to leave as soon as it has nothing to do.
   * @param modules What it loads first, if `start` has asked for it; null: jobs did.
   * @param isSpare Whether it does not count until `promote` is called.
   * @returns null when no place is free now.
   * @throws what starting a thread throws: a bad option of `Worker`, too many threads for the machine.
   */
  add(isExtra: boolean, modules: readonly string[] | null, isSpare = false): PoolThread | null {
    const index = this.#threads.findIndex((thread, i) => thread === null && this.#isFree(i));
    if (index < 0) return null;
    let thread: PoolThread;
    try {
      thread = this.#threads[index] = this.#start(index, this.#takeSerial(), isExtra, modules, isSpare);
    } catch (error) {
      this.#startFailed();
      throw error;
    }
    if (isSpare) thread.isSpare = true;
    else this.#count++;
    return thread;
  }

  /** A spare takes the place of a thread that counted. */
  promote(thread: PoolThread): void {
    thread.isSpare = false;
    this.#count++;
  }

  /** After years they begin again, without those of live threads. */
  #takeSerial(): number {
    let serial: number;
    do {
      serial = this.#nextSerial;
      this.#nextSerial = serial === MAX_SERIAL ? 1 : serial + 1;
    } while (this.withSerial(serial) !== null);
    return serial;
  }

  /** The thread will end by itself: it takes no more jobs, and finishes what it has. */
  leave(thread: PoolThread): void {
    thread.isLeaving = true;
    if (!thread.isSpare) this.#count--;
    thread.post({ type: "leave" });
  }

  /** The thread was terminated and does not end: it counts no more, and keeps its place. */
  lose(thread: PoolThread): void {
    thread.isLost = true;
    if (thread.isLeaving) return;
    thread.isLeaving = true;
    if (!thread.isSpare) this.#count--;
  }

  /** After the thread has ended. A thread that was ready shows that threads can start; one that somebody has ended shows nothing. */
  remove(thread: PoolThread, wasReady: boolean): void {
    this.#threads[thread.index] = null;
    if (!thread.isLeaving && !thread.isSpare) this.#count--;
    if (wasReady) this.#failedStarts = 0;
    else if (!thread.wasTerminated) this.#startFailed();
  }

  #startFailed(): void {
    this.#failedStarts++;
    this.#failedAt = clockNow();
  }

  /** A thread got ready; or all have been given up, and whoever submits next may try again. */
  forgetFailedStarts(): void {
    this.#failedStarts = 0;
  }

  broadcast(message: HostMessage, except?: PoolThread): void {
    for (const thread of this.live()) {
      if (thread !== except) thread.post(message);
    }
  }

  /** Those that run, or may still do something to shared memory. */
  live(): PoolThread[] {
    return this.#threads.filter((thread) => thread !== null);
  }

  /** Those that run. */
  present(): PoolThread[] {
    return this.live().filter((thread) => !thread.isLost);
  }

  /** Those that were not told to leave. */
  staying(): PoolThread[] {
    return this.live().filter((thread) => !thread.isLeaving && !thread.hasEnded);
  }

  /** Those that take jobs. */
  taking(): PoolThread[] {
    return this.staying().filter((thread) => !thread.wasTerminated);
  }
}
