import { describe, expect, it } from "vitest";
import { JobQueues, NO_JOB, NO_THREAD } from "../../src/shared/job-queues.ts";
import { firstSlot } from "../../src/shared/layout.ts";
import { DONE, FREE, QUEUED, SlotTable } from "../../src/shared/slot.ts";
import { Model } from "./model/model.ts";
import { RELEASE, TAKE_BACK, TAKE_OWN, TO_DEQUE, TO_RING, WITHDRAW } from "./model/programs.ts";
import type { ModelMemory, Run, Scenario } from "./model/scenario.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const NORMAL = 1;
const OWNER = 0;
/** Of a thread that takes part when all others have ended. */
const LAST = 2;
const model = new Model(3);
/** The slots of thread 0. */
const a = firstSlot(model.layout, 1);
const b = a + 1;

function queuesOf({ control, layout, slotsBuffer }: ModelMemory, self: number): JobQueues {
  return new JobQueues(control, layout, new SlotTable(slotsBuffer, layout), self);
}

/** What the host does before the threads start; ring positions `offset` above those of the deque. */
function prepareAt(offset: number): Scenario["prepare"] {
  return (memory) => {
    const host = queuesOf(memory, NO_THREAD);
    // The deque begins at its number of cells.
    host.initialize((memory.layout.dequeCells + offset) | 0);
    host.prepareDeque(0);
  };
}

/** The jobs that were run, by anybody, in any order; the last thread runs what is left. */
function jobsRun(run: Run): number[] {
  const slots = new SlotTable(run.slotsBuffer, run.layout);
  const last = queuesOf(run, LAST);
  const jobs = [0, 1, 2].flatMap((thread) => run.logs(thread)).filter((job) => job > 0);
  for (let slot = last.take(9); slot !== NO_JOB; slot = last.take(9)) {
    jobs.push(slots.functionId(slot));
    slots.finish(slot, 9);
  }
  expect(last.isEmpty()).toBe(true);
  return jobs;
}

function withdrawn(run: Run): number[] {
  return run
    .logs(OWNER)
    .filter((job) => job < 0)
    .map((job) => -job);
}

/** Each job was run once or withdrawn, none both, none neither. `most`: so many can be submitted. */
function expectEachOnce(most: number): Scenario["atEnd"] & object {
  return (run) => {
    const jobs = [...jobsRun(run), ...withdrawn(run)].toSorted((x, y) => x - y);
    expect(jobs).toEqual(jobs.map((_, i) => 11 + i));
    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.length).toBeLessThanOrEqual(most);
    const slots = new SlotTable(run.slotsBuffer, run.layout);
    for (const slot of [a, b]) expect([FREE, DONE]).toContain(slots.state(slot));
  };
}

/** From one queue into the other, or into the same again; with positions that differ, or that happen to be the same. */
const WAYS: readonly [name: string, first: number, second: number, offset: number][] = [
  ["from deque to deque", TO_DEQUE, TO_DEQUE, 0],
  ["from deque to ring", TO_DEQUE, TO_RING, -1000],
  ["from deque to ring, both at the same position", TO_DEQUE, TO_RING, 0],
  ["from ring to deque", TO_RING, TO_DEQUE, -1000],
  ["from ring to deque, both at the same position", TO_RING, TO_DEQUE, 0],
];

