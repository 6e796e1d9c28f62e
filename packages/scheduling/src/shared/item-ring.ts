/**
 * A bounded ring of items in shared memory: any thread adds, any thread takes, those who find nothing can wait, and a thread that is
 * terminated anywhere stops nobody.
 *
 * Words      HEAD, TAIL   the next position to take and to fill; they wrap, and may lag one behind their cell
 *            EPOCHS       one for items and one for room: up by one whenever some has come
 *            WAITERS      one for items and one for room: who waits, or is about to
 *            CELL[i]      position p lives in cell p & mask
 *            PLACE[j]     a spare block, or who has taken it to fill it
 *            BLOCK[b]     LENGTH, then the bytes of an item: plain
 * State      A cell packs the lap of the position it waits for, two flags and the block it holds, `lap | CLOSED | FULL | b`:
 *            | cell                    | means                                                     | written by          |
 *            | lap, b                  | empty, waits for position lap·n + i; b is of no use       | who took before it  |
 *            | lap, FULL, b            | the item of that position lies in block b                 | who added it        |
 *            | lap, CLOSED, b          | nothing is ever added at that position, nor behind it     | complete, or a take |
 *            | lap, CLOSED, FULL, b    | as FULL; closed is the position one lap later             | complete            |
 *            A place:
 *            | b + 1                   | block b is spare                                          | whoever gives it    |
 *            | −1 − thread             | taken by that thread                                      | that thread         |
 * Moves      add      PLACE b + 1 → −1 − thread (CAS); write block b; CELL (lap, old) → (lap, FULL, b) (CAS); PLACE → old + 1 (store);
 *                     TAIL t → t + 1 (CAS). An add that finds no room puts b + 1 back.
 *            take     read block b of CELL (lap, FULL, b); CELL → (lap + 1, b), CLOSED as it was (CAS); HEAD h → h + 1 (CAS)
 *            complete CELL[TAIL] → the same and CLOSED (CAS)
 *            help     TAIL t → t + 1 when CELL[t] is full or was taken already, HEAD h → h + 1 when CELL[h] was taken (CAS)
 * Invariants I1 The cell's CAS is the whole move: before it nothing has happened, after it everything has. The counters only follow, and whoever
 *               finds one lagging moves it on. Positions are filled and taken in order.
 *            I2 Each block belongs to one cell or to one place; only who has taken a place writes to its block. So a block that a cell holds
 *               rests, and whoever has read it and then wins the cell has read a whole item: who takes owns nothing before, and nothing after.
 *            I3 Nothing is filled at a closed position, and TAIL never passes one: when `complete` has returned, the count only falls.
 *            I4 What dies with a thread: the item it was adding or had just taken, and, inside an add, one spare block. With all spares
 *               gone adds find no room.
 * Pairings   [P1] add writes the block before its CAS of the cell; take loads the cell before it reads: what it reads is whole.
 *            [P2] take reads the block before its CAS of the cell; add wins that cell and gives its block away after it, so whoever writes to it
 *                 does so after the take. A take that read a block which was written to meanwhile loses its CAS.
 *            [P3] a waiter announces itself, loads the epoch, looks again, and waits on that epoch; who brings something raises the
 *                 epoch, then loads the announcements. Either the look finds it, or the wait sees another epoch or is woken.
 *            [P4] complete and add compete for one cell by CAS: an add either comes before, or finds the position closed.
 * Liveness   Lock-free: a lost CAS is somebody else's won one, a lagging counter is helped on. A thread that ends between a move and its wake-up
 *            has woken nobody: so waits are LOOK_AGAIN_MS long, then one looks again. One that ends while it waits stays counted
 *            in WAITERS: others notify in vain. Limits: between its load and its CAS a thread would have to stand still
 *            while 2^28 positions or more go by to be fooled (ABA).
 * Sources    Tsigas, Zhang, "A simple, fast and scalable non-blocking concurrent FIFO queue", SPAA 2001, with laps in place of two nulls;
 *            blocks change hands with the cell's CAS. ECMA-262 memory model.
 *            Model test: test/shared/item-ring.model.test.ts
 */

import { threadId } from "node:worker_threads";
import { add, compareExchange, load, notify, store, wait, waitAsync } from "./atomics.ts";

