import { Buffer } from "node:buffer";
import { Arrivals } from "./arrivals.ts";
import { BlockAudit, Blocks } from "./blocks.ts";
import { BLOCK_BYTES, layoutFor } from "./segment-layout.ts";
import type { SegmentLayout } from "./segment-layout.ts";

export type WriteOutcome = "accepted" | "full" | "closed";

/** The shared memory of one slot, as a thread that pushes sees it. */
export class SegmentWriter {
  readonly #layout: SegmentLayout;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #blocks: Blocks;
  readonly #arrivals: Arrivals;
  /** The blocks of the item being written. */
  readonly #claimed: Int32Array;

  /** @param hint Any number; different threads should have different ones. */
  constructor(buffer: SharedArrayBuffer, sharedBytes: number, hint: number) {
    this.#layout = layoutFor(sharedBytes);
    this.#words = new Int32Array(buffer, 0, this.#layout.dataByte / 4);
    this.#bytes = new Uint8Array(buffer, this.#layout.dataByte);
    this.#blocks = new Blocks(this.#words, this.#layout, hint);
    this.#arrivals = new Arrivals(this.#words, this.#layout);
    this.#claimed = new Int32Array(this.#layout.blocks);
  }

  get limitBytes(): number {
    return this.#layout.blocks * BLOCK_BYTES;
  }

  isClosed(): boolean {
    return this.#arrivals.isClosed();
  }

  /** @param item At most `limitBytes` long. */
  write(item: Uint8Array): WriteOutcome {
    const { moreWord, lengthWord } = this.#layout;
    const count = Math.max(1, Math.ceil(item.length / BLOCK_BYTES));
    const claimed = this.#claimed;
    if (!this.#blocks.claim(count, claimed)) return this.#arrivals.isClosed() ? "closed" : "full";
    // Plain writes: the blocks are this thread's alone until they are linked.
    const first = claimed[0]!;
    this.#words[lengthWord + first] = item.length;
    if (count === 1) {
      this.#bytes.set(item, first * BLOCK_BYTES);
    } else {
      for (let i = 0; i < count; i++) {
        const block = claimed[i]!;
        if (i + 1 < count) this.#words[moreWord + block] = claimed[i + 1]!;
        this.#bytes.set(item.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES), block * BLOCK_BYTES);
      }
    }
    if (this.#arrivals.link(first)) return "accepted";
    this.#blocks.free(claimed, count);
    return "closed";
  }
}

/** The same memory as its owner sees it. */
export class SegmentReader {
  readonly buffer: SharedArrayBuffer;
  readonly arrivals: Arrivals;
  readonly audit: BlockAudit;
  readonly #layout: SegmentLayout;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #blocks: Blocks;
  readonly #held: Int32Array;

  constructor(sharedBytes: number) {
    this.#layout = layoutFor(sharedBytes);
    this.buffer = new SharedArrayBuffer(this.#layout.byteLength);
    this.#words = new Int32Array(this.buffer, 0, this.#layout.dataByte / 4);
    this.#bytes = new Uint8Array(this.buffer, this.#layout.dataByte);
    this.audit = new BlockAudit(this.#words, this.#layout);
    this.#blocks = new Blocks(this.#words, this.#layout, 0);
    this.arrivals = new Arrivals(this.#words, this.#layout);
    this.#held = new Int32Array(this.#layout.totalBlocks);
  }

  /** A copy of the item that begins at block `first`, whose blocks are free afterwards. */
  read(first: number): Buffer {
    const { moreWord, lengthWord } = this.#layout;
    // Plain reads: ordered by the exchange that took the item [A1].
    const length = this.#words[lengthWord + first]!;
    const item = Buffer.allocUnsafe(length);
    let block = first;
    let count = 0;
    for (let at = 0; ; at += BLOCK_BYTES) {
      const size = Math.min(BLOCK_BYTES, length - at);
      item.set(this.#bytes.subarray(block * BLOCK_BYTES, block * BLOCK_BYTES + size), at);
      this.#held[count++] = block;
      this.audit.noteFreed(block);
      if (at + size === length) break;
      block = this.#words[moreWord + block]!;
    }
    this.#blocks.free(this.#held, count);
    return item;
  }
}
