import { beforeEach, describe, expect, it } from "vitest";
import {
  Arena,
  createArenaMemory,
  giveBack,
  type GrowingMemory,
  lengthOf,
  NO_ROOM,
} from "../../src/shared/arena.ts";

const KiB = 1 << 10;
const MiB = 1 << 20;
const INITIAL_BYTES = MiB;
const GROWTH_BYTES = 4 * MiB;
const UNIT_BYTES = 256;

let memory: GrowingMemory;
let arena: Arena;

beforeEach(() => {
  memory = createArenaMemory();
  arena = new Arena(memory);
});

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function bytesOf(block: number, length: number): Uint8Array {
  return new Uint8Array(memory.buffer, block * 8, length);
}

/** As a reader on another thread does it. */
function returnBlock(block: number): void {
  giveBack(new Int32Array(memory.buffer), block);
}

/** A memory that ends early, and grows by moving: nobody else looks at it. */
function smallMemory(maximumPages: number): GrowingMemory {
  let buffer = new SharedArrayBuffer(INITIAL_BYTES);
  return {
    get buffer() {
      return buffer;
    },
    grow(pages) {
      const present = buffer.byteLength / (64 * KiB);
      if (present + pages > maximumPages) throw new RangeError("no more");
      const larger = new SharedArrayBuffer((present + pages) * 64 * KiB);
      new Uint8Array(larger).set(new Uint8Array(buffer));
      buffer = larger;
      return present;
    },
  };
}

