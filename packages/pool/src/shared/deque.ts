/**
 * Deque: the jobs that one thread submitted from inside its jobs. The owner takes the newest, thieves take the oldest (A3.7):
 * what the owner takes is still in its cache, what a thief takes is usually the largest piece.
 *
 * Words      TOP     @ base        position of the oldest entry
 *            BOTTOM  @ base + 16   position after the newest
 *            CELL[i] @ base + 32   position p lives in cell p & mask
 * State      | positions        | mean                                                  | written by |
 *            | TOP ≤ p < BOTTOM | cell p & mask holds a slot                            | owner      |
 *            | all others       | free                                                  |            |
 * Moves      restart: CAS TOP t → t + cells, store BOTTOM t + cells, by the host, when the owner is dead
 *            push: write CELL[b], store BOTTOM b + 1, by the owner, who looks at TOP again only when the last one it saw leaves no room
 *            pop: of several, store BOTTOM b − 1; then take CELL[b − 1], by CAS of TOP if it is the last one now; by the owner. The only one
 *               the owner takes as a thief would, and BOTTOM stays
 *            popIf: the same, if CELL[b − 1] is what the owner wants
 *            steal: read CELL[t], CAS TOP t → t + 1
 * Invariants I1 TOP only grows, by CAS; each success takes one entry. BOTTOM is written by the owner only, or for it.
 *               Also from one owner to the next: a position that began again would let a slow thief take the wrong entry.
 *            I2 A cell is written again only when TOP has passed it: push refuses at BOTTOM − TOP = cells.
 * Pairings   [D1] push writes the cell and the slot plainly, then stores BOTTOM; a thief loads BOTTOM before it reads the cell.
 *            [D2] pop stores BOTTOM, then loads TOP; a thief loads TOP, then BOTTOM. For the last entry either the owner sees that
 *                 it competes, or the thief sees that there is nothing. An entry that is the only one, and the last of several that is
 *                 the last one now, goes to whose CAS of TOP succeeds.
 *            [D3] push stores BOTTOM, then the owner loads the parking words; a thread stores its parking word, then looks into the
 *                 deques (parking.ts P1).
 *            [D4] restart moves TOP to BOTTOM or past it, then stores BOTTOM there; a thief loads TOP, then BOTTOM. It finds nothing
 *                 until the next push, or its CAS fails.
 * Liveness   Lock-free; a failed CAS means that somebody else took the entry. A thief that dies after its CAS leaves the slot QUEUED
 *            and in no queue: its submitter queues it again after the exit. With a dead owner its slots die too.
 *            Limit: a thief would have to stand still between its load and its CAS while 2^32 entries pass to be fooled (ABA).
 * Sources    Chase, Lev, "Dynamic circular work-stealing deque", SPAA 2005; here bounded by the owner's slots.
 *            Model test: test/shared/deque.model.test.ts
 */
import { cas, load, store } from "./atomics.ts";
import { LINE_WORDS } from "./layout.ts";
import type { Accepts } from "./ring.ts";

/** Nothing to take. */
export const EMPTY = -1;
/** Another thread took it first: there may be more. */
export const CONTENDED = -2;

export class Deque {
  readonly #words: Int32Array;
  readonly #top: number;
  readonly #bottom: number;
  readonly #cells: number;
  readonly #mask: number;
  /** Of the owner: a former value of TOP, which only grows. */
  #topSeen: number;
  /** The position of the entry that `pop` or `steal` of this object has just taken: the ticket that the slot must show. */
  takenPosition = 0;

  /** @param cells A power of two. */
  constructor(words: Int32Array, baseWord: number, cells: number) {
    this.#words = words;
    this.#top = baseWord;
    this.#bottom = baseWord + LINE_WORDS;
    this.#cells = baseWord + 2 * LINE_WORDS;
    this.#mask = cells - 1;
    this.#topSeen = words[this.#top]!; // plain: any former value will do, and the owner starts after D4
  }

  /** Before any other thread sees the memory. `start` lets tests begin next to the wrap-around. */
  initialize(start = 0): void {
    this.#words[this.#top] = start;
    this.#words[this.#bottom] = start;
    this.#topSeen = start;
  }

