import { describe, expect, it } from "vitest";
import { Arena, createArenaMemory, type GrowingMemory } from "../../src/shared/arena.ts";
import { type ArenaMemory, Arenas } from "../../src/shared/arenas.ts";

const MiB = 1 << 20;

function payloadsOf(serial: number, memory: GrowingMemory): ArenaMemory {
  return { id: serial, serial, isHome: false, memory };
}

function unexpected(): never {
  throw new Error("Nobody asked for messages");
}

describe("Arenas", () => {
  it("smoke: reads what others stored, and gives their blocks back to them", () => {
    const arenas = new Arenas(unexpected);
    const owners = [0, 7].map((serial) => {
      const memory = createArenaMemory();
      arenas.add(payloadsOf(serial, memory));
      return { serial, arena: new Arena(memory) };
    });
    const blocks = owners.map(({ serial, arena }) => arena.store(new Uint8Array(300).fill(serial + 1), 300));
    for (const [i, { serial, arena }] of owners.entries()) {
      const block = blocks[i]!;
      const start = block * 8;
      expect(arenas.bytes(serial, block, 300).slice(start, start + 300)).toEqual(
        new Uint8Array(300).fill(serial + 1),
      );
      arenas.giveBack(serial, block);
      expect(arena.store(new Uint8Array(300), 300)).toBe(block);
    }
  });

  it("reads and gives back what lies behind the end that it knew", () => {
    const memory = createArenaMemory();
    const arenas = new Arenas(unexpected);
    arenas.add(payloadsOf(1, memory));
    const arena = new Arena(memory);
    const small = arena.store(new Uint8Array(10).fill(1), 10);
    const before = arenas.bytes(1, small, 10).length;
    const payload = new Uint8Array(2 * MiB).fill(2);
    const blocks = [1, 2].map(() => arena.store(payload, payload.length));
    // Not longer than needed is known: the end of what has not grown is not asked for again.
    expect(arenas.bytes(1, small, 10).length).toBe(before);
    arenas.giveBack(1, blocks[1]!);
    expect(arena.store(payload, payload.length)).toBe(blocks[1]);
    const start = blocks[1]! * 8;
    const bytes = arenas.bytes(1, blocks[1]!, payload.length);
    expect(bytes.length).toBeGreaterThan(before);
    expect(Buffer.compare(bytes.subarray(start, start + payload.length), payload)).toBe(0);
  });

  it("reads a block to its last byte when that is the last of the memory", () => {
    const memory = createArenaMemory();
    const arenas = new Arenas(unexpected);
    arenas.add(payloadsOf(1, memory));
    const arena = new Arena(memory);
    // Fills the memory exactly: its first 256 bytes are taken, as are the 8 before the payload.
    let block = 0;
    const sizes = [512, 256, 128, 64, 32, 16, 8, 4, 2, 1].map((units) => units * 1024 - 8);
    for (const size of [...sizes, 504, 248]) block = arena.store(new Uint8Array(size).fill(3), size);
    expect(block * 8 + 248).toBe(arena.sizeBytes);
    expect(arenas.bytes(1, block, 248).slice(block * 8)).toEqual(new Uint8Array(248).fill(3));
    const next = arena.store(new Uint8Array(1).fill(4), 1);
    expect(arenas.bytes(1, next, 1)[next * 8]).toBe(4);
  });

  it("takes in messages for an arena that it does not know, once", () => {
    let taken = 0;
    const late = createArenaMemory();
    const arenas = new Arenas(() => {
      taken++;
      arenas.add(payloadsOf(2, late));
    });
    arenas.add(payloadsOf(1, createArenaMemory()));
    const block = new Arena(late).store(Uint8Array.of(5), 1);
    expect(arenas.bytes(1, 33, 1)).toHaveLength(MiB);
    expect(taken).toBe(0);
    expect(arenas.bytes(2, block, 1)[block * 8]).toBe(5);
    arenas.giveBack(2, block);
    expect(taken).toBe(1);
  });

  it("says which arena nobody announced", () => {
    let taken = 0;
    const arenas = new Arenas(() => taken++);
    expect(() => arenas.bytes(41, 33, 1)).toThrow(/arena 41 was never announced/);
    expect(() => arenas.giveBack(42, 33)).toThrow(/arena 42 was never announced/);
    expect(taken).toBe(2);
  });

  it("lists what a new thread has to know", () => {
    const arenas = new Arenas(unexpected);
    const known = [0, 3, 4].map((serial) => payloadsOf(serial, createArenaMemory()));
    for (const arena of known) arenas.add(arena);
    expect(arenas.drop(3)?.byteLength).toBe(MiB);
    expect(arenas.drop(3)).toBe(null);
    expect([...arenas.entries()]).toEqual([known[0], known[2]]);
    arenas.dropAll();
    expect([...arenas.entries()]).toEqual([]);
  });

  it("reads texts of homes and of other arenas, at their length", () => {
    let late: ArenaMemory | null = null;
    const arenas = new Arenas(() => {
      if (late !== null) arenas.add(late);
    });
    const [home, other] = [createArenaMemory(), createArenaMemory()];
    arenas.add({ id: 1, serial: 5, isHome: true, memory: home });
    arenas.add({ id: 2, serial: 5, isHome: false, memory: other });
    const long = "é".repeat(MiB);
    const store = (memory: GrowingMemory, text: string): number =>
      new Arena(memory).store(Buffer.from(text), Buffer.byteLength(text));
    expect(arenas.homeText(5, store(home, long))).toBe(long);
    expect(arenas.text(2, store(other, "short"))).toBe("short");
    expect(() => arenas.homeText(6, 33)).toThrow(/home of thread 6 was never announced/);
    late = { id: 3, serial: 6, isHome: true, memory: createArenaMemory() };
    expect(arenas.homeText(6, store(late.memory, "late"))).toBe("late");
  });

  it("teardown: forgets all that a dead thread owned, and nothing else", () => {
    const arenas = new Arenas(() => {});
    for (const serial of [0, 1, 2]) {
      arenas.add({ id: 10 + serial, serial, isHome: true, memory: createArenaMemory() });
      arenas.add({ id: 20 + serial, serial, isHome: false, memory: createArenaMemory() });
    }
    arenas.dropOf(1);
    expect([10, 20, 11, 21, 12, 22].map((id) => arenas.has(id))).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
    ]);
    expect(() => arenas.homeText(1, 33)).toThrow(/never announced/);
  });
});