describe("Arena", () => {
  it("smoke: a stored payload can be read through the memory", () => {
    const source = filled(1000, 9);
    const block = arena.store(source, 600);
    expect(bytesOf(block, 601)).toEqual(Uint8Array.from([...filled(600, 9), 0]));
    expect(arena.store(source, 1000)).not.toBe(block);
    expect(arena.sizeBytes).toBe(INITIAL_BYTES);
  });

  it("blocks of every size class lie apart", () => {
    const lengths = [0, 1, 247, 248, 249, 255, 256, 257, 504, 505, 512, 513];
    for (let units = 3; units < 70; units++) lengths.push(units * UNIT_BYTES - 8, units * UNIT_BYTES - 7);
    lengths.push(64 * KiB, 64 * KiB + 1, MiB - 1, MiB, MiB + 1, 5 * MiB);
    const blocks = lengths.map((length, i) => arena.store(filled(length, i + 1), length));
    const places = blocks.map((block, i) => ({ from: block * 8 - 8, to: block * 8 + lengths[i]! }));
    for (const [i, block] of blocks.entries()) {
      const bytes = bytesOf(block, lengths[i]!);
      expect((block * 8 - 8) % UNIT_BYTES).toBe(0);
      expect(bytes.every((byte) => byte === (i + 1) % 256)).toBe(true);
    }
    // The first words are not part of any block, and no two blocks share a byte, headers included.
    places.sort((a, b) => a.from - b.from);
    expect(places[0]!.from).toBe(UNIT_BYTES);
    for (let i = 1; i < places.length; i++) expect(places[i]!.from).toBeGreaterThanOrEqual(places[i - 1]!.to);
  });

  it("I2 wastes at most a fifth of a block of more than four units, besides the rounding to units", () => {
    let block = arena.store(filled(0, 0), 0);
    for (let units = 5; units <= 300; units++) {
      const next = arena.store(filled(0, 0), units * UNIT_BYTES - 8);
      const after = arena.store(filled(0, 0), 0);
      const size = after * 8 - next * 8;
      expect(next).toBe(block + UNIT_BYTES / 8);
      expect(size).toBeGreaterThanOrEqual(units * UNIT_BYTES);
      expect(size).toBeLessThanOrEqual((units * UNIT_BYTES) / 0.8);
      block = after;
    }
  });

  it("a freed block is used again for its size, and for no other", () => {
    arena.store(filled(1, 1), 1); // So that not all blocks are free.
    const block = arena.store(filled(300, 1), 300);
    arena.free(block);
    expect(arena.store(filled(513, 1), 513)).not.toBe(block);
    expect(arena.store(filled(200, 1), 200)).not.toBe(block);
    expect(arena.store(filled(504, 1), 504)).toBe(block);
    expect(arena.store(filled(504, 1), 504)).not.toBe(block);
  });

  it("grows in place before the block that needs it, and only then: what was stored stays where it is", () => {
    const first = arena.store(filled(512 * KiB - 8, 1), 512 * KiB - 8);
    const words = new Int32Array(memory.buffer);
    expect([arena.sizeBytes, memory.buffer.byteLength]).toEqual([INITIAL_BYTES, INITIAL_BYTES]);
    const second = arena.store(filled(512 * KiB, 2), 512 * KiB);
    expect([arena.sizeBytes, memory.buffer.byteLength]).toEqual([
      INITIAL_BYTES + GROWTH_BYTES,
      INITIAL_BYTES + GROWTH_BYTES,
    ]);
    expect(bytesOf(first, 512 * KiB - 8).every((byte) => byte === 1)).toBe(true);
    expect(bytesOf(second, 512 * KiB).every((byte) => byte === 2)).toBe(true);
    // Whoever still has the shorter view gives back through it.
    giveBack(words, first);
    expect(arena.store(filled(512 * KiB - 8, 3), 512 * KiB - 8)).toBe(first);
  });

  it("a large payload makes it grow by what is missing", () => {
    const large = arena.store(filled(20 * MiB, 2), 20 * MiB);
    expect(bytesOf(large, 20 * MiB).every((byte) => byte === 2)).toBe(true);
    expect(arena.sizeBytes).toBeGreaterThanOrEqual(20 * MiB);
    expect(arena.sizeBytes).toBeLessThan(26 * MiB);
    arena.free(large);
    expect(arena.store(filled(20 * MiB, 2), 20 * MiB)).toBe(large);
  });

  it("blocks that readers gave back are used again, all of them", () => {
    const blocks = [1, 2, 3].map((value) => arena.store(filled(400, value), 400));
    for (const block of blocks) returnBlock(block);
    const again = [4, 5, 6].map((value) => arena.store(filled(400, value), 400));
    expect(new Set(again)).toEqual(new Set(blocks));
    expect(blocks).not.toContain(arena.store(filled(400, 7), 400));
    expect(again.map((block) => bytesOf(block, 400)[0])).toEqual([4, 5, 6]);
  });

  it("returned blocks of all sizes come home together, large ones included", () => {
    const small = arena.store(filled(200, 1), 200);
    const middle = arena.store(filled(5000, 1), 5000);
    const large = arena.store(filled(2 * MiB, 1), 2 * MiB);
    for (const block of [small, large, middle]) returnBlock(block);
    const { sizeBytes } = arena;
    expect(arena.store(filled(200, 1), 200)).toBe(small);
    expect(arena.store(filled(4097, 1), 4097)).toBe(middle);
    expect(arena.store(filled(2 * MiB, 1), 2 * MiB)).toBe(large);
    expect(arena.sizeBytes).toBe(sizeBytes);
  });

  it("returned blocks stay where they are while a free one of the size is there", () => {
    const [freed, returned] = [arena.store(filled(10, 1), 10), arena.store(filled(10, 1), 10)];
    arena.free(freed);
    returnBlock(returned);
    expect(arena.store(filled(10, 1), 10)).toBe(freed);
    expect(new Int32Array(memory.buffer)[0]).toBe(returned);
    expect(arena.store(filled(10, 1), 10)).toBe(returned);
    expect(new Int32Array(memory.buffer)[0]).toBe(0);
  });

  it("the last block before the end comes back as itself", () => {
    const blocks: number[] = [];
    for (let i = 1; i < INITIAL_BYTES / UNIT_BYTES; i++) blocks.push(arena.store(filled(248, 1), 248));
    expect(arena.sizeBytes).toBe(INITIAL_BYTES);
    const last = blocks.at(-1)!;
    expect(last * 8 + 248).toBe(INITIAL_BYTES);
    returnBlock(last);
    expect(arena.store(filled(248, 1), 248)).toBe(last);
  });

  it("does not grow while blocks circulate", () => {
    for (let i = 0; i < 20_000; i++) {
      const block = arena.store(filled(1 + ((i * 37) % 3000), 1), 1 + ((i * 37) % 3000));
      if (i % 2 === 0) arena.free(block);
      else returnBlock(block);
    }
    expect(arena.sizeBytes).toBe(INITIAL_BYTES);
  });

  it("says how much is under way when there is no more, and goes on afterwards", () => {
    memory = smallMemory(16 + 64);
    arena = new Arena(memory);
    const source = filled(1.5 * MiB, 1);
    const blocks = [1, 2].map(() => arena.store(source, 1.5 * MiB));
    expect(arena.sizeBytes).toBe(INITIAL_BYTES + GROWTH_BYTES);
    expect(() => arena.store(source, 1.5 * MiB)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_ARENA_FULL", message: expect.stringContaining("5 MiB") }),
    );
    expect(arena.store(filled(100, 7), 100)).toBeGreaterThan(blocks[1]!);
    returnBlock(blocks[0]!);
    expect(arena.store(source, 1.5 * MiB)).toBe(blocks[0]);
  });

  it("I2 when all blocks are free, the room of one size serves another", () => {
    memory = smallMemory(16);
    arena = new Arena(memory);
    const source = filled(600 * KiB, 3);
    const small = Array.from({ length: 1000 }, () => arena.store(source, 600));
    expect(() => arena.store(source, 600 * KiB)).toThrow("No room");
    for (const [i, block] of small.entries()) {
      if (i % 2 === 0) returnBlock(block);
      else arena.free(block);
    }
    expect(bytesOf(arena.store(source, 600 * KiB), 600 * KiB)).toEqual(source);
  });

  it("where it cannot grow, a larger free block serves a smaller payload", () => {
    memory = smallMemory(16);
    arena = new Arena(memory);
    const [kept, large] = [arena.store(filled(1, 1), 1), arena.store(filled(700 * KiB, 2), 700 * KiB)];
    arena.free(large);
    const smaller = [1, 2].map(() => arena.tryAllocate(300 * KiB));
    expect(smaller).toEqual([large, NO_ROOM]);
    // It keeps its size.
    arena.free(large);
    expect(arena.store(filled(700 * KiB, 3), 700 * KiB)).toBe(large);
    expect(bytesOf(kept, 1)).toEqual(filled(1, 1));
  });

  it("a block says how long its payload is, whoever had it before", () => {
    const lengths = [0, 1, 248, 249, 5 * MiB];
    const words = (): Int32Array => new Int32Array(memory.buffer);
    for (const length of lengths) {
      const block = arena.allocate(length);
      expect(lengthOf(words(), block)).toBe(length);
      returnBlock(block);
    }
    expect(lengthOf(words(), arena.allocate(7))).toBe(7);
  });

  it("says what was in use at most, headers and rounding included", () => {
    const blocks = [1, 2, 3].map(() => arena.store(filled(500, 1), 500));
    blocks.forEach(returnBlock);
    arena.collect();
    expect(arena.peakBytes).toBe(3 * 2 * UNIT_BYTES);
    arena.restartPeak();
    expect(arena.peakBytes).toBe(0);
    arena.store(filled(5 * UNIT_BYTES - 7, 1), 5 * UNIT_BYTES - 7);
    expect(arena.peakBytes).toBe(6 * UNIT_BYTES);
  });

  it("teardown: nothing that was given back to a dead thread reaches its successor, who has a memory of its own", () => {
    const dead = arena.store(filled(200, 1), 200);
    const successor = new Arena(createArenaMemory());
    const block = successor.store(filled(200, 2), 200);
    returnBlock(dead);
    expect(bytesOf(dead, 200)).toEqual(filled(200, 1));
    expect(successor.store(filled(200, 2), 200)).not.toBe(block);
  });
});
