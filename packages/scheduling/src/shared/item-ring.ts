/**
 * A bounded ring of items in shared memory: any thread adds, any thread takes, and those who find nothing can wait.
 *
 * Words      GATE       COMPLETED bit; below it how many threads are inside `tryAdd`
 *            HEAD, TAIL tickets of the next take and the next add; they wrap
 *            EPOCHS     one for items and one for room: up by one whenever some has come
 *            WAITERS    one for items and one for room: who waits, or is about to
 *            per slot   SEQUENCE, LENGTH, then the bytes of the item
 * State      | SEQUENCE of a slot | means                           | written by             |
 *            | ticket             | free for the add of that ticket | whoever took before it |
 *            | ticket + 1         | holds the item of that ticket   | whoever added it       |
 * Moves      add  CAS TAIL from t to t+1 while SEQUENCE is t; write the item; store t+1
 *            take CAS HEAD from t to t+1 while SEQUENCE is t+1; read the item; store t+capacity
 * Invariants I1 bytes and LENGTH are touched only between a won CAS and the store of SEQUENCE: plain accesses are safe.
 *            I2 after `complete` has returned nothing is added: it waits until nobody is inside `tryAdd`.
 *            I3 capacity is at least 2: with one slot the two states of SEQUENCE would be one number.
 * Pairings   [P1] add stores SEQUENCE after the item; take loads SEQUENCE before it: what it reads is whole.
 *            [P2] take stores SEQUENCE after reading; add loads it before writing: nothing is overwritten unread.
 *            [P3] a waiter announces itself, loads the epoch, looks again, and waits on that epoch; who brings something raises the
 *                 epoch, then loads the announcements. Either the look finds it, or the wait sees another epoch or is woken.
 *            [P4] add enters the gate and then sees COMPLETED, or `complete` sees it inside and waits for it.
 * Liveness   a thread that is terminated inside add or take stops the ring at that slot, and `complete` with it: end threads
 *            between items. Everything else makes progress: a lost CAS is somebody else's won one.
 * Sources    D. Vyukov, bounded MPMC queue; ECMA-262 memory model.
 */

import { add, cas, load, notify, or, store, wait, waitAsync } from "./atomics.ts";

const GATE = 0;
const HEAD = 1;
const TAIL = 2;
/** What one can wait for; also the index of its epoch. */
export const ITEMS = 3;
export const ROOM = 4;
/** From an epoch to the count of its waiters. */
const WAITERS = 2;
const CAPACITY = 7;
const ITEM_BYTES = 8;
const HEADER_WORDS = 16;
const SLOT_HEADER_WORDS = 2;

const COMPLETED = 1 << 30;

export type AwaitedSide = typeof ITEMS | typeof ROOM;

/** How many bytes a ring takes. */
export function ringBytes(capacity: number, itemBytes: number): number {
  return (HEADER_WORDS + capacity * (SLOT_HEADER_WORDS + itemBytes / 4)) * 4;
}

export class ItemRing {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  readonly itemBytes: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;

  /** Over a buffer that `create` made, perhaps on another thread. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    // Plain reads: both were written before anybody else had the buffer.
    this.capacity = this.#words[CAPACITY] ?? 0;
    this.itemBytes = this.#words[ITEM_BYTES] ?? 0;
  }

  /**
   * @param capacity a power of two, at least 2 (I3).
   * @param itemBytes a multiple of 4.
   * @param firstTicket where tickets begin: for tests next to their overflow.
   */
  static create(capacity: number, itemBytes: number, firstTicket: number = 0): ItemRing {
    const buffer = new SharedArrayBuffer(ringBytes(capacity, itemBytes));
    const words = new Int32Array(buffer);
    words[CAPACITY] = capacity;
    words[ITEM_BYTES] = itemBytes;
    const slotWords = SLOT_HEADER_WORDS + itemBytes / 4;
    words[HEAD] = firstTicket;
    words[TAIL] = firstTicket;
    for (let i = 0; i < capacity; i++) {
      const ticket = (firstTicket + i) | 0;
      words[HEADER_WORDS + (ticket & (capacity - 1)) * slotWords] = ticket;
    }
    return new ItemRing(buffer);
  }

