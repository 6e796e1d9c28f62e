/**
 * Ring: a bounded queue of slot numbers, any number of producers and consumers, first in, first out.
 *
 * Words      TAIL    @ base        next position to fill
 *            HEAD    @ base + 16   next position to take
 *            CELL[i] @ base + 32   position p lives in cell p & mask
 * State      A cell packs the lap of the position it waits for with its content, `lap << 17 | slot + 1`:
 *            | cell         | means                                | written by                       |
 *            | (lap, 0)     | empty, waits for position lap·n + i  | consumer that took the lap before |
 *            | (lap, s + 1) | slot s, put at position lap·n + i    | producer                         |
 * Moves      push: CELL (lap, 0) → (lap, s + 1), then TAIL t → t + 1    pop: CELL (lap, s + 1) → (lap + 1, 0), then HEAD h → h + 1
 *            help: TAIL t → t + 1 when CELL[t] is full or was taken already, HEAD h → h + 1 when CELL[h] was taken
 * Invariants I1 The cell's CAS is the whole move; the counters only follow, and whoever finds one lagging moves it on.
 *               So a thread that is ended between the two (terminate runs no finally) blocks nobody and loses nothing.
 *            I2 Positions are filled in order and taken in order, because a counter passes a position only after its cell moved.
 *               So TAIL ≤ first position not filled ≤ TAIL + 1 and HEAD ≤ first position not taken ≤ HEAD + 1.
 *               A lagging TAIL may be behind HEAD: the queue is empty when CELL[HEAD] is, whatever TAIL says.
 * Pairings   [R1] push CASes the cell, then the producer loads the parking words; a thread stores its parking word, then loads the
 *                 cell at the head (parking.ts P1). Either the producer sees the parking word, or the thread sees the cell.
 *            [R2] a producer's plain writes to the slot come before its cell CAS; a consumer's reads come after its own.
 * Liveness   Lock-free: a failed CAS or a loop means that another thread moved, or that this one has helped a counter on.
 *            Limits: 17 bits of slot, 15 of lap. A thread would have to stand still between its load and its CAS while the queue
 *            goes round 32 768 times to be fooled (ABA). Counters wrap at 2^32, a multiple of every lap; no two are compared by size.
 * Sources    Tsigas, Zhang, "A simple, fast and scalable non-blocking concurrent FIFO queue", SPAA 2001, with laps in
 *            place of two nulls. Model test: test/shared/ring.model.test.ts
 */
import { cas, load, pause } from "./atomics.ts";
import { LINE_WORDS } from "./layout.ts";

const SLOT_BITS = 17;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const LAP_MASK = 0x7fff;
/** About 10 µs. */
const MAX_PAUSES = 256;
/** What `pop` returns when there is nothing. */
export const EMPTY = -1;

/**
 * Whether a thread takes an entry, asked before it does: for threads that may not take every job. The slot is nobody's yet: its plain
 * words may change while they are read, and then the claim fails, or the answer is wrong; who asks must bear that.
 */
export type Accepts = (slot: number) => boolean;

export class Ring {
  readonly #words: Int32Array;
  readonly #tail: number;
  readonly #head: number;
  readonly #cells: number;
  readonly #mask: number;
  readonly #lapShift: number;
  /** How long `pop` waits after a cell was taken before its eyes: twice as long each time, half as long after each success. */
  #pauses = 0;
  /** The position of the last successful `pop` of this object: the ticket that the slot must show. */
  poppedPosition = 0;

  /**
   * @param cells A power of two.
   */
  constructor(words: Int32Array, baseWord: number, cells: number) {
    this.#words = words;
    this.#tail = baseWord;
    this.#head = baseWord + LINE_WORDS;
    this.#cells = baseWord + 2 * LINE_WORDS;
    this.#mask = cells - 1;
    this.#lapShift = 31 - Math.clz32(cells);
  }

  /**
   * Before any other thread sees the memory. Only tests call it, to begin next to the wrap-around: new memory, which is all zeros, is an
   * empty ring at position 0, and is left untouched.
   */
  initialize(start = 0): void {
    this.#words[this.#tail] = start;
    this.#words[this.#head] = start;
    for (let i = 0; i <= this.#mask; i++) {
      const position = (start + i) | 0;
      this.#words[this.#cells + (position & this.#mask)] = this.#lap(position) << SLOT_BITS;
    }
  }

