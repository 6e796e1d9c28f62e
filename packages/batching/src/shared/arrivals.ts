/**
 * Arrivals: items of one slot on their way to the owner.
 *
 * Words      HEAD @ layout.headWord, own cache line     number + 1 of the first block of the newest item
 *            NEXT[b] @ layout.nextWord + b              what HEAD was before
 * State      | HEAD      | means                                     | written by     |
 *            | 0 NONE    | no item                                   | owner          |
 *            | b + 1     | an item, and those behind NEXT[b]         | any producer   |
 *            | -1 CLOSED | no item, and none is accepted             | owner          |
 * Moves      a1 link: NEXT[b] = HEAD, CAS HEAD → b + 1       a2 takeAll: exchange HEAD → NONE       a3 close: exchange HEAD → CLOSED
 *            a4 open: CLOSED → NONE (store), by the owner, the only one who leaves CLOSED
 * Invariants I1 The CAS of a1 is the acceptance: before it the item does not exist, after it no death of its producer can take
 *               it away. None is accepted after a3, and a3 takes all that were.
 *            I2 Many link, one takes everything: no ABA, nobody pops single items.
 * Pairings   [A1] the producer writes NEXT, LENGTH, MORE and the bytes, then CASes HEAD; the owner exchanges HEAD, then reads.
 *            [A2] the producer links, then loads BELL (bell.ts).
 * Liveness   Lock-free; nothing is held while a thread is between its steps.
 * Sources    Treiber, "Systems programming: coping with parallelism", 1986. Test: test/shared/arrivals.test.ts
 */
import { cas, exchange, load, store } from "./atomics.ts";
import type { SegmentLayout } from "./segment-layout.ts";

const NONE = 0;
const CLOSED = -1;

export class Arrivals {
  readonly #words: Int32Array;
  readonly #head: number;
  readonly #next: number;

  constructor(words: Int32Array, layout: SegmentLayout) {
    this.#words = words;
    this.#head = layout.headWord;
    this.#next = layout.nextWord;
  }

  /** a1. @returns false when the slot is closed: the item was not accepted. */
  link(block: number): boolean {
    for (;;) {
      const head = load(this.#words, this.#head); // [unpaired] the CAS decides
      if (head === CLOSED) return false;
      this.#words[this.#next + block] = head; // plain: published by the CAS [A1]
      if (cas(this.#words, this.#head, head, block + 1)) return true; // [A1] [A2]
    }
  }

  isClosed(): boolean {
    return load(this.#words, this.#head) === CLOSED; // [unpaired] a hint
  }

  // For the owner.

  isEmpty(): boolean {
    return load(this.#words, this.#head) <= NONE; // [A2]
  }

  /** a2. Appends the first block of each item to `into`, oldest first. */
  takeAll(into: number[]): void {
    if (load(this.#words, this.#head) <= NONE) return; // [A2]
    this.#unlink(exchange(this.#words, this.#head, NONE), into); // [A1]
  }

  /** a3. */
  close(into: number[]): void {
    this.#unlink(exchange(this.#words, this.#head, CLOSED), into); // [A1]
  }

  /** a4. */
  open(): void {
    // [unpaired] nothing is accepted before it
    if (load(this.#words, this.#head) === CLOSED) store(this.#words, this.#head, NONE); // [unpaired] so
  }

  #unlink(head: number, into: number[]): void {
    const from = into.length;
    for (let entry = head; entry > NONE; entry = this.#words[this.#next + entry - 1]!) {
      into.push(entry - 1); // plain read of NEXT: ordered by the exchange [A1]
    }
    for (let i = from, j = into.length - 1; i < j; i++, j--) {
      const block = into[i]!;
      into[i] = into[j]!;
      into[j] = block;
    }
  }
}
