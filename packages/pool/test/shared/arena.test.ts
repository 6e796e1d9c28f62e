import { beforeEach, describe, expect, it } from "vitest";
import { Arena, type Block, ReturnedBlocks } from "../../src/shared/arena.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { MAX_SEGMENTS, segmentIndex } from "../../src/shared/segments.ts";

const MiB = 1 << 20;
const SEGMENT_BYTES = 4 * MiB;
const layout = createLayout(4, 2);

let announced: Map<number, SharedArrayBuffer>;
let retired: number[];
let returned: ReturnedBlocks;
let arena: Arena;

function announcer(): ConstructorParameters<typeof Arena>[1] {
  return {
    announce: (id, buffer) => announced.set(id, buffer),
    retire(id) {
      retired.push(id);
      announced.delete(id);
    },
  };
}

beforeEach(() => {
  announced = new Map();
  retired = [];
  returned = new ReturnedBlocks(new Int32Array(new SharedArrayBuffer(layout.controlBytes)), layout, 1);
  arena = new Arena(7, announcer(), returned);
});

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function bytesOf(block: Block, length: number): Uint8Array {
  return new Uint8Array(announced.get(block.segment)!, block.offset, length);
}

/** As a reader on another thread does it. */
function giveBack(block: Block): void {
  returned.giveBack(new Uint8Array(announced.get(block.segment)!), block.segment, block.offset);
}

describe("Arena", () => {
  it("smoke: a stored payload can be read through the announced segment", () => {
    const source = filled(1000, 9);
    const block = arena.store(source, 600);
    expect(bytesOf(block, 601)).toEqual(Uint8Array.from([...filled(600, 9), 0]));
    expect([...arena.segments()]).toEqual([...announced]);
  });

  it("blocks of every size class lie apart", () => {
    const lengths = [0, 1, 255, 256, 257, 512, 513, 65_536, 65_537, MiB - 1, MiB, MiB + 1, 5 * MiB];
    const blocks = lengths.map((length, i) => arena.store(filled(length, i + 1), length));
    for (const [i, block] of blocks.entries()) {
      const bytes = bytesOf(block, lengths[i]!);
      expect(block.offset % 256).toBe(0);
      expect(bytes.every((byte) => byte === i + 1)).toBe(true);
    }
  });

  it("a freed block is used again for its size, and for no other", () => {
    const block = arena.store(filled(300, 1), 300);
    arena.free(block);
    expect(arena.store(filled(513, 1), 513)).not.toEqual(block);
    expect(arena.store(filled(200, 1), 200)).not.toEqual(block);
    expect(arena.store(filled(512, 1), 512)).toEqual(block);
    expect(arena.store(filled(512, 1), 512)).not.toEqual(block);
  });

  it("announces a segment before the block that needs it, and only then", () => {
    for (let i = 0; i < 4; i++) arena.store(filled(MiB, 1), MiB);
    expect(announced.size).toBe(1);
    const fifth = arena.store(filled(257, 1), 257);
    expect(announced.size).toBe(2);
    expect(announced.has(fifth.segment)).toBe(true);
    expect(fifth.offset).toBe(0);
    expect(arena.sizeBytes).toBe(2 * SEGMENT_BYTES);
  });

  it("a large payload has a segment of its own, which goes when it is freed", () => {
    const small = arena.store(filled(256, 1), 256);
    const large = arena.store(filled(3 * MiB, 2), 3 * MiB);
    expect(announced.get(large.segment)!.byteLength).toBe(3 * MiB);
    arena.free(large);
    expect(retired).toEqual([large.segment]);
    expect([...arena.segments()].map(([id]) => id)).toEqual([small.segment]);
    expect(arena.sizeBytes).toBe(SEGMENT_BYTES);
  });

  it("the index of a large segment is used again, by a large one under the same number, by a common one under another", () => {
    const first = arena.store(filled(2 * MiB, 1), 2 * MiB);
    arena.free(first);
    const second = arena.store(filled(2 * MiB, 2), 2 * MiB);
    expect(second.segment).toBe(first.segment);
    expect(bytesOf(second, 1)).toEqual(filled(1, 2));
    arena.free(second);
    const common = arena.store(filled(256, 3), 256);
    expect(segmentIndex(common.segment)).toBe(segmentIndex(first.segment));
    expect(common.segment).not.toBe(first.segment);
  });

  it("blocks that readers gave back are used again, all of them", () => {
    const blocks = [1, 2, 3].map((value) => arena.store(filled(400, value), 400));
    for (const block of blocks) giveBack(block);
    const again = [4, 5, 6].map((value) => arena.store(filled(400, value), 400));
    expect(new Set(again.map((block) => block.offset))).toEqual(new Set(blocks.map((block) => block.offset)));
    expect(arena.store(filled(400, 7), 400).offset).not.toBe(blocks[0]!.offset);
    expect(again.map((block) => bytesOf(block, 400)[0])).toEqual([4, 5, 6]);
  });

  it("returned blocks of all sizes come home together, large segments included", () => {
    const small = arena.store(filled(256, 1), 256);
    const middle = arena.store(filled(5000, 1), 5000);
    const large = arena.store(filled(2 * MiB, 1), 2 * MiB);
    for (const block of [small, large, middle]) giveBack(block);
    expect(arena.store(filled(256, 1), 256)).toEqual(small);
    expect(retired).toEqual([large.segment]);
    expect(arena.store(filled(4097, 1), 4097)).toEqual(middle);
  });

  it("the last block of the last segment comes back as itself", () => {
    const blocks: Block[] = [];
    for (let i = 0; i < SEGMENT_BYTES / 256; i++) blocks.push(arena.store(filled(256, 1), 256));
    const last = blocks.at(-1)!;
    expect(last.offset).toBe(SEGMENT_BYTES - 256);
    giveBack(last);
    expect(arena.store(filled(256, 1), 256)).toEqual(last);
  });

  it("does not grow while blocks circulate", () => {
    for (let i = 0; i < 20_000; i++) {
      const block = arena.store(filled(1 + ((i * 37) % 3000), 1), 1 + ((i * 37) % 3000));
      if (i % 2 === 0) arena.free(block);
      else giveBack(block);
    }
    expect(arena.sizeBytes).toBe(SEGMENT_BYTES);
  });

  it("refuses more segments than numbers have room for, and goes on afterwards", () => {
    // One byte more than a common block holds; the pages are never touched beyond that.
    const source = new Uint8Array(0);
    const blocks: Block[] = [];
    for (let i = 0; i < MAX_SEGMENTS; i++) blocks.push(arena.store(source, MiB + 1));
    expect(() => arena.store(source, MiB + 1)).toThrow(RangeError);
    arena.free(blocks[1000]!);
    expect(arena.store(source, MiB + 1)).toEqual(blocks[1000]);
  });

  it("teardown: nothing that was given back to a dead thread reaches its successor", () => {
    giveBack(arena.store(filled(256, 1), 256));
    returned.clear();
    const successor = new Arena(8, announcer(), returned);
    const block = successor.store(filled(256, 2), 256);
    expect(block.segment).not.toBe([...arena.segments()][0]![0]);
    expect(returned.takeAll()).toBe(0);
  });

  it("an arena from which only its owner frees needs no way home", () => {
    const own = new Arena(0, announcer(), null);
    const block = own.store(filled(300, 1), 300);
    own.free(block);
    expect(own.store(filled(300, 1), 300)).toEqual(block);
  });
});
