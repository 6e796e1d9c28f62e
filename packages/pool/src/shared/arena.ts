/**
 * Arena: blocks in one memory. Its owner allocates without atomics; a block that another thread has read comes back over a stack in
 * shared memory. Which memory a thread allocates in, and when that is replaced by another: payloads.ts.
 *
 * The memory is a shared WebAssembly.Memory: it grows in place up to 4 GiB, and whoever holds it sees the growth. So no thread has
 * to be told of it, and typed arrays over it are ordinary ones (those over a growable SharedArrayBuffer are not, and slow down
 * every reader).
 *
 * Words      RETURNED, word 0 of the memory: newest returned block, offset of its payload / 8, 0: none
 *            of each block: SIZE CLASS, LENGTH of the payload, then the payload
 * State      | block     | means                                          | LENGTH holds           | changed by             |
 *            | free      | on its owner's free list of its size           | nothing                | owner                  |
 *            | allocated | named by slots, a context or a function        | the payload's bytes    | owner, then its reader |
 *            | returned  | linked under RETURNED                          | the block before it    | reader                 |
 * Moves      allocate free → allocated        free allocated → free, by the owner        giveBack allocated → returned, by the reader
 *            collect returned → free, by the owner, all at once
 * Invariants I1 A block has one holder at a time; only the holder touches its bytes.
 *            I2 Sizes are 256 bytes times 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, …: above 1 KiB at most a quarter is
 *               wasted, most by a power of two, whose 8 bytes of header lead to the next size. A block keeps its size
 *               until all are free: then sizes are cut anew. Where a memory cannot grow, a larger free block serves a smaller payload.
 *            I3 What a dead thread owned goes with its memory, the stack of returned blocks included: nobody else allocates from it.
 * Pairings   [A1] giveBack's plain write of the link comes before its CAS; collect's exchange comes before its reads.
 * Liveness   Readers push lock-free, the owner takes in one step. Returned blocks stay where they are until their owner allocates
 *            and finds no free block of the size, or collects. giveBack tells nobody: whoever waits for a block looks again by itself.
 * Sources    Treiber's stack, taken as a whole as in inbox.ts; segregated fits, Wilson et al. 1995.
 */
import { SkeinError } from "@skein/context/errors";
import { cas, exchange, load, wait } from "./atomics.ts";
import { copyBytes } from "./copy-bytes.ts";

const PAGE_BYTES = 64 << 10;
const MAX_PAGES = 65_536;
/** Where address space is scarce. */
const FIXED_BYTES = 64 << 20;
const INITIAL_PAGES = 16;
/** At least so much at a time. */
const GROWTH_PAGES = 64;
const UNIT_BYTES = 256;
const HEADER_BYTES = 8;
const RETURNED = 0;
const NONE = 0;
/** `tryAllocate` found no room. No block has this number. */
export const NO_ROOM = 0;

/** A memory that grows in place: what WebAssembly.Memory is, without the library of the DOM. Without `grow` it is what it is. */
export interface GrowingMemory {
  readonly buffer: SharedArrayBuffer;
  grow?(pages: number): number;
}

declare const WebAssembly: {
  Memory: new (options: { initial: number; maximum: number; shared: true }) => GrowingMemory;
};

/**
 * Reserves address space; memory is taken as it is used.
 * @param blockBytes The memory must be able to hold a payload of so many bytes.
 */
export function createArenaMemory(blockBytes = 0): GrowingMemory {
  try {
    return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES, shared: true });
  } catch {
    // Each reserves 10 GiB of address space, which a process may not have (ulimit -v).
    const needed = UNIT_BYTES + unitsOf(classFor(blockBytes)) * UNIT_BYTES;
    return { buffer: new SharedArrayBuffer(Math.max(FIXED_BYTES, needed)) };
  }
}

export class Arena {
  readonly #memory: GrowingMemory;
  /** Free blocks by size class: offsets of their payloads, in units of 8 bytes. */
  readonly #free: number[][] = [];
  #bytes: Uint8Array;
  #words: Int32Array;
  /** The first 256 bytes are for RETURNED. */
  #bump = UNIT_BYTES;
  /** How many are not on a free list, and their sizes in all. */
  #blocks = 0;
  #units = 0;
  #peakUnits = 0;

  constructor(memory: GrowingMemory) {
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
  }

