import { describe, expect, it } from "vitest";
import { EMPTY, Ring } from "../../src/shared/ring.ts";
import { DONE, FREE, QUEUED, RUNNING, SlotTable } from "../../src/shared/slot.ts";
import { Model } from "./model/model.ts";
import type { ModelMemory, Run, Scenario } from "./model/scenario.ts";
import { ringWord, secondRingWord } from "./model/model-words.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const CELLS = 4;
const HOST = 2;
const model = new Model();

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

/** The job ran once, or it is known to be in the hands of the thread that was ended. */
function expectOneEnd(run: Run): void {
  const { ring, slots } = partsOf(run);
  const job = run.logs(HOST)[0] === 1 ? 12 : 11;
  expect(slots.functionId(0)).toBe(job);
  // As the host does after an exit.
  const isQueued = slots.state(0) === QUEUED;
  if (isQueued && !ring.holds(0, slots.ticket(0))) ring.push(0, slots.words, slots.ticketWord(0));
  const withTheDead = run.killed >= 0 && !isQueued;
  expect(withTheDead ? [RUNNING, DONE] : [slots.state(0)]).toContain(slots.state(0));
  expect(withTheDead ? slots.owner(0) : 0).toBe(0);
  expect(finishedJobs(run)).toEqual(withTheDead ? run.logs(0) : [job]);
}

describe("SlotTable, stepped", { timeout: timeLimit(600_000) }, () => {
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
    expect(model.explore(scenario, 2)).toBeGreaterThan(500);
  });

  it("stress: any schedule", () => {
    expect(model.sample(scenario, 400)).toBeGreaterThan(0);
  });

  it("teardown: the job of a thread that is ended anywhere is found again, or known to be running there", () => {
    expect(
      model.explore(
        {
          ...scenario,
          threads: [scenario.threads[0]!, ["runJobs", CELLS, 0], scenario.threads[2]!],
          mortal: [0],
          atEnd: expectOneEnd,
        },
        2,
      ),
    ).toBeGreaterThan(50);
  });

  const seen = new Set<number>();
  function endings(careless: 0 | 1): Scenario {
    return {
      threads: [["endAndGoOn"], ["doom", careless]],
      prepare(memory) {
        const { slots } = partsOf(memory);
        slots.describeJob(0, 11, 0, 0, 0, true);
        for (const slot of [0, 1]) slots.assign(slot, 0);
      },
      atEnd(run) {
        const [isDoomed] = run.logs(1);
        seen.add(isDoomed!);
        expect(run.logs(0)).toEqual(isDoomed === 1 ? [] : [0, 1]);
        expect(partsOf(run).slots.isCancelRequested(0)).toBe(true);
      },
    };
  }

  it("a thread that is terminated because of a job has taken no other, and one that has ended the job is let live", () => {
    model.explore(endings(0), 6);
    expect(seen).toEqual(new Set([0, 1]));
  });

  it("the model finds a submitter that terminates without asking", () => {
    expect(() => model.explore(endings(1), 6)).toThrow(/schedule: /);
  });

  const outcomes = new Set<string>();
  it("a job that was asked to stop before it began is never begun, and its thread not terminated because of it", () => {
    const { prepare } = endings(0);
    model.explore(
      {
        threads: [["beginOrNot"], ["doom", 0]],
        prepare(memory) {
          prepare(memory);
          partsOf(memory).slots.notBegun(0);
        },
        atEnd(run) {
          const hasBegun = run.logs(0).length === 1;
          const isDoomed = run.logs(1)[0] === 1;
          outcomes.add(`${hasBegun} ${isDoomed}`);
        },
      },
      6,
    );
    expect(outcomes).toEqual(new Set(["true true", "true false", "false false"]));
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
        expect([run.logs(0), partsOf(run).slots.state(0)]).toEqual(
          backWithHost === 1 ? [[], FREE] : [[13], DONE],
        );
      },
    };
  }

  it("a job whose push finds the ring full is withdrawn or claimed through a former entry, never both", () => {
    expect(model.explore(fullRingScenario(0), 4)).toBeGreaterThan(50);
  });

  it("the model finds a host that takes such a job back without asking whether it was claimed", () => {
    expect(() => model.explore(fullRingScenario(1), 4)).toThrow(/schedule: /);
  });
});
