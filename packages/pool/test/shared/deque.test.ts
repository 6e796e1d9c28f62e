import { describe, expect, it, vi } from "vitest";
import { CONTENDED, Deque, EMPTY } from "../../src/shared/deque.ts";
import { LINE_WORDS } from "../../src/shared/layout.ts";
import { DEQUE_STARTS } from "./deque-starts.ts";

/** What another thread does just before one of the next operations of this kind, in order. */
const between = vi.hoisted(() => ({ load: [] as (() => void)[], cas: [] as (() => void)[] }));
vi.mock(import("../../src/shared/atomics.ts"), async (original) => {
  const atomics = await original();
  return {
    ...atomics,
    load(words, index) {
      between.load.shift()?.();
      return atomics.load(words, index);
    },
    cas(words, index, expected, value) {
      between.cas.shift()?.();
      return atomics.cas(words, index, expected, value);
    },
  };
});
const nothing = (): void => {};

const CELLS = 4;
const TOP = 0;
const BOTTOM = LINE_WORDS;
const tickets = new Int32Array(256);

function create(start = 0, cells = CELLS): { words: Int32Array; owner: Deque; thief: Deque } {
  const words = new Int32Array(new SharedArrayBuffer((2 * LINE_WORDS + cells) * 4));
  const owner = new Deque(words, 0, cells);
  owner.initialize(start);
  return { words, owner, thief: new Deque(words, 0, cells) };
}

function push(deque: Deque, ...slots: number[]): boolean[] {
  return slots.map((slot) => deque.push(slot, tickets, slot));
}

function stealAll(deque: Deque): number[] {
  const slots: number[] = [];
  for (let slot = deque.steal(); slot !== EMPTY; slot = deque.steal()) slots.push(slot);
  return slots;
}

function popAll(deque: Deque): number[] {
  const slots: number[] = [];
  for (let slot = deque.pop(); slot !== EMPTY; slot = deque.pop()) slots.push(slot);
  return slots;
}

/** It has all its cells, and gives what is put in. */
function expectWhole({ owner, thief }: ReturnType<typeof create>): void {
  expect([owner.isEmpty(), thief.isEmpty(), owner.size]).toEqual([true, true, 0]);
  expect(push(owner, 90, 91, 92, 93, 94)).toEqual([true, true, true, true, false]);
  expect([thief.steal(), owner.pop(), thief.steal(), owner.pop()]).toEqual([90, 93, 91, 92]);
  expect([thief.steal(), owner.pop()]).toEqual([EMPTY, EMPTY]);
}

