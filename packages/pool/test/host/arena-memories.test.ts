import { beforeEach, describe, expect, it } from "vitest";
import { ArenaMemories } from "../../src/host/arena-memories.ts";
import { type ArenaMemory, Arenas } from "../../src/shared/arenas.ts";
import { HOST_SERIAL } from "../../src/shared/pool-memory.ts";

type Told = ["known" | "granted" | "gone", to: number, id: number];

let serials: number[];
let told: Told[];
let arenas: Arenas;
let memories: ArenaMemories;

beforeEach(() => {
  serials = [];
  told = [];
  arenas = new Arenas(() => {});
  memories = new ArenaMemories(arenas, {
    serials: () => serials,
    known: (to, { id }) => told.push(["known", to, id]),
    granted: (to, { id }) => told.push(["granted", to, id]),
    gone: (to, id) => told.push(["gone", to, id]),
  });
});

function start(serial: number): ArenaMemory {
  memories.create(serial, true);
  const first = memories.create(serial, false);
  serials.push(serial);
  told.length = 0;
  return first;
}

describe("ArenaMemories", () => {
  it("smoke: everybody knows the memory of a new thread before it starts", () => {
    start(1);
    const home = memories.create(2, true);
    const first = memories.create(2, false);
    expect(told).toEqual([
      ["known", 1, home.id],
      ["known", 1, first.id],
    ]);
    expect([...arenas.entries()].slice(-2)).toEqual([home, first]);
  });

  it("a thread that asks gets its memory after all others", () => {
    for (const serial of [1, 2, 3]) start(serial);
    memories.onWanted(2, 100);
    const [id] = told.map((message) => message[2]);
    expect(told).toEqual([
      ["known", 1, id],
      ["known", 3, id],
      ["granted", 2, id],
    ]);
    expect(arenas.has(id!)).toBe(true);
  });

  it("the host has its own at once, and others know it", () => {
    start(1);
    const { id, serial } = memories.request(0)!;
    expect([serial, told]).toEqual([HOST_SERIAL, [["known", 1, id]]]);
  });

  it("a memory that is gone is dropped here and there", () => {
    const { id } = start(1);
    start(2);
    memories.gone(id);
    expect(arenas.has(id)).toBe(false);
    expect(told).toEqual([
      ["gone", 1, id],
      ["gone", 2, id],
    ]);
  });

  it("while a thread has yet to drop one, no memory is replaced for its size: who asked gets it then", () => {
    const { id } = start(1);
    start(2);
    memories.gone(id);
    told.length = 0;
    expect(memories.request(0)).toBe(null);
    memories.onWanted(1, 0);
    memories.onDropped(1);
    expect(told).toEqual([]);
    memories.onDropped(2);
    expect(told.map(([type, to]) => [type, to])).toEqual([
      ["known", 2],
      ["granted", 1],
    ]);
    expect(memories.request(0)).not.toBe(null);
  });

  it("who has no room gets a memory all the same", () => {
    const { id } = start(1);
    memories.gone(id);
    memories.onWanted(1, 0);
    told.length = 0;
    memories.onWanted(1, 1000);
    expect(told.map(([type]) => type)).toEqual(["granted"]);
    expect(memories.request(1000)).not.toBe(null);
    // The one it waited for is not needed any more.
    memories.onDropped(1);
    expect(told.map(([type]) => type)).toEqual(["granted", "known"]);
  });

  it("a thread drops them one by one", () => {
    const [a, b] = [start(1), start(2)];
    memories.gone(a.id);
    memories.gone(b.id);
    for (const serial of [1, 2, 1]) {
      memories.onDropped(serial);
      expect(memories.request(0)).toBe(null);
    }
    memories.onDropped(2);
    memories.onDropped(2);
    expect(memories.request(0)).not.toBe(null);
  });

  it("teardown: a thread that has ended owes nothing, wants nothing, and leaves none of its memories", () => {
    const first = start(1);
    const other = start(2);
    memories.gone(other.id);
    memories.onWanted(1, 0);
    serials = [2];
    memories.ended(1);
    expect([arenas.has(first.id), arenas.has(other.id)]).toEqual([false, false]);
    expect(() => arenas.homeText(1, 33)).toThrow(/never announced/);
    told.length = 0;
    memories.onDropped(2);
    expect(told).toEqual([]);
  });
});
