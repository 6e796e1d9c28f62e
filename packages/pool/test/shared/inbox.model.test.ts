import { describe, expect, it } from "vitest";
import { Inbox } from "../../src/shared/inbox.ts";
import { inboxBase, LINE_WORDS } from "../../src/shared/layout.ts";
import { Parking } from "../../src/shared/parking.ts";
import { SlotTable } from "../../src/shared/slot.ts";
import { Model } from "./model/model.ts";
import type { ModelMemory, Run, Scenario } from "./model/scenario.ts";
import { messageWord } from "./model/model-words.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const OWNER = 2;
const model = new Model();

function takeOf({ control, layout, slotsBuffer }: ModelMemory, submitter: number): number[] {
  const into = new Int32Array(layout.totalSlots);
  const count = new Inbox(control, layout, new SlotTable(slotsBuffer, layout), submitter).takeAll(into);
  return [...into.subarray(0, count)];
}

/** The owner waits for a message: nothing may be in the inbox, because nobody would tell it. */
function expectNothingForgotten(run: Run): void {
  expect(run.blockedOn(OWNER)).toBe(messageWord(run.layout));
  expect(takeOf(run, 0)).toEqual([]);
}

function scenarioWith(more: Partial<Scenario>): Scenario {
  return {
    threads: [
      ["finish", 0, 2],
      ["finish", 2, 1],
      ["own", 0],
    ],
    prepare: () => {},
    atRest: expectNothingForgotten,
    atEnd(run) {
      const taken = run.logs(OWNER);
      expect(new Set(taken)).toEqual(new Set([0, 1, 2]));
      expect(taken).toHaveLength(3);
      expect(taken.indexOf(0)).toBeLessThan(taken.indexOf(1));
    },
    ...more,
  };
}

/** Whoever was ended may have linked its job without having told so. */
function expectAllTold(run: Run): void {
  const taken = run.logs(OWNER);
  expect(new Set(taken).size).toBe(taken.length);
  for (const slot of [...run.logs(0), ...run.logs(1)]) expect(taken).toContain(slot);
}

describe("Inbox, stepped", { timeout: timeLimit(600_000) }, () => {
  it("mpmc: every job reaches its owner once, oldest first, and the owner never sleeps on one", () => {
    expect(model.explore(scenarioWith({}), 2)).toBeGreaterThan(1000);
  });

  it("stress: any schedule, any finisher ended", () => {
    expect(model.sample(scenarioWith({ mortal: [0, 1], atEnd: expectAllTold }), 600)).toBeGreaterThan(0);
  });

  it("teardown: a finisher that is ended anywhere, also with the bell in its hand, leaves nobody waiting", () => {
    expect(
      model.explore(
        scenarioWith({
          threads: [
            ["finish", 0, 1],
            ["finish", 2, 1],
            ["own", 0],
          ],
          mortal: [0],
          atEnd: expectAllTold,
        }),
        1,
      ),
    ).toBeGreaterThan(50);
  });

  it("the model finds an owner that does not go through `sleep` again after an exit", () => {
    expect(() =>
      model.explore(
        scenarioWith({
          threads: [
            ["finish", 0, 1],
            ["finish", 2, 1],
            ["own", 1],
          ],
          mortal: [0],
          atEnd: expectAllTold,
        }),
        1,
      ),
    ).toThrow(/schedule: .*0:kill/);
  });

  it("the model finds an owner that looks for the last time before it says that it sleeps", () => {
    const bellWord = inboxBase(model.layout, 0) + LINE_WORDS;
    expect(() =>
      model.explore(
        scenarioWith({
          prepare(memory) {
            memory.control[bellWord] = 1;
          },
          fault: { operation: "store", from: bellWord, to: bellWord + 1, value: 0, until: "wait" },
        }),
        1,
      ),
    ).toThrow(/schedule: /);
  });

  /** The owner is thread 0, which has no bell but its parking word. */
  function threadScenario(more: Partial<Scenario>): Scenario {
    return {
      threads: [
        ["awaitResults", 0],
        ["finishForThread", 4, 2],
        ["finishForThread", 6, 1],
      ],
      prepare({ control, layout }) {
        const parking = new Parking(control, layout);
        parking.setBusy(0);
        parking.setBusy(1);
      },
      atRest(run) {
        expect(run.blockedOn(0)).toBe(run.layout.parkWord);
        expect(takeOf(run, 1)).toEqual([]);
      },
      atEnd(run) {
        const taken = run.logs(0);
        expect(new Set(taken).size).toBe(taken.length);
        for (const slot of [...run.logs(1), ...run.logs(2)]) expect(taken).toContain(slot);
        expect(taken).toHaveLength(run.killed < 0 ? 3 : taken.length);
      },
      ...more,
    };
  }

  it("a thread never sleeps on a result: its parking word takes the place of the bell", () => {
    expect(model.explore(threadScenario({}), 2)).toBeGreaterThan(300);
    expect(model.explore(threadScenario({ timeouts: 1 }), 1)).toBeGreaterThan(50);
    expect(model.sample(threadScenario({ timeouts: 2 }), 300)).toBeGreaterThan(0);
  });

  function exitScenario(silent: 0 | 1): Scenario {
    return threadScenario({
      threads: [
        ["awaitResults", 0],
        ["finishForThread", 4, 2],
        ["tellOfExit", silent],
      ],
      mortal: [1],
      timeouts: 1,
      atEnd(run) {
        expect(run.logs(0)).toEqual(expect.arrayContaining(run.logs(1)));
      },
    });
  }

  it("teardown: a finisher that is ended anywhere leaves no thread asleep on a result: the host wakes it", () => {
    expect(model.explore(exitScenario(0), 1)).toBeGreaterThan(50);
  });

  it("the model finds a host that does not wake threads after an exit", () => {
    expect(() => model.explore(exitScenario(1), 1)).toThrow(/schedule: .*1:kill/);
  });

  it("the model finds a thread that looks for results for the last time before it says that it sleeps", () => {
    const threads: Scenario["threads"] = [
      ["awaitResults", 1],
      ["finishForThread", 4, 1],
    ];
    expect(() => model.explore(threadScenario({ threads }), 1)).toThrow(/schedule: /);
  });
});