describe.each(DEQUE_STARTS)("Deque, beginning at %s", (_, start) => {
  it("smoke: gives back what was put in, to its owner or to a thief", () => {
    const { owner, thief } = create(start);
    expect(push(owner, 7)).toEqual([true]);
    expect(owner.pop()).toBe(7);
    expect([owner.pop(), thief.steal()]).toEqual([EMPTY, EMPTY]);
    push(owner, 8);
    expect(thief.steal()).toBe(8);
    expect([owner.pop(), thief.steal()]).toEqual([EMPTY, EMPTY]);
  });

  it("A3.7 the owner takes the newest, a thief the oldest", () => {
    const { owner, thief } = create(start);
    push(owner, 0, 1, 2, 3);
    expect([owner.pop(), thief.steal(), thief.steal(), owner.pop()]).toEqual([3, 0, 1, 2]);
    push(owner, 4, 5);
    expect(popAll(owner)).toEqual([5, 4]);
    push(owner, 6, 7);
    expect(stealAll(thief)).toEqual([6, 7]);
  });

  it("isEmpty: follows each push, pop and steal, as the size does", () => {
    const { owner, thief } = create(start);
    expect([owner.isEmpty(), owner.size]).toEqual([true, 0]);
    for (let i = 0; i < 3 * CELLS; i++) {
      push(owner, 1, 2);
      expect([thief.isEmpty(), thief.size]).toEqual([false, 2]);
      if (i % 2 === 0) owner.pop();
      else thief.steal();
      expect([thief.isEmpty(), thief.size]).toEqual([false, 1]);
      if (i % 3 === 0) owner.pop();
      else thief.steal();
      expect([thief.isEmpty(), thief.size]).toEqual([true, 0]);
    }
  });

  it("spsc: over many laps and at every fill", () => {
    const { owner, thief } = create(start);
    let next = 0;
    let oldest = 0;
    for (let round = 0; round < 8 * CELLS; round++) {
      for (let i = 0; i <= round % CELLS; i++) expect(push(owner, next++ % 200)).toEqual([true]);
      for (let i = 0; i <= round % CELLS; i++) expect(thief.steal()).toBe(oldest++ % 200);
    }
  });

  it("is full after as many pushes as it has cells, and takes one more after each pop or steal", () => {
    const { owner, thief } = create(start);
    expect(push(owner, 0, 1, 2, 3, 4)).toEqual([true, true, true, true, false]);
    for (let slot = 5; slot < 13; slot++) {
      expect(thief.steal()).not.toBe(EMPTY);
      expect(push(owner, slot, 99)).toEqual([true, false]);
    }
    expect(owner.pop()).toBe(12);
    expect(push(owner, 13, 99)).toEqual([true, false]);
    expect(stealAll(thief)).toEqual([9, 10, 11, 13]);
  });

  it("a push that finds no room changes nothing but the ticket's word", () => {
    const { owner, words } = create(start);
    push(owner, 0, 1, 2, 3);
    const before = words.slice();
    expect(push(owner, 9)).toEqual([false]);
    expect(words).toEqual(before);
  });

  it("shows where a slot was put and taken: the ticket is the position", () => {
    const { owner, thief } = create(start);
    for (let i = 0; i < 2 * CELLS; i++) {
      push(owner, 9);
      expect(tickets[9]).toBe((start + i) | 0);
      const taker = i % 2 === 0 ? owner : thief;
      expect(taker === owner ? owner.pop() : thief.steal()).toBe(9);
      expect(taker.takenPosition).toBe((start + i) | 0);
    }
  });

  it("uses a position again when the owner took its slot and others remain", () => {
    const { owner, thief } = create(start);
    push(owner, 8, 9);
    expect([owner.pop(), owner.takenPosition]).toEqual([9, (start + 1) | 0]);
    push(owner, 7);
    expect(tickets[7]).toBe((start + 1) | 0);
    expect([thief.steal(), thief.steal(), thief.takenPosition]).toEqual([8, 7, (start + 1) | 0]);
  });

  it("holds: says of each position whether this slot waits there", () => {
    const { owner, thief } = create(start);
    const at = (i: number): number => (start + i) | 0;
    expect(owner.holds(0, at(0))).toBe(false);
    push(owner, 10, 11, 12, 13);
    for (let i = -CELLS; i < 2 * CELLS; i++) expect(owner.holds(10 + i, at(i))).toBe(i >= 0 && i < CELLS);
    expect(owner.holds(10, at(1))).toBe(false);
    thief.steal();
    owner.pop();
    expect([0, 1, 2, 3].map((i) => owner.holds(10 + i, at(i)))).toEqual([false, true, true, false]);
    // The cells of the positions that are gone get new slots.
    push(owner, 14, 15);
    expect([owner.holds(13, at(3)), owner.holds(14, at(3)), owner.holds(15, at(4))]).toEqual([
      false,
      true,
      true,
    ]);
    expect([owner.holds(10, at(0)), owner.holds(15, at(0))]).toEqual([false, false]);
  });

  it("an entry is stale once its slot has another: only the newest shows the ticket", () => {
    const { owner, thief } = create(start);
    push(owner, 5);
    const first = tickets[5];
    push(owner, 6, 5);
    expect(tickets[5]).toBe((start + 2) | 0);
    expect([thief.steal(), thief.takenPosition]).toEqual([5, first]);
    expect(thief.takenPosition).not.toBe(tickets[5]);
    expect([owner.pop(), owner.takenPosition]).toEqual([5, tickets[5]]);
  });

  it("the only one: an owner that comes second goes away empty", () => {
    const deque = create(start);
    const { owner, words } = deque;
    push(owner, 1);
    between.load = [
      () => {
        words[TOP] = (start + 1) | 0;
      },
    ];
    expect(owner.pop()).toBe(EMPTY);
    expectWhole(deque);
  });

  it("the only one: a thief that comes while the owner is about to take it gets it", () => {
    for (const take of [(owner: Deque): unknown => owner.pop(), (owner: Deque): unknown => owner.popIf(1)]) {
      const deque = create(start);
      const { owner, thief } = deque;
      push(owner, 1);
      between.cas = [() => expect(thief.steal()).toBe(1)];
      expect([EMPTY, false]).toContain(take(owner));
      expectWhole(deque);
    }
  });

  it("one that becomes the last: a thief that comes while the owner is about to take it finds nothing", () => {
    const deque = create(start);
    const { owner, thief } = deque;
    push(owner, 1, 2);
    between.load = [nothing, () => expect(thief.steal()).toBe(1)];
    between.cas = [nothing, () => expect([thief.isEmpty(), thief.steal()]).toEqual([true, EMPTY])];
    expect(owner.pop()).toBe(2);
    expect(between.cas).toEqual([]);
    expectWhole(deque);
  });

  it("one that becomes the last: an owner whose rival read BOTTOM before the pop goes away empty", () => {
    const deque = create(start);
    const { owner, thief, words } = deque;
    push(owner, 1, 2);
    between.load = [nothing, () => expect(thief.steal()).toBe(1)];
    between.cas = [
      nothing,
      () => {
        words[TOP] = (start + 2) | 0;
      },
    ];
    expect(owner.pop()).toBe(EMPTY);
    expectWhole(deque);
  });

  it("the last but one: an owner that finds them both taken goes away empty", () => {
    const deque = create(start);
    const { owner, thief } = deque;
    push(owner, 1, 2);
    const stolen: number[] = [];
    between.load = [() => stolen.push(...stealAll(thief))];
    expect([owner.pop(), stolen]).toEqual([EMPTY, [1, 2]]);
    expectWhole(deque);
  });

  it("the only one: an owner whose rival has read it before the pop goes away empty too", () => {
    const deque = create(start);
    const { owner, words } = deque;
    push(owner, 1);
    // The thief stood before its CAS when the pop began, and makes it now.
    between.cas = [
      () => {
        words[TOP] = (start + 1) | 0;
      },
    ];
    expect(owner.pop()).toBe(EMPTY);
    expectWhole(deque);
  });

  it("the last one: a thief that comes second is told that somebody else took it", () => {
    for (const entries of [1, 2]) {
      const deque = create(start);
      const { owner, thief } = deque;
      push(owner, ...[1, 2].slice(0, entries));
      let popped: number[] = [];
      between.cas = [
        () => {
          popped = popAll(owner);
        },
      ];
      expect(thief.steal()).toBe(CONTENDED);
      expect(popped).toEqual([2, 1].slice(2 - entries));
      expectWhole(deque);
    }
  });

  it("a thief whose cell is filled anew before its CAS does not get the new entry", () => {
    const { owner, thief, words } = create(start);
    const other = new Deque(words, 0, CELLS);
    push(owner, 0, 1, 2, 3);
    between.cas = [
      () => {
        expect(other.steal()).toBe(0);
        expect(push(owner, 4)).toEqual([true]);
      },
    ];
    expect(thief.steal()).toBe(CONTENDED);
    expect(stealAll(thief)).toEqual([1, 2, 3, 4]);
  });

  it("a thief that stands before its CAS while a new owner begins gets nothing of his", () => {
    const { owner, thief } = create(start);
    push(owner, 9);
    between.cas = [
      () => {
        owner.restart();
        expect(push(owner, 1, 2)).toEqual([true, true]);
      },
    ];
    expect(thief.steal()).toBe(CONTENDED);
    expect(stealAll(thief)).toEqual([1, 2]);
  });

  it("while the owner takes the last one a thief sees nothing", () => {
    const deque = create(start);
    const { owner, thief, words } = deque;
    push(owner, 1);
    words[BOTTOM] = start;
    expect([thief.isEmpty(), thief.steal()]).toEqual([true, EMPTY]);
    words[BOTTOM] = (start + 1) | 0;
    expect(owner.pop()).toBe(1);
    expectWhole(deque);
  });

  it("teardown: a thief that ended right after its CAS has taken one entry, and nobody is blocked", () => {
    const deque = create(start);
    const { owner, thief, words } = deque;
    push(owner, 1, 2, 3);
    words[TOP] = (start + 1) | 0;
    expect([thief.steal(), owner.pop(), owner.pop()]).toEqual([2, 3, EMPTY]);
    expectWhole(deque);
  });

  it("teardown: an owner that ended in the middle of a pop leaves what was below to thieves", () => {
    const { owner, thief, words } = create(start);
    push(owner, 1, 2, 3);
    words[BOTTOM] = (start + 2) | 0;
    expect(stealAll(thief)).toEqual([1, 2]);
    expect(thief.isEmpty()).toBe(true);
  });

  it("teardown: restart drops everything, wherever the dead owner was, and goes on behind all former positions", () => {
    for (const left of [0, 1, 2, CELLS]) {
      for (const inPop of [false, true]) {
        const deque = create(start);
        const { owner, thief, words } = deque;
        push(owner, 50);
        thief.steal();
        push(owner, ...[1, 2, 3, 4].slice(0, left));
        const former = words[BOTTOM]!;
        if (inPop) words[BOTTOM] = (former - 1) | 0;
        owner.restart();
        expect(words[TOP]).toBe(words[BOTTOM]);
        expect((words[TOP]! - former) | 0).toBeGreaterThanOrEqual(0);
        for (let i = 0; i <= CELLS; i++) expect(owner.holds(1 + i, (start + 1 + i) | 0)).toBe(false);
        expectWhole(deque);
      }
    }
  });
});

describe("Deque", () => {
  it("holds the largest slot number, and many cells", () => {
    const { owner, thief } = create(-3, 8192);
    for (let i = 0; i < 8192; i++) expect(owner.push(131_070 - i, tickets, 0)).toBe(true);
    expect(owner.push(0, tickets, 0)).toBe(false);
    expect([thief.steal(), owner.pop()]).toEqual([131_070, 131_070 - 8191]);
    expect(stealAll(thief)).toHaveLength(8190);
  });
});
