import { describe, expect, it } from "vitest";
import { Deque, EMPTY } from "../../src/shared/deque.ts";
import { dequeBase } from "../../src/shared/layout.ts";
import { DEQUE_STARTS } from "./deque-starts.ts";
import { Model } from "./model/model.ts";
import { GREEDY_POP, HASTY_POP, NO_ROOM, POP, POP_IF } from "./model/programs.ts";
import type { ModelMemory, Run, Scenario } from "./model/scenario.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const CELLS = 4;
const OWNER = 0;
const tickets = new Int32Array(8);
const model = new Model();

function dequeIn({ control, layout }: ModelMemory): Deque {
  return new Deque(control, dequeBase(layout, 0), layout.dequeCells);
}

/** Begins at `start`, with these slots pushed. */
function prepareWith(start: number, ...slots: number[]): Scenario["prepare"] {
  return (memory) => {
    const deque = dequeIn(memory);
    deque.initialize(start);
    for (const slot of slots) deque.push(slot, tickets, slot);
  };
}

function drain(deque: Deque): number[] {
  const slots: number[] = [];
  for (let slot = deque.steal(); slot !== EMPTY; slot = deque.steal()) slots.push(slot);
  return slots;
}

const slotsOnly = (log: number[]): number[] => log.filter((entry) => entry >= 0);
const sorted = (slots: number[]): number[] => slots.toSorted((a, b) => a - b);

/** What the threads have taken, then what is left. */
function found(run: Run): number[] {
  return [...[0, 1, 2].flatMap((thread) => slotsOnly(run.logs(thread))), ...drain(dequeIn(run))];
}

/** The deque still has all its cells and works. For an owner that lives, or after a restart. */
function expectWhole(deque: Deque): void {
  expect(deque.isEmpty()).toBe(true);
  expect(deque.pop()).toBe(EMPTY);
  for (let slot = 0; slot < CELLS; slot++) expect(deque.push(slot, tickets, slot)).toBe(true);
  expect(deque.push(4, tickets, 4)).toBe(false);
  expect([deque.steal(), deque.pop(), deque.pop(), deque.steal()]).toEqual([0, 3, 2, 1]);
}

/** Nothing lost, nothing twice, and each thread in its order. */
function expectEach(slots: number[]): Scenario["atEnd"] & object {
  return (run) => {
    // A thief's slots in the order of their pushes.
    for (const thief of [1, 2])
      expect(slotsOnly(run.logs(thief))).toEqual(sorted(slotsOnly(run.logs(thief))));
    expect(sorted(found(run))).toEqual(slots);
    expectWhole(dequeIn(run));
  };
}

