import { describe, expect, it } from "vitest";
import { LINE_WORDS } from "../../src/shared/layout.ts";
import { EMPTY, Ring } from "../../src/shared/ring.ts";
import { RING_STARTS } from "./ring-starts.ts";

const CELLS = 4;
const TAIL = 0;
const HEAD = LINE_WORDS;
const tickets = new Int32Array(64);

function create(start = 0, cells = CELLS): { words: Int32Array; ring: Ring } {
  const words = new Int32Array(new SharedArrayBuffer((2 * LINE_WORDS + cells) * 4));
  const ring = new Ring(words, 0, cells);
  ring.initialize(start);
  return { words, ring };
}

function push(ring: Ring, ...slots: number[]): boolean[] {
  return slots.map((slot) => ring.push(slot, tickets, slot % 64));
}

function drain(ring: Ring): number[] {
  const slots: number[] = [];
  for (let slot = ring.pop(); slot !== EMPTY; slot = ring.pop()) slots.push(slot);
  return slots;
}

describe.each(RING_STARTS)("Ring, beginning at %s", (_, start) => {
  it("smoke: gives back what was put in", () => {
    const { ring } = create(start);
    expect(push(ring, 7)).toEqual([true]);
    expect(ring.pop()).toBe(7);
    expect(ring.pop()).toBe(EMPTY);
  });

  it("isEmpty: follows each push and each pop", () => {
    const { ring } = create(start);
    expect(ring.isEmpty()).toBe(true);
    for (let i = 0; i < 3 * CELLS; i++) {
      push(ring, 1, 2);
      expect(ring.isEmpty()).toBe(false);
      ring.pop();
      expect(ring.isEmpty()).toBe(false);
      ring.pop();
      expect(ring.isEmpty()).toBe(true);
    }
  });

  it("spsc: first in, first out, over many laps and at every fill", () => {
    const { ring } = create(start);
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 8 * CELLS; round++) {
      for (let i = 0; i <= round % CELLS; i++) expect(push(ring, next++)).toEqual([true]);
      for (let i = 0; i <= round % CELLS; i++) expect(ring.pop()).toBe(expected++);
    }
  });

  it("is full after as many pushes as it has cells, and takes one more after each pop", () => {
    const { ring } = create(start);
    expect(push(ring, 0, 1, 2, 3, 4)).toEqual([true, true, true, true, false]);
    for (let slot = 5; slot < 20; slot++) {
      ring.pop();
      expect(push(ring, slot, 99)).toEqual([true, false]);
    }
    expect(drain(ring)).toEqual([16, 17, 18, 19]);
  });

  it("shows where a slot was put and taken: the ticket is the position", () => {
    const { ring } = create(start);
    for (let i = 0; i < 2 * CELLS; i++) {
      push(ring, 9);
      const position = (start + i) | 0;
      expect(tickets[9]).toBe(position);
      expect(ring.holds(9, position)).toBe(true);
      expect(ring.holds(8, position)).toBe(false);
      expect(ring.pop()).toBe(9);
      expect(ring.poppedPosition).toBe(position);
      expect(ring.holds(9, position)).toBe(false);
    }
  });

  it("teardown: a producer that ended before it moved the tail blocks neither consumers nor producers", () => {
    for (let before = 0; before < CELLS; before++) {
      const { ring, words } = create(start);
      for (let i = 0; i < before; i++) {
        push(ring, 50);
        ring.pop();
      }
      push(ring, 1);
      words[TAIL] = (words[TAIL]! - 1) | 0;
      expect(ring.isEmpty()).toBe(false);
      expect(push(ring, 2)).toEqual([true]);
      expect(drain(ring)).toEqual([1, 2]);
    }
  });

  it("teardown: nor when its slot has been taken before the next push", () => {
    for (let before = 0; before < CELLS; before++) {
      const { ring, words } = create(start);
      for (let i = 0; i < before; i++) {
        push(ring, 50);
        ring.pop();
      }
      push(ring, 1);
      words[TAIL] = (words[TAIL]! - 1) | 0;
      expect(drain(ring)).toEqual([1]);
      // The tail is behind the head now.
      expect(ring.isEmpty()).toBe(true);
      expect(push(ring, 2, 3, 4, 5, 6)).toEqual([true, true, true, true, false]);
      expect(drain(ring)).toEqual([2, 3, 4, 5]);
    }
  });

  it("teardown: a consumer that ended before it moved the head blocks nobody", () => {
    for (let filled = 1; filled <= CELLS; filled++) {
      const { ring, words } = create(start);
      const slots = Array.from({ length: filled }, (_unused, i) => i);
      push(ring, ...slots);
      ring.pop();
      words[HEAD] = (words[HEAD]! - 1) | 0;
      expect(ring.isEmpty()).toBe(filled === 1);
      expect(push(ring, 10)).toEqual([true]);
      expect(drain(ring)).toEqual([...slots.slice(1), 10]);
      expect(ring.isEmpty()).toBe(true);
    }
  });

  it("teardown: full is full although the tail lags", () => {
    const { ring, words } = create(start);
    push(ring, 0, 1, 2, 3);
    words[TAIL] = (words[TAIL]! - 1) | 0;
    expect(push(ring, 4)).toEqual([false]);
    expect(drain(ring)).toEqual([0, 1, 2, 3]);
  });
});

describe("Ring", () => {
  it("holds the largest slot number in the largest ring", () => {
    const { ring } = create(-3, 131_072);
    expect(push(ring, 65_535, 0, 65_535, 1)).toEqual([true, true, true, true]);
    expect(drain(ring)).toEqual([65_535, 0, 65_535, 1]);
    expect(ring.isEmpty()).toBe(true);
  });

  it("two objects over the same words are the same ring", () => {
    const { ring, words } = create();
    const other = new Ring(words, 0, CELLS);
    push(ring, 3);
    expect(other.isEmpty()).toBe(false);
    expect(other.pop()).toBe(3);
    expect(ring.isEmpty()).toBe(true);
  });
});
