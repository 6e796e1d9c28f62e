import { afterEach, describe, expect, it, vi } from "vitest";
import { ItemRing } from "../../src/shared/item-ring.ts";

type Operation = (words: Int32Array, index: number, ...rest: number[]) => unknown;

const seam = vi.hoisted(() => ({
  /** Called before every atomic operation. */
  step: (): void => {},
  /** Whether this compareExchange is to win without comparing: to show that the model finds it. */
  isFaulty: (_index: number, _expected: number, _value: number): boolean => false,
  /** Of this schedule so far. */
  operations: 0,
}));

vi.mock("../../src/shared/atomics.ts", async (importOriginal) => {
  const real = await importOriginal<Record<string, Operation>>();
  const stepped = (name: string, operation: Operation): Operation => {
    return (words, index, ...rest) => {
      if (++seam.operations > MAX_OPERATIONS)
        throw new Error("No end: a thread goes on without getting anywhere");
      seam.step();
      const [expected = 0, value = 0] = rest;
      if (name !== "compareExchange" || !seam.isFaulty(index, expected, value))
        return operation(words, index, ...rest);
      words[index] = value;
      return expected;
    };
  };
  return Object.fromEntries(
    Object.entries(real).map(([name, operation]) => [name, stepped(name, operation)]),
  );
});

const killed = Symbol("killed");
/** More than any schedule here has: whoever makes so many gets nowhere. */
const MAX_OPERATIONS = 20_000;
const CAPACITY = 2;
/** As in item-ring.ts. */
const HEADER_WORDS = 48;
const ITEM_BYTES = 8;

afterEach(() => {
  seam.isFaulty = () => false;
  seam.step = () => {};
});

/** What one thread does, one atomic operation at a time. */
type Move = number | "take" | "complete";

/** What threads have been told so far. */
class Ledger {
  readonly added: number[] = [];
  readonly refused: number[] = [];
  readonly taken: number[] = [];
  /** Being added when a thread ended: in or not. */
  readonly unsure: number[] = [];
  takesThatDied = 0;
  completed = false;
}