describe("JobQueues, stepped", { timeout: timeLimit(600_000) }, () => {
  it("spmc: of two jobs the owner takes one and thieves the other, or one of them both, each once", () => {
    const schedules = model.explore(
      {
        threads: [
          ["submitLocally", a + TO_DEQUE, b + TO_DEQUE, TAKE_OWN, TAKE_OWN],
          ["takeAny", 1],
          ["takeAny", 1],
        ],
        prepare: prepareAt(0),
        atEnd: expectEachOnce(2),
      },
      2,
    );
    expect(schedules).toBeGreaterThan(300);
  });

  for (const [name, first, second, offset] of WAYS) {
    it(`a slot withdrawn and used again, ${name}: both jobs are withdrawn or run once`, () => {
      const schedules = model.explore(
        {
          threads: [
            ["submitLocally", a + first, a + WITHDRAW, a + second, TAKE_OWN],
            ["takeAny", 2],
          ],
          prepare: prepareAt(offset),
          atEnd: expectEachOnce(2),
        },
        2,
      );
      expect(schedules).toBeGreaterThan(40);
    });
  }

  it("fork and join: what the owner takes back runs with it or with a thief, its slot used again at once", () => {
    const schedules = model.explore(
      {
        threads: [
          [
            "submitLocally",
            a + TO_DEQUE,
            b + TO_DEQUE,
            b + TAKE_BACK,
            b + TO_DEQUE,
            b + TAKE_BACK,
            a + TAKE_BACK,
            a + TO_DEQUE,
          ],
          ["takeAny", 2],
          ["takeAny", 1],
        ],
        prepare: prepareAt(0),
        atEnd: expectEachOnce(4),
      },
      2,
    );
    expect(schedules).toBeGreaterThan(300);
  });

  for (const [name, first, second, offset] of WAYS) {
    it(`a slot withdrawn, used again and taken back, ${name}: both jobs are withdrawn or run once`, () => {
      const schedules = model.explore(
        {
          threads: [
            ["submitLocally", a + first, a + WITHDRAW, a + second, a + TAKE_BACK, TAKE_OWN],
            ["takeAny", 2],
          ],
          prepare: prepareAt(offset),
          atEnd: expectEachOnce(2),
        },
        2,
      );
      expect(schedules).toBeGreaterThan(40);
    });
  }

  function busyScenario(mortal: readonly number[]): Scenario {
    return {
      threads: [
        [
          "submitLocally",
          a + TO_DEQUE,
          b + TO_DEQUE,
          a + WITHDRAW,
          a + TO_RING,
          TAKE_OWN,
          b + WITHDRAW,
          b + TO_DEQUE,
          a + WITHDRAW,
          a + TO_DEQUE,
        ],
        ["takeAny", 3],
        ["takeAny", 2],
      ],
      mortal,
      prepare: prepareAt(0),
    };
  }

  it("stress: any schedule: each job is withdrawn or run once", () => {
    const scenario: Scenario = { ...busyScenario([]), atEnd: expectEachOnce(5) };
    expect(model.sample(scenario, 600)).toBeGreaterThan(0);
  });

  /** As settlement does after the exit of a thief: what is in no queue is queued again; then what is with the dead. */
  function expectFoundAgain(run: Run): void {
    const slots = new SlotTable(run.slotsBuffer, run.layout);
    const owner = queuesOf(run, OWNER);
    const lost = [a, b].filter((slot) => slots.state(slot) === QUEUED && !owner.holds(NORMAL, slot));
    for (const slot of lost) expect(owner.push(NORMAL, slot)).toBe(true);
    const jobs = [...jobsRun(run), ...withdrawn(run)];
    // The dead one may not have had the time to tell that it ran a job: then the slot says that it has it.
    for (const slot of [a, b]) {
      const withTheDead = slots.state(slot) !== FREE && slots.owner(slot) === run.killed + 1;
      if (withTheDead && !jobs.includes(slots.functionId(slot))) jobs.push(slots.functionId(slot));
    }
    jobs.sort((x, y) => x - y);
    expect(jobs).toEqual(jobs.map((_, i) => 11 + i));
  }

  it("teardown: a job of a thief that is ended anywhere is found again, or known to be with it", () => {
    const threads: Scenario["threads"] = [
      ["submitLocally", a + TO_DEQUE, b + TO_DEQUE, a + WITHDRAW, a + TO_RING, TAKE_OWN],
      ["takeAny", 2],
    ];
    const scenario = { ...busyScenario([1]), threads, atEnd: expectFoundAgain };
    expect(model.explore(scenario, 1)).toBeGreaterThan(50);
    expect(model.sample({ ...busyScenario([1, 2]), atEnd: expectFoundAgain }, 400)).toBeGreaterThan(0);
  });

  it("teardown: whatever an owner that is ended anywhere leaves is run once at most", () => {
    const scenario: Scenario = {
      ...busyScenario([OWNER]),
      atEnd(run) {
        const jobs = [...jobsRun(run), ...withdrawn(run)];
        expect(new Set(jobs).size).toBe(jobs.length);
      },
    };
    expect(model.sample(scenario, 400)).toBeGreaterThan(0);
  });

  it("the model finds an owner that takes a job back without asking whether it was claimed", () => {
    expect(() =>
      model.explore(
        {
          threads: [
            ["submitLocally", a + TO_DEQUE, a + RELEASE, a + TO_DEQUE],
            ["takeAny", 2],
          ],
          prepare: prepareAt(0),
          atEnd: expectEachOnce(2),
        },
        2,
      ),
    ).toThrow(/schedule: /);
  });
});