const HEAD = 0;
/** What one can wait for; also the index of its epoch. */
export const ITEMS = 1;
export const ROOM = 2;
/** From an epoch to the count of its waiters. */
const WAITERS = 2;
const TAIL = 16;
// Plain: written before anybody else has the buffer.
const FORMAT = 32;
const CAPACITY = 33;
const ITEM_BYTES = 34;
const HEADER_WORDS = 48;

/** Which protocol this is: a buffer of another version of this file is refused. */
const THIS_FORMAT = 0x5be10002;

const FULL = 1 << 30;
/** The sign: `CLOSED` is below 0. */
const CLOSED = 1 << 31;
const FLAG_BITS = 2;

/** How long anybody sleeps before looking again: whoever should have woken it may have died before that. */
const LOOK_AGAIN_MS = 1000;

// As many spare blocks as fit into so many bytes, between so few and so many.
const SPARE_BYTES = 2 ** 26;
const MIN_SPARES = 4;
const MAX_SPARES = 256;

export type AwaitedSide = typeof ITEMS | typeof ROOM;

/** What somebody finds at the tail who wants to add. */
type AtTail = "room" | "full" | "closed" | "lagging" | "stale";

function sparesFor(itemBytes: number): number {
  return Math.max(MIN_SPARES, Math.min(MAX_SPARES, Math.floor(SPARE_BYTES / itemBytes)));
}

/** How many bytes a ring takes. */
export function ringBytes(capacity: number, itemBytes: number): number {
  const spares = sparesFor(itemBytes);
  return (HEADER_WORDS + capacity + spares + (capacity + spares) * (1 + itemBytes / 4)) * 4;
}

export class ItemRing {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  readonly itemBytes: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #spares: number;
  /** Where the places of spare blocks begin. */
  readonly #places: number;
  readonly #blocks: number;
  readonly #blockWords: number;
  readonly #lapShift: number;
  readonly #blockBits: number;
  readonly #lapMask: number;
  /** This thread's mark in a place that it has taken. */
  readonly #taken: number = -1 - threadId;
  /** Where this object has last found a spare block. */
  #lastPlace = 0;