describe("Deque, stepped", { timeout: timeLimit(600_000) }, () => {
  it("has four cells here", () => {
    expect(model.layout.dequeCells).toBe(CELLS);
  });

  for (const [name, start] of DEQUE_STARTS) {
    it(`spmc: the last one goes to one of two, in every interleaving, beginning at ${name}`, () => {
      const schedules = model.explore(
        {
          threads: [
            ["ownDeque", POP, POP],
            ["stealFrom", 2],
          ],
          prepare: prepareWith(start, 0),
          atEnd: expectEach([0]),
        },
        Infinity,
      );
      expect(schedules).toBeGreaterThan(50);
    });

    it(`spmc: two slots, owner and thief, in every interleaving, beginning at ${name}`, () => {
      const schedules = model.explore(
        {
          threads: [
            ["ownDeque", POP, POP],
            ["stealFrom", 1],
          ],
          prepare: prepareWith(start, 0, 1),
          atEnd: expectEach([0, 1]),
        },
        Infinity,
      );
      expect(schedules).toBeGreaterThan(50);
    });

    it(`spmc: pushes and pops in turn against two thieves, beginning at ${name}`, () => {
      const schedules = model.explore(
        {
          threads: [
            ["ownDeque", 1, POP, 2, 3, POP, POP, POP],
            ["stealFrom", 2],
            ["stealFrom", 2],
          ],
          prepare: prepareWith(start, 0),
          atEnd: expectEach([0, 1, 2, 3]),
        },
        2,
      );
      expect(schedules).toBeGreaterThan(200);
    });
  }

  for (const [name, start] of DEQUE_STARTS) {
    it(`spmc: what the owner wants back, it or a thief gets, in every interleaving, beginning at ${name}`, () => {
      const schedules = model.explore(
        {
          threads: [
            ["ownDeque", POP_IF - 1, POP_IF - 0, POP_IF - 0],
            ["stealFrom", 1],
          ],
          prepare: prepareWith(start, 0, 1),
          atEnd: expectEach([0, 1]),
        },
        Infinity,
      );
      expect(schedules).toBeGreaterThan(50);
    });
  }

  it("spmc: wanting back what is not the newest, or was taken long ago, changes nothing", () => {
    const schedules = model.explore(
      {
        threads: [
          ["ownDeque", POP_IF - 0, 2, POP_IF - 1, POP_IF - 2, 3, POP],
          ["stealFrom", 2],
          ["stealFrom", 1],
        ],
        prepare: prepareWith(-1, 0, 1),
        atEnd: expectEach([0, 1, 2, 3]),
      },
      2,
    );
    expect(schedules).toBeGreaterThan(200);
  });

  it("spmc: the last two against two thieves, in every interleaving", () => {
    const schedules = model.explore(
      {
        threads: [
          ["ownDeque", POP],
          ["stealFrom", 1],
          ["stealFrom", 1],
        ],
        prepare: prepareWith(-1, 0, 1),
        atEnd: expectEach([0, 1]),
      },
      Infinity,
    );
    expect(schedules).toBeGreaterThan(1000);
  });

  it("full means full: a push finds room as soon as a thief has taken one, and no cell is written over", () => {
    const schedules = model.explore(
      {
        threads: [
          ["ownDeque", 4, 5, 6],
          ["stealFrom", 2],
          ["stealFrom", 1],
        ],
        prepare: prepareWith(-3, 0, 1, 2, 3),
        atEnd(run) {
          const refused = run.logs(OWNER).filter((entry) => entry === NO_ROOM).length;
          const all = sorted(found(run));
          expect(all.slice(0, 4)).toEqual([0, 1, 2, 3]);
          expect([new Set(all).size, all.length]).toEqual([all.length, 7 - refused]);
        },
      },
      3,
    );
    expect(schedules).toBeGreaterThan(200);
  });

  it("isEmpty: never true while one is there that nobody takes", () => {
    const schedules = model.explore(
      {
        threads: [
          ["ownDeque", POP, 3, POP],
          ["stealFrom", 1],
          ["lookInto", 3],
        ],
        prepare: prepareWith(-1, 0, 1, 2),
        atEnd(run) {
          // At least one of the three stays, at any time.
          expect(run.logs(2)).toEqual([0, 0, 0]);
          expect(slotsOnly(run.logs(1))).toEqual([0]);
        },
      },
      3,
    );
    expect(schedules).toBeGreaterThan(200);
  });

  /** One thread may be ended anywhere. */
  function mortalScenario(...mortal: number[]): Scenario {
    return {
      threads: [
        ["ownDeque", 2, POP, POP, 3, POP],
        ["stealFrom", 2],
        ["stealFrom", 1],
      ],
      mortal,
      prepare: prepareWith(-1, 0, 1),
      atEnd(run) {
        const all = found(run);
        expect(new Set(all).size).toBe(all.length);
        const lost = [0, 1, 2, 3].filter((slot) => !all.includes(slot)).length;
        // A thief may have had one in its hands; the slots of an owner die with it.
        expect(lost).toBeLessThanOrEqual(run.killed < 0 ? 0 : run.killed === OWNER ? 4 : 1);
        const deque = dequeIn(run);
        if (run.killed === OWNER) deque.restart();
        expectWhole(deque);
      },
    };
  }

  it("teardown: an owner that is ended anywhere blocks no thief, and nothing is taken twice", () => {
    expect(model.explore(mortalScenario(OWNER), 1)).toBeGreaterThan(50);
  });

  it("teardown: a thief that is ended anywhere blocks nobody and takes one slot with it at most", () => {
    expect(model.explore(mortalScenario(1), 1)).toBeGreaterThan(50);
  });

  it("stress: any schedule, any thread ended", () => {
    expect(model.sample(mortalScenario(0, 1, 2), 600)).toBeGreaterThan(0);
  });

  /** Owner 0 is dead and has left slot 0; the next pushes 1 and 2. Thieves may be anywhere. */
  function successionScenario(again: 0 | 1): Scenario {
    return {
      threads: [
        ["succeedOwner", again, 1, 2],
        ["stealFrom", 2],
        ["stealFrom", 1],
      ],
      prepare: prepareWith(0, 0),
      atEnd(run) {
        const all = found(run);
        expect(new Set(all).size).toBe(all.length);
        expect(sorted(all.filter((slot) => slot !== 0))).toEqual([1, 2]);
        expectWhole(dequeIn(run));
      },
    };
  }

  it("teardown: nothing of a new owner is lost to a thief that still has the old deque in its hand", () => {
    expect(model.explore(successionScenario(0), 3)).toBeGreaterThan(200);
  });

  it("the model finds a new owner that begins at a former position", () => {
    expect(() => model.explore(successionScenario(1), 2)).toThrow(/schedule: /);
  });

  it("the model finds a pop that loads TOP before it stores BOTTOM", () => {
    expect(() =>
      model.explore(
        {
          threads: [
            ["ownDeque", HASTY_POP],
            ["stealFrom", 2],
          ],
          prepare: prepareWith(0, 0, 1),
          atEnd: expectEach([0, 1]),
        },
        2,
      ),
    ).toThrow(/schedule: /);
  });

  it("the model finds a pop that takes the last one without asking who else does", () => {
    expect(() =>
      model.explore(
        {
          threads: [
            ["ownDeque", GREEDY_POP],
            ["stealFrom", 1],
          ],
          prepare: prepareWith(0, 0),
          atEnd: expectEach([0]),
        },
        2,
      ),
    ).toThrow(/schedule: /);
  });
});
