import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Inbox } from "../../src/shared/inbox.ts";
import { inboxBase, LINE_WORDS } from "../../src/shared/layout.ts";
import { SlotTable } from "../../src/shared/slot.ts";
import { Model } from "./model/model.ts";
import type { ModelMemory, Run, Scenario } from "./model/scenario.ts";
import { messageWord } from "./model/model-words.ts";

const OWNER = 2;
let model: Model;

beforeAll(async () => {
  model = await Model.start();
});
afterAll(() => model[Symbol.asyncDispose]());

function take({ control, layout, slotsBuffer }: ModelMemory): number[] {
  const into = new Int32Array(layout.capacitySlots);
  const count = new Inbox(control, layout, new SlotTable(slotsBuffer, layout), 0).takeAll(into);
  return [...into.subarray(0, count)];
}

/** The owner waits for a message: nothing may be in the inbox, because nobody would tell it. */
function expectNothingForgotten(run: Run): void {
  expect(run.blockedOn(OWNER)).toBe(messageWord(run.layout));
  expect(take(run)).toEqual([]);
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

describe("Inbox, stepped", { timeout: 120_000 }, () => {
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
});
