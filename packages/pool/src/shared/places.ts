/**
 * Places: how many threads there are to look at, and how many there may be. A pool has room for more threads than it was asked for, so
 * that `setMaxThreads` can raise it; whoever looks at all of them, once per submitted job, looks no further than the last place
 * that ever had a thread.
 *
 * Words      UNUSED @ layout.placesWord      how many places at the end never had a thread; 0 in fresh memory: look at all
 *            MAX    @ layout.placesWord + 1  how many threads there may be at present
 *            EXCL   @ layout.placesWord + 2  1: an exclusive job was queued (reach.ts); 0: nobody looks for any, which few programs have
 *            PLACED @ layout.placesWord + 3  the same of jobs that one thread alone may run (mailbox.ts)
 * State      any number from 0 to layout.places
 * Moves      m1 UNUSED: set once, then only down, by the host, before it starts a thread in a place further on
 *            m2 MAX: by the host, when it is told to
 *            m3 EXCL: 0 → 1, by whoever queues the first exclusive job, before it pushes that; PLACED likewise, by the host
 * Invariants I1 A place at or after `used` has no thread, and none that is about to start.
 * Pairings   [P1] m1 comes before anything the new thread does. A producer pushes, then loads UNUSED, then PARK[w]. Either it sees the
 *                 new place, or all of this came before m1 and so before the last search of the thread that starts there (parking.ts P1).
 *            [P2] The same with EXCL, PLACED and m3: whoever reads 0 in its last search has announced before m3 that it sleeps, so that the
 *                 producer, which comes to PARK[w] after m3, sees that.
 * Liveness   Nobody waits here.
 * Sources    the same idea as a high-water mark
 */
import { load, store } from "./atomics.ts";
import type { Layout } from "./layout.ts";

export class Places {
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #count: number;

  constructor(control: Int32Array, layout: Layout) {
    this.#words = control;
    this.#base = layout.placesWord;
    this.#count = layout.places;
  }

  /** Every thread's index is below it. */
  get used(): number {
    return this.#count - load(this.#words, this.#base); // [P1]
  }

  /** How many threads there may be. */
  get maxThreads(): number {
    return this.#words[this.#base + 1]!; // plain: a hint, read for every job that a job submits; the host decides
  }

  get hasExclusive(): boolean {
    return load(this.#words, this.#base + 2) !== 0; // [P2]
  }

  /** m3: an exclusive job is about to be queued. */
  useExclusive(): void {
    if (!this.hasExclusive) store(this.#words, this.#base + 2, 1); // [P2]
  }

  get hasPlaced(): boolean {
    return load(this.#words, this.#base + 3) !== 0; // [P2]
  }

  // For the host.

  /** m3: a job for one thread alone is about to be queued. */
  usePlaced(): void {
    if (!this.hasPlaced) store(this.#words, this.#base + 3, 1); // [P2]
  }

  /** Before the first thread starts. */
  initialize(maxThreads: number): void {
    store(this.#words, this.#base, this.#count); // [unpaired] nobody else is there yet
    this.setMaxThreads(maxThreads);
  }

  setMaxThreads(maxThreads: number): void {
    store(this.#words, this.#base + 1, maxThreads); // [unpaired] a hint; the host decides
  }

  /** m1: a thread is about to start at `index`. */
  use(index: number): void {
    const unused = Math.min(this.#count - index - 1, load(this.#words, this.#base)); // [unpaired] only the host writes it
    store(this.#words, this.#base, unused); // [P1]
  }
}
