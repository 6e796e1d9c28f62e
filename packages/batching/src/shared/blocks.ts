/**
 * Blocks: memory for items, claimed by any thread, freed by the owner.
 *
 * Words      BITS[w] @ layout.bitmapWord + w: one bit for each block
 * State      | bit | means                                                                        | written by             |
 *            | 0   | free                                                                         | owner; a claimer that gives up |
 *            | 1   | claimed, linked (arrivals.ts), being read by the owner, withheld, or lost    | any thread; owner first |
 * Moves      b1 claim: BITS w → w | mask, by CAS, where w & mask = 0       b2 free: BITS w → w & ~mask, by whoever holds the blocks
 * Invariants I1 A bit goes from 0 to 1 only by the CAS of one thread, which then holds the block until it is linked or freed.
 *            I2 The word is the whole state: a CAS that finds the value it saw is right whatever happened in between (no ABA).
 *            I3 A block whose holder died is never used again. It cannot be known whether the holder died or only stands still,
 *               and a block taken from a thread that stands still would be written by two.
 * Pairings   [B1] the owner reads a block, then clears its bit; a producer sets the bit, then writes the block.
 * Liveness   Lock-free. A thread that dies between claim and link leaves its blocks claimed, and blocks nobody else. The owner
 *            makes up for them: half of all blocks are withheld at first, and `audit` lets one of them go for each block that
 *            looks lost, which means claimed, not linked, and not freed between two audits. A wrong guess only makes the
 *            memory larger by one block. Untouched memory of the withheld half is not resident.
 * Sources    ECMA-262 memory model. Tests: test/shared/blocks.test.ts, test/shared-stress.test.ts
 */
import { cas, clearBits, load } from "./atomics.ts";
import { BLOCKS_PER_WORD } from "./segment-layout.ts";
import type { SegmentLayout } from "./segment-layout.ts";

export class Blocks {
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #count: number;
  /** Where this thread found room last: threads that begin at different words do not meet. */
  #hint: number;

  constructor(words: Int32Array, layout: SegmentLayout, hint: number) {
    this.#words = words;
    this.#base = layout.bitmapWord;
    this.#count = layout.bitmapWords;
    this.#hint = hint % layout.bitmapWords;
  }

  /**
   * Claims `count` blocks and puts their numbers into `into`, from index 0.
   * @returns false, and nothing is claimed, when there are not as many.
   */
  claim(count: number, into: Int32Array): boolean {
    let have = 0;
    for (let step = 0; step < this.#count; step++) {
      const w = (this.#hint + step) % this.#count;
      have = this.#claimIn(w, have, count, into);
      if (have === count) {
        this.#hint = w;
        return true;
      }
    }
    this.free(into, have);
    return false;
  }

  /** Gives back the first `count` of `blocks`, which this thread holds. */
  free(blocks: Int32Array, count: number): void {
    for (let i = 0; i < count;) {
      const w = blocks[i]! >>> 5;
      let mask = 0;
      while (i < count && blocks[i]! >>> 5 === w) mask |= 1 << (blocks[i++]! & 31);
      clearBits(this.#words, this.#base + w, mask); // [B1]
    }
  }

  /** Takes free blocks of word `w` until there are `wanted`. @returns how many there are now. */
  #claimIn(w: number, have: number, wanted: number, into: Int32Array): number {
    for (;;) {
      const seen = load(this.#words, this.#base + w); // [unpaired] the CAS decides
      let free = ~seen;
      let mask = 0;
      let found = have;
      while (free !== 0 && found < wanted) {
        const bit = 31 - Math.clz32(free & -free);
        mask |= 1 << bit;
        free &= free - 1;
        into[found++] = w * BLOCKS_PER_WORD + bit;
      }
      if (mask === 0 || cas(this.#words, this.#base + w, seen, seen | mask)) return found; // [B1] I2
    }
  }
}

/** The owner's books: what is withheld, and what looks lost. */
export class BlockAudit {
  readonly #words: Int32Array;
  readonly #layout: SegmentLayout;
  /** Blocks that were claimed at the last audit and have not been freed since. */
  readonly #suspects: Int32Array;
  readonly #lost: Int32Array;
  #withheldFrom: number;
  #lostCount = 0;

  constructor(words: Int32Array, layout: SegmentLayout) {
    this.#words = words;
    this.#layout = layout;
    this.#suspects = new Int32Array(layout.bitmapWords);
    this.#lost = new Int32Array(layout.bitmapWords);
    this.#withheldFrom = layout.blocks;
    // Plain: no other thread has seen the memory.
    words.fill(
      -1,
      layout.bitmapWord + layout.blocks / BLOCKS_PER_WORD,
      layout.bitmapWord + layout.bitmapWords,
    );
  }

  /** How many blocks were made up for. */
  get lostCount(): number {
    return this.#lostCount;
  }

  noteFreed(block: number): void {
    this.#suspects[block >>> 5]! &= ~(1 << (block & 31));
    this.#lost[block >>> 5]! &= ~(1 << (block & 31));
  }

  /** Call when nothing is linked and the owner holds nothing, not oftener than a thread may stand still. */
  run(): void {
    for (let w = 0; w < this.#layout.bitmapWords; w++) {
      // [unpaired] compared with the last audit
      const claimed = load(this.#words, this.#layout.bitmapWord + w) & ~this.#withheldIn(w);
      let lost = claimed & this.#suspects[w]! & ~this.#lost[w]!;
      this.#suspects[w] = claimed;
      this.#lost[w]! |= lost;
      for (; lost !== 0; lost &= lost - 1) this.#makeUp();
    }
  }

  #makeUp(): void {
    this.#lostCount++;
    if (this.#withheldFrom === this.#layout.totalBlocks) return;
    const block = this.#withheldFrom++;
    clearBits(this.#words, this.#layout.bitmapWord + (block >>> 5), 1 << (block & 31)); // [B1] nobody has used it
  }

  #withheldIn(w: number): number {
    const first = this.#withheldFrom - w * BLOCKS_PER_WORD;
    if (first >= BLOCKS_PER_WORD) return 0;
    return first <= 0 ? -1 : -1 << first;
  }
}
