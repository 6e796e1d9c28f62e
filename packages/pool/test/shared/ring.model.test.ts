import { describe, expect, it } from "vitest";
import { EMPTY, Ring } from "../../src/shared/ring.ts";
import { Model } from "./model/model.ts";
import type { ModelMemory, Run, Scenario } from "./model/scenario.ts";
import { ringWord } from "./model/model-words.ts";
import { RING_STARTS } from "./ring-starts.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const CELLS = 4;
const tickets = new Int32Array(1);
const model = new Model();

function ringIn({ control, layout }: ModelMemory, cells = CELLS): Ring {
  return new Ring(control, ringWord(layout), cells);
}

function drain(ring: Ring): number[] {
  const slots: number[] = [];
  for (let slot = ring.pop(); slot !== EMPTY; slot = ring.pop()) slots.push(slot);
  return slots;
}

/** The ring still has all its cells, whatever became of the threads. */
function expectWhole(ring: Ring, cells = CELLS): void {
  expect(ring.isEmpty()).toBe(true);
  const slots = Array.from({ length: cells }, (_, i) => 100 + i);
  for (const slot of slots) expect(ring.push(slot, tickets, 0)).toBe(true);
  expect(ring.push(99, tickets, 0)).toBe(false);
  expect(ring.isEmpty()).toBe(false);
  expect(drain(ring)).toEqual(slots);
}

const sorted = (slots: number[]): number[] => slots.toSorted((a, b) => a - b);

describe("Ring, stepped", { timeout: timeLimit(600_000) }, () => {
  for (const [name, start] of RING_STARTS) {
    it(`mpmc: nothing lost, nothing twice, beginning at ${name}`, () => {
      const schedules = model.explore(
        {
          threads: [
            ["produce", CELLS, 0, 1],
            ["produce", CELLS, 10, 1],
            ["consume", CELLS, 2],
          ],
          prepare: (memory) => ringIn(memory).initialize(start),
          atEnd(run) {
            const found = [...run.logs(2).filter((slot) => slot !== EMPTY), ...drain(ringIn(run))];
            expect(sorted(found)).toEqual([0, 10]);
            expectWhole(ringIn(run));
          },
        },
        2,
      );
      expect(schedules).toBeGreaterThan(100);
    });
  }

  it("spsc: first in, first out, and full means full", () => {
    expect(
      model.explore(
        {
          threads: [
            ["produce", 2, 0, 3],
            ["consume", 2, 3],
          ],
          prepare: (memory) => ringIn(memory, 2).initialize(-1),
          atEnd(run) {
            const pushed = run.logs(0).filter((slot) => slot >= 0);
            const popped = run.logs(1).filter((slot) => slot !== EMPTY);
            expect(pushed.slice(0, 2)).toEqual([0, 1]);
            expect([...popped, ...drain(ringIn(run, 2))]).toEqual(pushed);
            expectWhole(ringIn(run, 2), 2);
          },
        },
        3,
      ),
    ).toBeGreaterThan(50);
  });

  it("isEmpty: false after a push that nobody can have taken", () => {
    expect(
      model.explore(
        {
          threads: [
            ["pushAndLook", 2, 0],
            ["pushAndLook", 2, 1],
          ],
          prepare: (memory) => ringIn(memory, 2).initialize(-1),
          atEnd(run) {
            expect([...run.logs(0), ...run.logs(1)]).toEqual([1, 0, 1, 0]);
          },
        },
        4,
      ),
    ).toBeGreaterThan(50);
  });

  it("isEmpty: true for consumers who have emptied it, whatever the counters say", () => {
    expect(
      model.explore(
        {
          threads: [
            ["popAllAndLook", CELLS],
            ["popAllAndLook", CELLS],
          ],
          prepare(memory) {
            ringIn(memory).initialize(-1);
            ringIn(memory).push(0, tickets, 0);
            ringIn(memory).push(1, tickets, 0);
          },
          atEnd(run) {
            expect([...run.logs(0), ...run.logs(1)]).toEqual([1, 1]);
          },
        },
        3,
      ),
    ).toBeGreaterThan(50);
  });

  /** One thread may be ended anywhere. */
  function mortalScenario(mortal: number[]): Scenario {
    return {
      threads: [
        ["produce", 2, 0, 2],
        ["produce", 2, 10, 1],
        ["consume", 2, 3],
      ],
      mortal,
      prepare: (memory) => ringIn(memory, 2).initialize(-1),
      atEnd: expectNothingLostButByTheDead,
    };
  }

  function expectNothingLostButByTheDead(run: Run): void {
    const pushed = [...run.logs(0), ...run.logs(1)].filter((slot) => slot >= 0);
    const found = [...run.logs(2).filter((slot) => slot !== EMPTY), ...drain(ringIn(run, 2))];
    expect(new Set(found).size).toBe(found.length);
    const lost = pushed.filter((slot) => !found.includes(slot));
    const unknown = found.filter((slot) => !pushed.includes(slot));
    // A consumer may have had one in its hands; a producer may have got one in without being able to say so.
    expect(lost.length).toBeLessThanOrEqual(run.killed === 2 ? 1 : 0);
    expect(unknown.length).toBeLessThanOrEqual(run.killed >= 0 && run.killed < 2 ? 1 : 0);
    expectWhole(ringIn(run, 2), 2);
  }

  it("teardown: a producer that is ended anywhere blocks nobody and loses nothing", () => {
    expect(model.explore(mortalScenario([0]), 1)).toBeGreaterThan(50);
  });

  it("teardown: a consumer that is ended anywhere blocks nobody and takes one slot with it at most", () => {
    expect(model.explore(mortalScenario([2]), 1)).toBeGreaterThan(50);
  });

  it("stress: any schedule, any thread ended", () => {
    expect(model.sample(mortalScenario([0, 1, 2]), 600)).toBeGreaterThan(0);
  });

  it("the model finds a consumer that moves the head before it has the cell", () => {
    const { layout } = model;
    const base = ringWord(layout);
    expect(() =>
      model.explore(
        {
          threads: [
            ["consume", CELLS, 1],
            ["consume", CELLS, 1],
          ],
          fault: { operation: "cas", from: base + 32, to: base + 36, value: 0, until: "cas" },
          prepare(memory) {
            ringIn(memory).initialize();
            for (const slot of [0, 1]) ringIn(memory).push(slot, tickets, 0);
          },
          atEnd(run) {
            const found = [...run.logs(0), ...run.logs(1), ...drain(ringIn(run))];
            expect(sorted(found.filter((slot) => slot !== EMPTY))).toEqual([0, 1]);
          },
        },
        2,
      ),
    ).toThrow(/schedule: .*1:cas/);
  });
});
