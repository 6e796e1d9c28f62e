import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EMPTY, Ring } from "../../src/shared/ring.ts";
import { DONE, FREE, QUEUED, RUNNING, SlotTable } from "../../src/shared/slot.ts";
import { Model, type ModelMemory, type Run, type Scenario } from "./model/model.ts";
import { ringWord, secondRingWord } from "./model/model-words.ts";

const CELLS = 4;
const HOST = 2;
let model: Model;

beforeAll(async () => {
  model = await Model.start();
});
afterAll(() => model[Symbol.asyncDispose]());

function partsOf({ control, layout, slotsBuffer }: ModelMemory): {
  ring: Ring;
  second: Ring;
  slots: SlotTable;
} {
  return {
    ring: new Ring(control, ringWord(layout), CELLS),
    second: new Ring(control, secondRingWord(layout), CELLS),
    slots: new SlotTable(slotsBuffer, layout),
  };
}

/** What the threads have finished, then what a last thread finds in the ring. */
function finishedJobs(run: Run): number[] {
  const { ring, slots } = partsOf(run);
  const jobs = [...run.logs(0), ...run.logs(1)];
  for (let slot = ring.pop(); slot !== EMPTY; slot = ring.pop()) {
    if (!slots.claim(slot, ring.poppedPosition, 0)) continue;
    jobs.push(slots.functionId(slot));
    slots.finish(slot, 0);
  }
  return jobs;
}

describe("SlotTable, stepped", () => {
  const scenario: Scenario = {
    threads: [
      ["runJobs", CELLS, 2],
      ["runJobs", CELLS, 2],
      ["submitAndWithdraw", CELLS],
    ],
    prepare: (memory) => partsOf(memory).ring.initialize(-1),
    atEnd(run) {
      const [withdrawn] = run.logs(HOST);
      expect(finishedJobs(run)).toEqual([withdrawn === 1 ? 12 : 11]);
      expect(partsOf(run).slots.state(0)).toBe(DONE);
    },
  };

  it("mpmc: a withdrawn job never starts, one that started is not withdrawn, each runs once", () => {
    expect(model.explore(scenario, 2)).toBeGreaterThan(1000);
  });

  it("stress: any schedule", () => {
    model.sample(scenario, 1000);
  });

  it("teardown: the job of a thread that is ended anywhere is found again, or known to be running there", () => {
    model.explore(
      {
        ...scenario,
        threads: [scenario.threads[0]!, ["runJobs", CELLS, 0], scenario.threads[2]!],
        mortal: [0],
        atEnd(run) {
          const { ring, slots } = partsOf(run);
          const [withdrawn] = run.logs(HOST);
          const job = withdrawn === 1 ? 12 : 11;
          expect(slots.functionId(0)).toBe(job);
          if (run.killed < 0) {
            expect(finishedJobs(run)).toEqual([job]);
            return;
          }
          // As the host does after an exit.
          const state = slots.state(0);
          if (state === QUEUED) {
            if (!ring.holds(0, slots.ticket(0))) ring.push(0, slots.words, slots.ticketWord(0));
            expect(finishedJobs(run)).toEqual([job]);
          } else {
            expect([RUNNING, DONE]).toContain(state);
            expect(slots.owner(0)).toBe(0);
            expect(finishedJobs(run)).toEqual(run.logs(0));
          }
        },
      },
      2,
    );
  });

  function fullRingScenario(byRelease: 0 | 1): Scenario {
    return {
      threads: [
        ["runJobs", CELLS, 1],
        ["submitToFullRing", CELLS, byRelease],
      ],
      prepare(memory) {
        const { ring, second, slots } = partsOf(memory);
        ring.initialize();
        second.initialize();
        // A former job of slot 0 was withdrawn; other withdrawn jobs fill the second ring.
        ring.push(0, slots.words, slots.ticketWord(0));
        for (const slot of [1, 2, 3, 3]) second.push(slot, slots.words, slots.ticketWord(slot));
      },
      atEnd(run) {
        const [backWithHost] = run.logs(1);
        expect(run.logs(0)).toEqual(backWithHost === 1 ? [] : [13]);
        if (backWithHost === 1) expect(partsOf(run).slots.state(0)).toBe(FREE);
      },
    };
  }

  it("a job whose push finds the ring full is withdrawn or claimed through a former entry, never both", () => {
    model.explore(fullRingScenario(0), 4);
  });

  it("the model finds a host that takes such a job back without asking whether it was claimed", () => {
    // Only where tickets of two rings are equal: the former entry lies at the position that the failed push has written.
    const scenario = fullRingScenario(1);
    expect(() =>
      model.explore(
        {
          ...scenario,
          prepare(memory) {
            scenario.prepare(memory);
          },
        },
        4,
      ),
    ).toThrow(/schedule: /);
  });
});
