import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ITEMS, ItemRing, ROOM } from "../../src/shared/item-ring.ts";

const CAPACITY = 4;
const NEAR_OVERFLOW = 0x7fff_fffe;

const item = (...bytes: number[]): Uint8Array => new Uint8Array(bytes);

describe.each([
  ["from 0", 0],
  ["next to the overflow of tickets", NEAR_OVERFLOW],
  ["next to the overflow of negative tickets", -2],
])("ItemRing %s", (_, firstTicket) => {
  it("is full at its capacity, empty when all is taken, and keeps order and lengths", () => {
    const ring = ItemRing.create(CAPACITY, 8, firstTicket);
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < CAPACITY; n++)
        expect(ring.tryAdd(item(...Array.from({ length: n + 1 }, () => n)))).toBe("added");
      expect([ring.tryAdd(item(9)), ring.count]).toEqual(["full", CAPACITY]);
      for (let n = 0; n < CAPACITY; n++)
        expect(ring.tryTake()).toEqual(item(...Array.from({ length: n + 1 }, () => n)));
      expect([ring.tryTake(), ring.count]).toEqual([undefined, 0]);
    }
  });

  it("behaves like a bounded queue", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 100 }), (adds) => {
        const ring = ItemRing.create(CAPACITY, 4, firstTicket);
        const model: number[] = [];
        let next = 0;
        for (const isAdd of adds) {
          const expected = isAdd ? (model.length < CAPACITY ? "added" : "full") : model[0];
          expect(isAdd ? ring.tryAdd(item(next)) : ring.tryTake()?.[0]).toBe(expected);
          if (expected === "added") model.push(next++);
          else if (!isAdd) model.shift();
          expect(ring.count).toBe(model.length);
        }
      }),
    );
  });
});

describe("ItemRing", () => {
  it("refuses what comes after complete, and is closed then", () => {
    const ring = ItemRing.create(CAPACITY, 4);
    ring.tryAdd(item(1));
    expect([ring.isCompleted, ring.isCompleted]).toEqual([false, false]);
    ring.complete();
    ring.complete();
    expect(ring.tryAdd(item(2))).toBe("completed");
    expect([ring.isCompleted, ring.isCompleted, ring.count]).toEqual([true, true, 1]);
    expect(ring.tryTake()).toEqual(item(1));
  });

  it("raises the epoch of what has come, so that a wait on the old one is no wait", async () => {
    const ring = ItemRing.create(CAPACITY, 4);
    const items = ring.epoch(ITEMS);
    const room = ring.epoch(ROOM);
    const early = ring.sleepAsync(ITEMS, items);
    expect(early).not.toBeNull();
    ring.announce(ITEMS);
    ring.tryAdd(item(1));
    await early;
    ring.withdraw(ITEMS);
    expect([ring.sleepAsync(ITEMS, items), ring.epoch(ROOM)]).toEqual([null, room]);
    ring.tryTake();
    expect(ring.sleepAsync(ROOM, room)).toBeNull();
  });

  it("an add that is refused after completion wakes those who saw it inside and took the ring for open", async () => {
    const ring = ItemRing.create(CAPACITY, 4);
    ring.complete();
    ring.announce(ITEMS);
    const waiting = ring.sleepAsync(ITEMS, ring.epoch(ITEMS));
    expect(waiting).not.toBeNull();
    ring.tryAdd(item(1));
    await waiting;
    ring.withdraw(ITEMS);
    expect(ring.isCompleted).toBe(true);
  });

  it("knows its own buffer", () => {
    const ring = ItemRing.create(CAPACITY, 8);
    expect(ItemRing.isRing(ring.buffer)).toBe(true);
    expect(ItemRing.isRing(new SharedArrayBuffer(1024))).toBe(false);
    expect(ItemRing.isRing(new ArrayBuffer(1024))).toBe(false);
    const other = new ItemRing(ring.buffer);
    ring.tryAdd(item(5));
    expect([other.capacity, other.itemBytes, other.tryTake()]).toEqual([CAPACITY, 8, item(5)]);
  });
});