  /**
   * By the host, before a new owner starts: drops what the dead one left. Thieves may be anywhere, so TOP moves on to where no
   * BOTTOM can have been, never back to a former position: a thief with an old cell in its hand fails (I1).
   */
  restart(): void {
    for (;;) {
      const top = load(this.#words, this.#top); // [D4]
      const start = (top + this.#mask + 1) | 0;
      if (!cas(this.#words, this.#top, top, start)) continue; // [D4]
      store(this.#words, this.#bottom, start); // [D4]
      return;
    }
  }

  /**
   * Owner only. Writes the position into `tickets[ticketIndex]` first, as Ring.push does.
   * @returns false when there is no room.
   */
  push(slot: number, tickets: Int32Array, ticketIndex: number): boolean {
    const bottom = this.#words[this.#bottom]!; // plain: only the owner writes it (I1)
    if (((bottom - this.#topSeen) | 0) > this.#mask) {
      this.#topSeen = load(this.#words, this.#top); // [D2] I2
      if (((bottom - this.#topSeen) | 0) > this.#mask) return false;
    }
    tickets[ticketIndex] = bottom; // plain: published by the store
    this.#words[this.#cells + (bottom & this.#mask)] = slot; // plain: published by the store
    store(this.#words, this.#bottom, (bottom + 1) | 0); // [D1] [D3]
    return true;
  }

  /** Owner only. @returns the newest slot, or EMPTY; also EMPTY when `accepts` says no. */
  pop(accepts: Accepts | null = null): number {
    const bottom = (this.#words[this.#bottom]! - 1) | 0; // plain: I1
    const before = load(this.#words, this.#top); // [D2] empty most of the time: no store then
    if (((bottom - before) | 0) < 0) return EMPTY;
    const slot = this.#words[this.#cells + (bottom & this.#mask)]!; // plain: written by this thread
    if (accepts !== null && !accepts(slot)) return EMPTY;
    this.takenPosition = bottom;
    return this.#takeNewest(bottom, before) ? slot : EMPTY;
  }

  /**
   * Owner only. Takes the newest entry if it is `slot`: the same as `pop`, for an owner who knows what it wants.
   * @returns false when it is another, or somebody took it.
   */
  popIf(slot: number): boolean {
    const bottom = (this.#words[this.#bottom]! - 1) | 0; // plain: I1
    if (this.#words[this.#cells + (bottom & this.#mask)]! !== slot) return false; // plain: written by this thread
    const before = load(this.#words, this.#top); // [D2]
    return ((bottom - before) | 0) >= 0 && this.#takeNewest(bottom, before);
  }

  /**
   * @param bottom The position of the newest entry.
   * @param before A value of TOP at which it was there.
   * @returns false when somebody else took it.
   */
  #takeNewest(bottom: number, before: number): boolean {
    // The only one: the swap alone decides, and two stores are spared, each of which waits until all others see it.
    if (bottom === before) return cas(this.#words, this.#top, before, (before + 1) | 0); // [D2]
    store(this.#words, this.#bottom, bottom); // [D2]
    const top = load(this.#words, this.#top); // [D2]
    const left = (bottom - top) | 0;
    if (left > 0) return true;
    // The last one now, or taken meanwhile: either way the deque is empty afterwards.
    const won = left === 0 && cas(this.#words, this.#top, top, (top + 1) | 0); // [D2]
    store(this.#words, this.#bottom, (bottom + 1) | 0); // [D2]
    return won;
  }

  /** Any thread. @returns the oldest slot, EMPTY or CONTENDED; EMPTY also when `accepts` says no. */
  steal(accepts: Accepts | null = null): number {
    const top = load(this.#words, this.#top); // [D2]
    const bottom = load(this.#words, this.#bottom); // [D1] [D2] [D3]
    if (((bottom - top) | 0) <= 0) return EMPTY;
    const slot = this.#words[this.#cells + (top & this.#mask)]!; // plain: ordered by BOTTOM [D1]; valid if the CAS succeeds (I2)
    if (accepts !== null && !accepts(slot)) return EMPTY;
    if (!cas(this.#words, this.#top, top, (top + 1) | 0)) return CONTENDED; // [D2]
    this.takenPosition = top;
    return slot;
  }

  /** Never true while there is an entry that nobody is taking. May be false although the last one has just gone. */
  isEmpty(): boolean {
    const top = load(this.#words, this.#top); // [D3]
    return ((load(this.#words, this.#bottom) - top) | 0) <= 0; // [D3]
  }

  /** How many entries there are, withdrawn ones included. */
  get size(): number {
    const top = load(this.#words, this.#top); // [unpaired] statistic only
    return Math.max(0, (load(this.#words, this.#bottom) - top) | 0); // [unpaired] statistic only
  }

  /** Whether `slot` still waits at `position`. Owner only, between its own moves. */
  holds(slot: number, position: number): boolean {
    const top = load(this.#words, this.#top); // [unpaired] recovery after a thread died
    const bottom = this.#words[this.#bottom]!; // plain: I1
    return (
      ((position - top) | 0) >= 0 &&
      ((bottom - position) | 0) > 0 &&
      this.#words[this.#cells + (position & this.#mask)] === slot
    );
  }
}