  /** Whether `buffer` can be that of a ring. */
  static isRing(buffer: unknown): buffer is SharedArrayBuffer {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < HEADER_WORDS * 4) return false;
    const words = new Int32Array(buffer, 0, HEADER_WORDS);
    return buffer.byteLength === ringBytes(words[CAPACITY] ?? 0, words[ITEM_BYTES] ?? 0);
  }

  get count(): number {
    const head = load(this.#words, HEAD); // [unpaired] two loads are a statistic
    const tail = load(this.#words, TAIL); // [unpaired] two loads are a statistic
    return Math.max(0, (tail - head) | 0);
  }

  get isCompleted(): boolean {
    return (load(this.#words, GATE) & COMPLETED) !== 0; // [P4]
  }

  /** Completed, and the last adder has left: what a take misses after this will never come. */
  get isClosed(): boolean {
    return load(this.#words, GATE) === COMPLETED; // [P4]
  }

  tryAdd(item: Uint8Array): "added" | "full" | "completed" {
    const words = this.#words;
    const isCompleted = (add(words, GATE, 1) & COMPLETED) !== 0; // [P4]
    const outcome = isCompleted ? "completed" : this.#addInside(item);
    const before = add(words, GATE, -1); // [P4]
    if ((before & COMPLETED) !== 0) {
      notify(words, GATE); // [P4]
      // Meanwhile a waiter may have found the ring not yet closed, for this thread's sake alone.
      this.#raise(ITEMS);
      this.#raise(ROOM);
    }
    return outcome;
  }

  /** The oldest item, or undefined. */
  tryTake(): Uint8Array | undefined {
    const words = this.#words;
    for (;;) {
      const ticket = load(words, HEAD); // [unpaired] a first guess, settled by the CAS
      const slot = this.#slot(ticket);
      const lag = (load(words, slot) - ticket - 1) | 0; // [P1]
      if (lag < 0) return undefined;
      // [unpaired] the CAS decides between takers alone
      if (lag > 0 || !cas(words, HEAD, ticket, (ticket + 1) | 0)) continue;
      const start = (slot + SLOT_HEADER_WORDS) * 4;
      const item = this.#bytes.slice(start, start + (words[slot + 1] ?? 0)); // I1
      store(words, slot, (ticket + this.capacity) | 0); // [P2]
      this.#raise(ROOM);
      return item;
    }
  }

  /** Nothing is added from here on; wakes everybody. Waits some microseconds for those who are adding. */
  complete(): void {
    const words = this.#words;
    const before = or(words, GATE, COMPLETED); // [P4]
    if ((before & COMPLETED) !== 0) return;
    for (let gate = load(words, GATE); gate !== COMPLETED; gate = load(words, GATE)) {
      // [P4] Inside the gate nobody blocks, so this thread may, whichever it is. "ok", "not-equal", "timed-out": look again.
      wait(words, GATE, gate, 1);
    }
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

  /** Blocks until something has come since `epoch`, or the time has run out; whichever, look again. */
  sleep(what: AwaitedSide, epoch: number, timeoutMs: number): void {
    // [P3] Only for threads that may block: the caller has made sure.
    wait(this.#words, what, epoch, timeoutMs);
  }

  /** The same without blocking; null when something has come already. */
  sleepAsync(what: AwaitedSide, epoch: number): Promise<unknown> | null {
    return waitAsync(this.#words, what, epoch); // [P3]
  }

  #addInside(item: Uint8Array): "added" | "full" {
    const words = this.#words;
    for (;;) {
      const ticket = load(words, TAIL); // [unpaired] a first guess, settled by the CAS
      const slot = this.#slot(ticket);
      const lag = (load(words, slot) - ticket) | 0; // [P2]
      if (lag < 0) return "full";
      // [unpaired] the CAS decides between adders alone
      if (lag > 0 || !cas(words, TAIL, ticket, (ticket + 1) | 0)) continue;
      words[slot + 1] = item.length; // I1
      this.#bytes.set(item, (slot + SLOT_HEADER_WORDS) * 4); // I1
      store(words, slot, (ticket + 1) | 0); // [P1]
      this.#raise(ITEMS);
      return "added";
    }
  }

  #raise(what: AwaitedSide): void {
    add(this.#words, what, 1); // [P3]
    const waiters = load(this.#words, what + WAITERS); // [P3]
    if (waiters > 0) notify(this.#words, what); // [P3]
  }

  #slot(ticket: number): number {
    return HEADER_WORDS + (ticket & (this.capacity - 1)) * (SLOT_HEADER_WORDS + this.itemBytes / 4);
  }
}