  /**
   * Puts `slot` at the tail. Before each attempt it writes the position into `tickets[ticketIndex]`, which must be a
   * word of the slot that nobody else writes.
   * @returns false when the ring is full.
   */
  push(slot: number, tickets: Int32Array, ticketIndex: number): boolean {
    for (;;) {
      const tail = load(this.#words, this.#tail); // [R1] the counter is a hint, the cell decides
      const cell = this.#cells + (tail & this.#mask);
      const empty = this.#lap(tail) << SLOT_BITS;
      tickets[ticketIndex] = tail; // plain: published by the CAS below [R2]
      // [R1] [R2]
      if (cas(this.#words, cell, empty, empty | (slot + 1))) {
        cas(this.#words, this.#tail, tail, (tail + 1) | 0); // [unpaired] I1: helping, may fail
        return true;
      }
      const seen = load(this.#words, cell); // [unpaired] decides only between full and lagging
      const lap = this.#lapOf(seen);
      if ((lap === this.#lap(tail) && (seen & SLOT_MASK) !== 0) || lap === this.#lap(tail + this.#mask + 1)) {
        // Filled, or filled and taken again, before its producer moved the counter.
        cas(this.#words, this.#tail, tail, (tail + 1) | 0); // [unpaired] I1: the counter lags, help
      } else if (lap === this.#lap(tail - this.#mask - 1)) {
        // The cell still holds the lap before. If the tail has not moved, nobody has taken it yet.
        if (load(this.#words, this.#tail) === tail) return false; // [unpaired] see above
      }
    }
  }

  /** Takes the slot at the head, or EMPTY; also EMPTY when `accepts` says no. */
  pop(accepts: Accepts | null = null): number {
    for (;;) {
      const head = load(this.#words, this.#head); // [R2] a hint, the cell decides
      const cell = this.#cells + (head & this.#mask);
      const seen = load(this.#words, cell); // [R1] the search of parking.ts P1
      const lap = this.#lap(head);
      if (this.#lapOf(seen) === lap) {
        if ((seen & SLOT_MASK) === 0) {
          // The head may have moved on and come round while this thread stood still.
          if (load(this.#words, this.#head) === head) return EMPTY; // [R1]
          continue;
        }
        if (accepts !== null && !accepts((seen & SLOT_MASK) - 1)) return EMPTY;
        // [R2]
        if (cas(this.#words, cell, seen, this.#lap(head + this.#mask + 1) << SLOT_BITS)) {
          cas(this.#words, this.#head, head, (head + 1) | 0); // [unpaired] I1: helping, may fail
          this.#pauses >>= 1;
          this.poppedPosition = head;
          return (seen & SLOT_MASK) - 1;
        }
        this.#backOff();
      } else if (this.#lapOf(seen) === this.#lap(head + this.#mask + 1)) {
        cas(this.#words, this.#head, head, (head + 1) | 0); // [unpaired] I1: the counter lags, help
      }
    }
  }

  /** Many threads that all go for each entry pass its cache line round, for nothing: 128 of them at an eighth of the rate (bench/results/simulation). */
  #backOff(): void {
    this.#pauses = Math.min(MAX_PAUSES, 2 * this.#pauses + 1);
    for (let i = 0; i < this.#pauses; i++) pause();
  }

  /** Whether there was nothing to take. The cell at the head decides: the tail may lag behind it (I2). */
  isEmpty(): boolean {
    for (;;) {
      const head = load(this.#words, this.#head); // [R1] a hint, the cell decides
      const seen = load(this.#words, this.#cells + (head & this.#mask)); // [R1]
      const lap = this.#lapOf(seen);
      if (lap === this.#lap(head)) return (seen & SLOT_MASK) === 0;
      if (lap === this.#lap(head + this.#mask + 1)) {
        cas(this.#words, this.#head, head, (head + 1) | 0); // [unpaired] I1: the counter lags, help
      }
    }
  }

  /** How many entries there are, those of withdrawn jobs included. */
  get size(): number {
    const head = load(this.#words, this.#head); // [unpaired] statistic only
    return Math.max(0, (load(this.#words, this.#tail) - head) | 0); // [unpaired] statistic only
  }

  /** Whether `slot` still waits at `position`; exact only for a caller that alone pushes this slot. */
  holds(slot: number, position: number): boolean {
    const seen = load(this.#words, this.#cells + (position & this.#mask)); // [unpaired] recovery after a thread died
    return this.#lapOf(seen) === this.#lap(position) && (seen & SLOT_MASK) === slot + 1;
  }

  #lap(position: number): number {
    return (position >>> this.#lapShift) & LAP_MASK;
  }

  #lapOf(cell: number): number {
    return (cell >>> SLOT_BITS) & LAP_MASK;
  }
}