  /**
   * Copies `length` bytes of `source` into a new block.
   * @returns the offset of its payload, a multiple of 8 bytes, in units of 8 bytes.
   * @throws SkeinError 'ERR_SKEIN_ARENA_FULL' when 4 GiB are under way, or the machine has no more.
   */
  store(source: Uint8Array, length: number): number {
    const block = this.allocate(length);
    copyBytes(source, 0, length, this.#bytes, block * 8);
    return block;
  }

  /**
   * A new block for `length` bytes, which the caller writes into `bytes`, from 8 times the returned offset on.
   * @returns and throws as `store`.
   */
  allocate(length: number): number {
    const block = this.tryAllocate(length);
    if (block === NO_ROOM) throw arenaFull(this.sizeBytes);
    return block;
  }

  /** As `allocate`. @returns NO_ROOM where that throws. */
  tryAllocate(length: number): number {
    const sizeClass = classFor(length);
    let block = this.#takeFree(sizeClass);
    if (block === NO_ROOM) block = this.#cut(sizeClass);
    if (block === NO_ROOM) block = this.#takeLarger(sizeClass);
    if (block === NO_ROOM) return NO_ROOM;
    this.#blocks++;
    this.#units += unitsOf(this.#words[block * 2 - 2]!);
    if (this.#units > this.#peakUnits) this.#peakUnits = this.#units;
    this.#words[block * 2 - 1] = length;
    return block;
  }

  /** All of it, until the next allocation. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  free(block: number): void {
    this.#blocks--;
    const sizeClass = this.#words[block * 2 - 2]!;
    this.#units -= unitsOf(sizeClass);
    (this.#free[sizeClass] ??= []).push(block);
  }

  /** Takes back what readers have returned. @returns whether no block is in use. */
  collect(): boolean {
    if (load(this.#words, RETURNED) !== NONE) this.#takeReturned(); // [A1]
    return this.#blocks === 0;
  }

  /** Waits until a reader has returned a block, or for `timeoutMs`. Blocks this thread, which has nothing else to do. */
  waitForReturns(timeoutMs: number): void {
    if (load(this.#words, RETURNED) === NONE) wait(this.#words, RETURNED, NONE, timeoutMs); // [unpaired] see Liveness: all results say "look again"
  }

  get canGrow(): boolean {
    return this.#memory.grow !== undefined;
  }

  /** What the arena has grown to. */
  get sizeBytes(): number {
    return this.#bytes.length;
  }

  /** The most that was in use at once since `restartPeak`, headers and rounding included. */
  get peakBytes(): number {
    return this.#peakUnits * UNIT_BYTES;
  }

  restartPeak(): void {
    this.#peakUnits = this.#units;
  }

  #takeFree(sizeClass: number): number {
    const free = (this.#free[sizeClass] ??= []);
    if (free.length === 0) this.collect();
    return free.pop() ?? NO_ROOM;
  }

  /** A block where none was yet. */
  #cut(sizeClass: number): number {
    if (this.#blocks === 0) this.#cutAnew();
    const start = this.#bump;
    const end = start + unitsOf(sizeClass) * UNIT_BYTES;
    if (end > this.#bytes.length && !this.#grow(end)) return NO_ROOM;
    this.#bump = end;
    this.#words[start / 4] = sizeClass;
    return (start + HEADER_BYTES) / 8;
  }

  #takeLarger(sizeClass: number): number {
    for (let larger = sizeClass + 1; larger < this.#free.length; larger++) {
      const block = this.#free[larger]?.pop();
      if (block !== undefined) return block;
    }
    return NO_ROOM;
  }

  #grow(toBytes: number): boolean {
    const present = this.#bytes.length / PAGE_BYTES;
    const missing = Math.ceil(toBytes / PAGE_BYTES) - present;
    try {
      if (this.#memory.grow === undefined) return false;
      this.#memory.grow(Math.max(missing, Math.min(GROWTH_PAGES, MAX_PAGES - present)));
    } catch {
      return false;
    }
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
    return true;
  }

  /** No block is in use: what was cut into one size may be needed in another. */
  #cutAnew(): void {
    this.#bump = UNIT_BYTES;
    this.#free.length = 0;
  }

  #takeReturned(): void {
    let block = exchange(this.#words, RETURNED, NONE); // [A1]
    while (block !== NONE) {
      const next = this.#words[block * 2 - 1]!; // plain: ordered by the exchange [A1]
      this.free(block);
      block = next;
    }
  }
}

/** @param sizeBytes What is under way. */
export function arenaFull(sizeBytes: number): SkeinError {
  return new SkeinError(
    "ERR_SKEIN_ARENA_FULL",
    `No room for a payload: this thread has ${Math.round(sizeBytes / 2 ** 20)} MiB under way. ` +
      "Await earlier jobs before you submit more",
  );
}

/** The length of the payload of an allocated block, for whoever it was named to. `words` is the memory in which it lies. */
export function lengthOf(words: Int32Array, block: number): number {
  return words[block * 2 - 1]!; // plain: written before the block was named (I1)
}

/** By the reader, who has finished with the block. `words` is the memory in which it lies. */
export function giveBack(words: Int32Array, block: number): void {
  for (;;) {
    const head = load(words, RETURNED); // [A1]
    words[block * 2 - 1] = head; // plain: published by the CAS
    if (cas(words, RETURNED, head, block)) return; // [A1]
  }
}

function classFor(length: number): number {
  return classOf(Math.ceil((length + HEADER_BYTES) / UNIT_BYTES));
}

/** Four sizes per doubling above 4 units (I2). */
function classOf(units: number): number {
  if (units <= 4) return units;
  const shift = 29 - Math.clz32(units - 1);
  return 4 * shift + Math.ceil(units / (1 << shift));
}

function unitsOf(sizeClass: number): number {
  if (sizeClass <= 8) return sizeClass;
  const shift = Math.ceil(sizeClass / 4) - 2;
  return (sizeClass - 4 * shift) * (1 << shift);
}
