/**
 * Arena: payloads that do not fit into a slot. Each thread allocates in segments of its own, without atomics; a block that
 * another thread has read comes back over a stack in shared memory.
 *
 * Words      RETURNED @ layout.returnedWord + 16 w    the newest returned block of thread w, packed + 1, 0: none
 *            first word of a returned block           the block before, packed + 1, 0: end
 * State      | block     | means                                          | changed by             |
 *            | free      | on its owner's free list of its size           | owner                  |
 *            | allocated | named by one slot or one context               | owner, then its reader |
 *            | returned  | linked under RETURNED                          | reader                 |
 * Moves      allocate free → allocated        free allocated → free, by the owner        giveBack allocated → returned, by the reader
 *            collect returned → free, by the owner, all at once
 * Invariants I1 A block has one holder at a time; only the holder touches its bytes.
 *            I2 Block sizes are powers of two from 256 bytes to 1 MiB, cut from segments of 4 MiB. Larger payloads get a segment of
 *               their own, which is dropped when it comes back.
 *            I3 What a dead thread owned goes with its segments: nobody else allocates from them.
 * Pairings   [A1] giveBack's plain write of the link comes before its CAS; collect's exchange comes before its reads.
 * Liveness   Readers push lock-free, the owner takes in one step. Returned blocks stay where they are until their owner allocates
 *            and finds no free block of the size, or a large payload.
 * Sources    Treiber's stack, taken as a whole as in inbox.ts; segregated fits, Wilson et al. 1995.
 */
import { cas, exchange, load } from "./atomics.ts";
import { type Layout, LINE_WORDS } from "./layout.ts";
import { MAX_SEGMENTS, segmentId, segmentIndex } from "./segments.ts";

const MIN_SHIFT = 8;
const MAX_SHIFT = 20;
const SEGMENT_BYTES = 4 << 20;
/** A packed block: `segment index << 14 | offset in units of 256 bytes`, one added so that 0 can mean none. */
const UNIT_BITS = 14;
const NONE = 0;

/** Where a block lies. Held by the allocating thread until it is freed or given away. */
export interface Block {
  readonly segment: number;
  /** In bytes. */
  readonly offset: number;
}

/** How a new segment reaches the other threads, and how they forget one. Called on the owning thread. */
export interface SegmentAnnouncer {
  announce(id: number, buffer: SharedArrayBuffer): void;
  retire(id: number): void;
}

export class Arena {
  readonly #serial: number;
  readonly #returned: ReturnedBlocks | null;
  readonly #announcer: SegmentAnnouncer;
  /** By segment index: its bytes, and the size class of each block by its first unit (0: a segment of its own). */
  readonly #segments: (SharedArrayBuffer | null)[] = [];
  readonly #views: (Uint8Array | null)[] = [];
  readonly #classes: (Uint8Array | null)[] = [];
  /** Free blocks by size class, packed. */
  readonly #free: number[][] = Array.from({ length: MAX_SHIFT + 1 }, () => []);
  #current = -1;
  #bump = SEGMENT_BYTES;

  /** @param returned Where readers give blocks back; null when only this thread frees. */
  constructor(serial: number, announcer: SegmentAnnouncer, returned: ReturnedBlocks | null) {
    this.#serial = serial;
    this.#announcer = announcer;
    this.#returned = returned;
  }