function same(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

function itemOf(value: number): Uint8Array {
  return new Uint8Array(1 + (value % ITEM_BYTES)).fill(value);
}

function valueOf(item: Uint8Array): number {
  const value = item[0] ?? -1;
  // A torn item would have bytes of two, or the length of another.
  expect([...item]).toEqual([...itemOf(value)]);
  return value;
}

function perform(ring: ItemRing, moves: readonly Move[], ledger: Ledger): void {
  for (const move of moves) {
    try {
      if (move === "complete") {
        ring.complete();
        ledger.completed = true;
      } else if (move === "take") {
        const item = ring.tryTake();
        if (item !== undefined) ledger.taken.push(valueOf(item));
      } else {
        const mustRefuse = ledger.completed;
        const outcome = ring.tryAdd(itemOf(move));
        if (mustRefuse) same(outcome, "completed");
        (outcome === "added" ? ledger.added : ledger.refused).push(move);
      }
    } catch (error) {
      if (error !== killed) throw error;
      if (move === "take") ledger.takesThatDied++;
      else if (move !== "complete") ledger.unsure.push(move);
      return;
    }
  }
}

interface Interruption {
  /** Before which operation of the thread. */
  readonly at: number;
  readonly by: (() => void) | undefined;
  readonly isKilled: boolean;
}

/** Runs a thread that is interrupted once. @returns whether it got as far as that. */
function interrupted({ at, by, isKilled }: Interruption, run: () => void): boolean {
  let steps = 0;
  let happened = false;
  const step = (): void => {
    if (steps++ !== at) return;
    happened = true;
    const own = seam.step;
    seam.step = () => {};
    by?.();
    seam.step = own;
    // oxlint-disable-next-line typescript/only-throw-error -- not an error: the end of the thread
    if (isKilled) throw killed;
  };
  const outer = seam.step;
  seam.step = step;
  run();
  seam.step = outer;
  return happened;
}

function takeAll(ring: ItemRing): number[] {
  const found: number[] = [];
  for (let item = ring.tryTake(); item !== undefined; item = ring.tryTake()) found.push(valueOf(item));
  return found;
}

/** Nothing lost but by the dead, nothing twice, nothing after completion, and the ring goes on at its full capacity. */
function expectWhole(ring: ItemRing, ledger: Ledger, first: readonly number[]): void {
  const count = ring.count;
  const rest = takeAll(ring);
  expect(rest).toHaveLength(count);
  expect([ring.count, ring.isEmpty]).toEqual([0, true]);
  const found = [...ledger.taken, ...rest];
  expect(new Set(found).size).toBe(found.length);
  const put = [...first, ...ledger.added];
  const lost = put.filter((value) => !found.includes(value));
  expect(lost.length).toBeLessThanOrEqual(ledger.takesThatDied);
  const unknown = found.filter((value) => !put.includes(value));
  for (const value of unknown) expect(ledger.unsure).toContain(value);
  if (ledger.completed) {
    same([ring.isCompleted, ring.tryAdd(itemOf(99))], [true, "completed"]);
    return;
  }
  if (!ring.isCompleted) {
    for (let round = 0; round < 3; round++) {
      const values = Array.from({ length: CAPACITY }, (_, i) => 200 + i);
      for (const value of values) same(ring.tryAdd(itemOf(value)), "added");
      same(ring.tryAdd(itemOf(99)), "full");
      same(takeAll(ring), values);
    }
  }
  ring.complete();
  expect([ring.isCompleted, ring.tryAdd(itemOf(99)), ring.tryTake()]).toEqual([true, "completed", undefined]);
}

function freshRing(start: number, filled: readonly number[]): ItemRing {
  seam.operations = 0;
  const ring = ItemRing.create(CAPACITY, ITEM_BYTES, start);
  for (const value of filled) ring.tryAdd(itemOf(value));
  return ring;
}

const starts: [string, number][] = [
  ["0", 0],
  ["next to the overflow of positions", -1],
  ["next to that of positive positions", 0x7fff_ffff],
];
const victims: [string, Move[]][] = [
  ["adds", [1, 2]],
  ["takes", ["take", "take"]],
  ["adds and takes", [1, "take", 2, "take"]],
  ["completes", ["complete"]],
];
const others: [string, Move[]][] = [
  ["nothing", []],
  ["an add", [11]],
  ["a take", ["take"]],
  ["several laps", ["take", "take", 11, 12, "take", "take", 13, "take", 14, 15, "take"]],
  ["a lap that ends as it began", ["take", 11, "take", 12]],
  ["a completion", [11, "complete", 12, "take"]],
];
const fillings: number[][] = [[], [101], [101, 102]];

/** Every place at which the one thread can be interrupted or end. @returns how many there were. */
function explore(start: number, moves: readonly Move[], theirs: readonly Move[]): number {
  let schedules = 0;
  for (const filled of fillings) {
    for (const isKilled of [false, true]) {
      for (let at = 0, goesOn = true; goesOn; at++) {
        const ring = freshRing(start, filled);
        const ledger = new Ledger();
        const by = (): void => perform(ring, theirs, ledger);
        goesOn = interrupted({ at, by, isKilled }, () => perform(ring, moves, ledger));
        expectWhole(ring, ledger, filled);
        schedules++;
      }
    }
  }
  return schedules;
}

const FULL = 1 << 30;
const isCell = (index: number): boolean => index >= HEADER_WORDS && index < HEADER_WORDS + CAPACITY;
const faults: [string, typeof seam.isFaulty][] = [
  [
    "a take that does not compete",
    (index, from, to) => isCell(index) && (from & FULL) !== 0 && (to & FULL) === 0,
  ],
  [
    "an add that does not compete",
    (index, from, to) => isCell(index) && (from & FULL) === 0 && (to & FULL) !== 0,
  ],
  ["a completion that does not compete", (index, from, to) => isCell(index) && from >= 0 && to < 0],
  ["a claim that does not compete", (index) => index >= HEADER_WORDS + CAPACITY],
];

describe.each(starts)("ItemRing, stepped, beginning at %s", (_, start) => {
  describe.each(victims)("one that %s", (_name, moves) => {
    it.each(others)(
      "stands still before any operation, or ends there, while others do: %s",
      (_other, theirs) => {
        expect(explore(start, moves, theirs)).toBeGreaterThan(6);
      },
    );
  });

  it("teardown: two of them end, one inside what the other one was interrupted by", () => {
    let schedules = 0;
    for (const filled of fillings) {
      for (let at = 0, goesOn = true; goesOn; at++) {
        for (let inner = 0, isInside = true; isInside; inner++) {
          const ring = freshRing(start, filled);
          const ledger = new Ledger();
          isInside = false;
          const by = (): void => {
            const run = (): void => perform(ring, [11, "take", 12], ledger);
            isInside = interrupted(
              { at: inner, by: () => perform(ring, [21, "take"], ledger), isKilled: true },
              run,
            );
          };
          goesOn = interrupted({ at, by, isKilled: inner % 2 === 0 }, () =>
            perform(ring, ["take", 1, 2], ledger),
          );
          expectWhole(ring, ledger, filled);
          schedules++;
        }
      }
    }
    expect(schedules).toBeGreaterThan(100);
  });
});

describe("ItemRing, stepped", () => {
  it.each(faults)("the model finds %s", (_, isFaulty) => {
    seam.isFaulty = isFaulty;
    expect(() => {
      for (const [, moves] of victims) for (const [, theirs] of others) explore(0, moves, theirs);
    }).toThrow(/expected|No end/);
  });
  it("gives a thread that ended inside an add one spare block for good, and no more", () => {
    const ring = freshRing(0, []);
    const before = freeSpares(ring);
    for (let at = 0, goesOn = true; goesOn; at++) {
      const left = freeSpares(ring);
      goesOn = interrupted({ at, by: undefined, isKilled: true }, () => perform(ring, [1], new Ledger()));
      expect(left - freeSpares(ring)).toBeLessThanOrEqual(1);
      expect(takeAll(ring).length).toBeLessThanOrEqual(1);
    }
    // Neither those who have lost their last item by taking it, nor those who ended while they completed, keep any.
    const left = freeSpares(ring);
    expect(left).toBeGreaterThan(before - 12);
    for (let at = 0, goesOn = true; goesOn; at++) {
      ring.tryAdd(itemOf(1));
      goesOn = interrupted({ at, by: undefined, isKilled: true }, () =>
        perform(ring, ["take"], new Ledger()),
      );
      takeAll(ring);
    }
    expect(freeSpares(ring)).toBe(left);
  });

  it("finds no room once every spare block is lost, and can still be emptied and completed", () => {
    const ring = freshRing(0, [101]);
    const steps = stepsUntilClaim();
    // Each by an object of its own, as on a thread of its own.
    for (let left = freeSpares(ring); left > 0; left = freeSpares(ring)) {
      const own = new ItemRing(ring.buffer);
      seam.operations = 0;
      // Each search of a lost place is one operation more.
      const at = steps + (256 - left);
      interrupted({ at, by: undefined, isKilled: true }, () => perform(own, [1], new Ledger()));
      expect(freeSpares(ring)).toBe(left - 1);
    }
    expect(ring.tryAdd(itemOf(2))).toBe("full");
    ring.complete();
    expect([takeAll(ring), ring.isCompleted, ring.isEmpty]).toEqual([[101], true, true]);
  });
});

/** The words behind the header and the cells. */
function freeSpares(ring: ItemRing): number {
  const places = new Int32Array(ring.buffer, (HEADER_WORDS + CAPACITY) * 4, 256);
  return places.filter((word) => word > 0).length;
}

/** How many operations an add makes before it has taken its spare block. */
function stepsUntilClaim(): number {
  for (let at = 0; ; at++) {
    const ring = freshRing(0, [101]);
    const before = freeSpares(ring);
    interrupted({ at, by: undefined, isKilled: true }, () => perform(ring, [1], new Ledger()));
    if (freeSpares(ring) < before) return at;
  }
}
