import { describe, expect, it } from "vitest";
import { SlotTable } from "../../src/shared/slot.ts";
import { Model } from "./model/model.ts";
import { BEGIN, END, FINISH, HASTY_LOOK, LOOK } from "./model/programs.ts";
import type { Scenario } from "./model/scenario.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const model = new Model(3);

/** Jobs 0, 1, 2 … run on these threads. */
function running(...threads: number[]): Scenario["prepare"] {
  return ({ slotsBuffer, layout }) => {
    const slots = new SlotTable(slotsBuffer, layout);
    for (const [slot, thread] of threads.entries()) slots.assign(slot, thread + 1);
  };
}

describe("JoinEdges, stepped", { timeout: timeLimit(600_000) }, () => {
  it("of two threads that wait for each other at least one sees the circle", () => {
    const schedules = model.explore(
      {
        threads: [
          ["joinScript", BEGIN + 1, LOOK],
          ["joinScript", BEGIN + 0, LOOK],
        ],
        prepare: running(0, 1),
        atEnd(run) {
          expect(run.logs(0).concat(run.logs(1))).toContain(1);
        },
      },
      4,
    );
    expect(schedules).toBeGreaterThan(20);
  });

  it("of three threads in a circle the last to begin sees it, and nobody outside of it does", () => {
    const schedules = model.explore(
      {
        threads: [
          ["joinScript", BEGIN + 1, LOOK],
          ["joinScript", BEGIN + 2, LOOK],
          ["joinScript", BEGIN + 0, LOOK],
        ],
        prepare: running(0, 1, 2),
        atEnd(run) {
          expect([0, 1, 2].flatMap((thread) => run.logs(thread))).toContain(1);
        },
      },
      2,
    );
    expect(schedules).toBeGreaterThan(100);
  });

  it("a thread that waits for one of a circle is not in it", () => {
    const schedules = model.explore(
      {
        threads: [
          ["joinScript", BEGIN + 1, LOOK],
          ["joinScript", BEGIN + 2, LOOK],
          ["joinScript", BEGIN + 1, LOOK],
        ],
        prepare: running(0, 1, 2),
        atEnd(run) {
          expect(run.logs(0)).toEqual([0]);
        },
      },
      2,
    );
    expect(schedules).toBeGreaterThan(100);
  });

  /** Thread 0 waits for 1, which waits for 2; that finishes what it is waited for, and only then waits for 0. */
  function passingScenario(look: number): Scenario {
    return {
      threads: [
        ["joinScript", BEGIN + 1, look, look],
        ["joinScript", BEGIN + 2, END],
        ["joinScript", FINISH + 2, BEGIN + 0],
      ],
      prepare: running(0, 1, 2),
      atEnd(run) {
        expect(run.logs(0)).toEqual([0, 0]);
      },
    };
  }

  it("edges that never hold at the same time are no circle", () => {
    expect(model.explore(passingScenario(LOOK), 3)).toBeGreaterThan(200);
  });

  it("nor when a thread waits for a second job in the same slot", () => {
    const schedules = model.explore(
      {
        threads: [
          ["joinScript", BEGIN + 1, LOOK, END, BEGIN + 1, LOOK],
          ["joinScript", FINISH + 1, BEGIN + 0, END],
        ],
        prepare: running(0, 1),
        atEnd(run) {
          expect(run.logs(0)).toEqual([0, 0]);
        },
      },
      Infinity,
    );
    expect(schedules).toBeGreaterThan(20);
  });

  it("the model finds that one reading is not enough", () => {
    expect(() => model.explore(passingScenario(HASTY_LOOK), 3)).toThrow(/schedule: /);
  });
});