  /** Copies `length` bytes of `source` into a new block. */
  store(source: Uint8Array, length: number): Block {
    const packed = this.#allocate(length);
    const index = packed >> UNIT_BITS;
    const offset = (packed & ((1 << UNIT_BITS) - 1)) << MIN_SHIFT;
    this.#views[index]!.set(length === source.length ? source : source.subarray(0, length), offset);
    return { segment: this.#id(index), offset };
  }

  free(block: Block): void {
    this.#freePacked(pack(block.segment, block.offset));
  }

  /** What is known of the arena's size, in bytes. */
  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + (segment?.byteLength ?? 0), 0);
  }

  /** The segments that a new thread has to know. */
  *segments(): Iterable<[id: number, buffer: SharedArrayBuffer]> {
    for (const [index, buffer] of this.#segments.entries()) {
      if (buffer !== null) yield [this.#id(index), buffer];
    }
  }

  #id(index: number): number {
    return segmentId(this.#serial, index, this.#classes[index] === null);
  }

  #allocate(length: number): number {
    if (length > 1 << MAX_SHIFT) {
      this.#collect();
      return this.#addSegment(length, null) << UNIT_BITS;
    }
    const shift = length <= 1 << MIN_SHIFT ? MIN_SHIFT : 32 - Math.clz32(length - 1);
    const free = this.#free[shift]!;
    if (free.length === 0) this.#collect();
    const reused = free.pop();
    if (reused !== undefined) return reused;
    const size = 1 << shift;
    if (this.#bump + size > SEGMENT_BYTES) {
      this.#current = this.#addSegment(SEGMENT_BYTES, new Uint8Array(1 << UNIT_BITS));
      this.#bump = 0;
    }
    // Blocks lie at multiples of 256 bytes: aligned for every typed array.
    const unit = this.#bump >> MIN_SHIFT;
    this.#bump += size;
    this.#classes[this.#current]![unit] = shift;
    return (this.#current << UNIT_BITS) | unit;
  }

  #addSegment(bytes: number, classes: Uint8Array | null): number {
    let index = this.#segments.indexOf(null);
    if (index < 0) index = this.#segments.length;
    if (index >= MAX_SEGMENTS)
      throw new RangeError("The arena of this thread is full: too many large payloads are under way");
    const buffer = new SharedArrayBuffer(bytes);
    this.#segments[index] = buffer;
    this.#views[index] = new Uint8Array(buffer);
    this.#classes[index] = classes;
    this.#announcer.announce(this.#id(index), buffer);
    return index;
  }

  #freePacked(packed: number): void {
    const index = packed >> UNIT_BITS;
    const classes = this.#classes[index];
    if (classes === null) {
      this.#segments[index] = null;
      this.#views[index] = null;
      this.#announcer.retire(this.#id(index));
      return;
    }
    this.#free[classes![packed & ((1 << UNIT_BITS) - 1)]!]!.push(packed);
  }

  #collect(): void {
    if (this.#returned === null) return;
    let entry = this.#returned.takeAll();
    while (entry !== NONE) {
      const packed = entry - 1;
      const bytes = this.#segments[packed >> UNIT_BITS]!;
      const offset = (packed & ((1 << UNIT_BITS) - 1)) << MIN_SHIFT;
      const next = new Int32Array(bytes, offset, 1)[0]!; // plain: ordered by the exchange [A1]
      this.#freePacked(packed);
      entry = next;
    }
  }
}

/** The way home for the blocks of thread `w`. */
export class ReturnedBlocks {
  readonly #control: Int32Array;
  readonly #word: number;

  constructor(control: Int32Array, layout: Layout, w: number) {
    this.#control = control;
    this.#word = layout.returnedWord + w * LINE_WORDS;
  }

  /** By the reader, who has finished with the block. `bytes` is the block's segment. */
  giveBack(bytes: Uint8Array, segment: number, offset: number): void {
    const link = new Int32Array(bytes.buffer, offset, 1);
    for (;;) {
      const head = load(this.#control, this.#word); // [A1]
      link[0] = head; // plain: published by the CAS
      if (cas(this.#control, this.#word, head, pack(segment, offset) + 1)) return; // [A1]
    }
  }

  /** By the owner. @returns the newest block, packed + 1, linked to the others; 0 when there is none. */
  takeAll(): number {
    if (load(this.#control, this.#word) === NONE) return NONE; // [A1]
    return exchange(this.#control, this.#word, NONE); // [A1]
  }

  /** After the owner died: nothing may be handed to its successor. */
  clear(): void {
    exchange(this.#control, this.#word, NONE); // [unpaired] the owner is dead, the host is the only reader
  }
}

function pack(segment: number, offset: number): number {
  return (segmentIndex(segment) << UNIT_BITS) | (offset >> MIN_SHIFT);
}