  /** Over a buffer that `create` made, perhaps on another thread. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.capacity = this.#words[CAPACITY] ?? 0;
    this.itemBytes = this.#words[ITEM_BYTES] ?? 0;
    this.#spares = sparesFor(this.itemBytes);
    this.#places = HEADER_WORDS + this.capacity;
    this.#blocks = this.#places + this.#spares;
    this.#blockWords = 1 + this.itemBytes / 4;
    this.#lapShift = 31 - Math.clz32(this.capacity);
    this.#blockBits = 32 - Math.clz32(this.capacity + this.#spares - 1);
    this.#lapMask = 2 ** (32 - FLAG_BITS - this.#blockBits) - 1;
  }

  /**
   * @param capacity a power of two, at least 2.
   * @param itemBytes a multiple of 4.
   * @param start the first position: for tests next to the overflow.
   */
  static create(capacity: number, itemBytes: number, start: number = 0): ItemRing {
    const buffer = new SharedArrayBuffer(ringBytes(capacity, itemBytes));
    const words = new Int32Array(buffer);
    words[FORMAT] = THIS_FORMAT;
    words[CAPACITY] = capacity;
    words[ITEM_BYTES] = itemBytes;
    const ring = new ItemRing(buffer);
    words[HEAD] = start;
    words[TAIL] = start;
    for (let i = 0; i < capacity; i++) {
      const position = (start + i) | 0;
      words[ring.#cell(position)] = ring.#lap(position) | i;
    }
    for (let j = 0; j < ring.#spares; j++) words[ring.#places + j] = capacity + j + 1;
    return ring;
  }

  /** Whether `buffer` can be that of a ring. */
  static isRing(buffer: unknown): buffer is SharedArrayBuffer {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < HEADER_WORDS * 4) return false;
    const words = new Int32Array(buffer, 0, HEADER_WORDS);
    return (
      words[FORMAT] === THIS_FORMAT &&
      buffer.byteLength === ringBytes(words[CAPACITY] ?? 0, words[ITEM_BYTES] ?? 0)
    );
  }

  /** How many items there are: exact while nobody adds or takes. */
  get count(): number {
    const tail = this.#settledTail();
    const head = this.#settledHead();
    return Math.max(0, (tail - head) | 0);
  }

  /** Whether there was nothing to take: the cell at the head decides. */
  get isEmpty(): boolean {
    const words = this.#words;
    const head = this.#settledHead();
    return (load(words, this.#cell(head)) & FULL) === 0; // [P1]
  }

  /** Nothing is added any more: what a take misses after this will never come. */
  get isCompleted(): boolean {
    const words = this.#words;
    const tail = this.#settledTail();
    return load(words, this.#cell(tail)) < 0; // [P4] CLOSED; nobody goes past it
  }

  tryAdd(item: Uint8Array): "added" | "full" | "completed" {
    const words = this.#words;
    const refusal = this.#refusal();
    if (refusal !== null) return refusal;
    // Twice round: others give theirs back meanwhile.
    for (let search = 2 * this.#spares; search > 0; search--) {
      const place = this.#lastPlace;
      const spare = load(words, this.#places + place); // [P2] a first guess, settled by the CAS
      // [P2] the CAS decides who may write to the block
      if (spare > 0 && compareExchange(words, this.#places + place, spare, this.#taken) === spare)
        return this.#addFrom(place, spare - 1, item);
      this.#lastPlace = place + 1 === this.#spares ? 0 : place + 1;
    }
    return "full";
  }

  /** The oldest item, or undefined. */
  tryTake(): Uint8Array | undefined {
    const words = this.#words;
    for (;;) {
      const head = load(words, HEAD); // [unpaired] a hint, the cell decides
      const cell = this.#cell(head);
      const seen = load(words, cell); // [P1]
      const lap = this.#lapOf(seen);
      if (lap === this.#lap(head)) {
        if ((seen & FULL) === 0) {
          // The head may have moved on and come round while this thread stood still.
          if (load(words, HEAD) === head) return undefined; // [P3] the look of a waiter
          continue;
        }
        const block = this.#block(seen);
        // Plain reads, of a block that may be another's by now: then the CAS fails, and any length will do (I2).
        const length = Math.min((words[block] ?? 0) >>> 0, this.itemBytes);
        const item = this.#bytes.slice((block + 1) * 4, (block + 1) * 4 + length);
        const next = this.#lap((head + this.capacity) | 0) | (seen & CLOSED) | this.#blockOf(seen);
        if (compareExchange(words, cell, seen, next) !== seen) continue; // [P2]
        compareExchange(words, HEAD, head, (head + 1) | 0); // [unpaired] I1: helping, may fail
        this.#raise(ROOM);
        return item;
      }
      if (lap === this.#lap((head + this.capacity) | 0)) compareExchange(words, HEAD, head, (head + 1) | 0); // [unpaired] I1: the counter lags, help
    }
  }

  /** Nothing is added from here on; wakes everybody. */
  complete(): void {
    const words = this.#words;
    for (;;) {
      const tail = this.#settledTail();
      const cell = this.#cell(tail);
      const seen = load(words, cell); // [P4]
      const found = this.#atTail(tail, seen);
      if (found === "lagging" || found === "stale") continue;
      // [P4] When another has closed it, or is just adding there, look again.
      if (found === "closed" || compareExchange(words, cell, seen, seen | CLOSED) === seen) break;
    }
    // Also when it was closed before: whoever did it may have died before this.
    this.#raise(ITEMS);
    this.#raise(ROOM);
  }

  /** Before `epoch`: from here on this thread is woken. */
  announce(what: AwaitedSide): void {
    add(this.#words, what + WAITERS, 1); // [P3]
  }

  withdraw(what: AwaitedSide): void {
    add(this.#words, what + WAITERS, -1); // [P3]
  }

  epoch(what: AwaitedSide): number {
    return load(this.#words, what); // [P3]
  }

  /** Blocks until something may have come since `epoch`, or the time has run out; whichever, look again. */
  sleep(what: AwaitedSide, epoch: number, timeoutMs: number): void {
    // [P3] Only for threads that may block: the caller has made sure. "ok", "not-equal", "timed-out": look again.
    wait(this.#words, what, epoch, Math.min(timeoutMs, LOOK_AGAIN_MS));
  }

  /** The same without blocking; null when something has come already. */
  sleepAsync(what: AwaitedSide, epoch: number): Promise<unknown> | null {
    return waitAsync(this.#words, what, epoch, LOOK_AGAIN_MS); // [P3]
  }

  /**
   * Fills the block that was taken from `place`, then the cell at the tail. On the way to a free cell no function is entered
   * from the claim on: terminated, a thread stops where it enters one.
   */
  #addFrom(place: number, block: number, item: Uint8Array): "added" | "full" | "completed" {
    const words = this.#words;
    const start = this.#blocks + block * this.#blockWords;
    words[start] = item.length; // I2
    this.#bytes.set(item, (start + 1) * 4); // I2
    for (;;) {
      const tail = load(words, TAIL); // [unpaired] a hint, the cell decides
      const cell = HEADER_WORDS + (tail & (this.capacity - 1));
      const seen = load(words, cell); // [P4]
      const lap = (((tail >>> this.#lapShift) & this.#lapMask) << this.#blockBits) | 0;
      if (
        (seen & (FULL | CLOSED | (this.#lapMask << this.#blockBits))) === lap &&
        // [P1] [P4]
        compareExchange(words, cell, seen, lap | FULL | block) === seen
      ) {
        const old = seen & ((1 << this.#blockBits) - 1);
        store(words, this.#places + place, old + 1); // [P2] the block of the cell is spare now
        compareExchange(words, TAIL, tail, (tail + 1) | 0); // [unpaired] I1: helping, may fail
        this.#raise(ITEMS);
        return "added";
      }
      const refusal = this.#refusal();
      if (refusal === null) continue;
      store(words, this.#places + place, block + 1); // [P2] as it was
      return refusal;
    }
  }

  /** Why nothing can be added now; null when there is room. */
  #refusal(): "full" | "completed" | null {
    const words = this.#words;
    for (;;) {
      const tail = this.#settledTail();
      const found = this.#atTail(tail, load(words, this.#cell(tail))); // [P4]
      if (found === "room") return null;
      if (found === "closed") return "completed";
      // The tail may have moved on since: then this says nothing about it.
      if (found === "full" && load(words, TAIL) === tail) return "full"; // [P3] the look of a waiter
    }
  }

  /** The first position that is not filled, or was not a moment ago. */
  #settledTail(): number {
    const words = this.#words;
    for (;;) {
      const tail = load(words, TAIL); // [unpaired] a hint, the cell decides
      const found = this.#atTail(tail, load(words, this.#cell(tail))); // [P4]
      if (found === "lagging") compareExchange(words, TAIL, tail, (tail + 1) | 0); // [unpaired] I1: the counter lags, help
      else if (found !== "stale") return tail;
    }
  }

  /** The first position that is not taken, or was not a moment ago. */
  #settledHead(): number {
    const words = this.#words;
    for (;;) {
      const head = load(words, HEAD); // [unpaired] a hint, the cell decides
      const lap = this.#lapOf(load(words, this.#cell(head))); // [P1]
      if (lap === this.#lap(head)) return head;
      if (lap === this.#lap((head + this.capacity) | 0)) compareExchange(words, HEAD, head, (head + 1) | 0); // [unpaired] I1: the counter lags, help
    }
  }

  #atTail(tail: number, seen: number): AtTail {
    const lap = this.#lapOf(seen);
    if (lap === this.#lap(tail)) {
      if ((seen & FULL) !== 0) return "lagging";
      return seen < 0 ? "closed" : "room";
    }
    // Filled and taken again, before its producer moved the counter.
    if (lap === this.#lap((tail + this.capacity) | 0)) return "lagging";
    // Holds what was filled one lap before.
    if (lap === this.#lap((tail - this.capacity) | 0)) return seen < 0 ? "closed" : "full";
    return "stale";
  }

  #raise(what: AwaitedSide): void {
    add(this.#words, what, 1); // [P3]
    const waiters = load(this.#words, what + WAITERS); // [P3]
    if (waiters > 0) notify(this.#words, what); // [P3]
  }

  #cell(position: number): number {
    return HEADER_WORDS + (position & (this.capacity - 1));
  }

  /** The lap of a position, at its place in a cell. */
  #lap(position: number): number {
    return ((position >>> this.#lapShift) & this.#lapMask) << this.#blockBits;
  }

  #lapOf(cell: number): number {
    return cell & (this.#lapMask << this.#blockBits);
  }

  #blockOf(cell: number): number {
    return cell & ((1 << this.#blockBits) - 1);
  }

  /** The word at which the block of a cell begins. */
  #block(cell: number): number {
    return this.#blocks + this.#blockOf(cell) * this.#blockWords;
  }
}
