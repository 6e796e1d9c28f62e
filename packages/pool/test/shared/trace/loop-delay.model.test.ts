import { describe, expect, it } from "vitest";
import { timeLimit } from "../../../../../test/support/time-limit.ts";
import { Model } from "../model/model.ts";
import { dueMs, lateUs, LOOKS_AT, LOOP_DELAYS, NOT_YET } from "../model/programs.ts";
import type { Run, Scenario } from "../model/scenario.ts";

const WRITER = 0;
const READER = 1;
const TURNS = 3;
const turns = Array.from({ length: TURNS }, (_, i) => i + 1);
const model = new Model();

/** A look: what it told, and how many turns there were when it began and when it ended. */
interface Look {
  readonly told: number;
  readonly from: number;
  readonly until: number;
}

function scenario(standsStill: 0 | 1, hasty: 0 | 1, check: (looks: readonly Look[]) => void): Scenario {
  // How many turns there were when each look began.
  let before: number[] = [];
  return {
    threads: [
      ["tickLoop", TURNS, standsStill, hasty],
      ["readLoopAlong", 3],
    ],
    prepare: () => void (before = [0]),
    mortal: [WRITER],
    always: (run: Run) => void (before[run.logs(READER).length] ??= run.logs(WRITER).length),
    atEnd: (run: Run) =>
      check(run.logs(READER).map((told, i) => ({ told, from: before[i]!, until: before[i + 1]! }))),
  };
}

/** Each delay is told by the look before whose begin it was written, or by the one before that; none by a later one. */
function expectEachOnce(looks: readonly Look[]): void {
  let earlier: Look = { told: NOT_YET, from: 0, until: 0 };
  for (const look of looks) {
    expect([...ifNone(look), 0, ...turns.slice(earlier.from).map(lateUs)]).toContain(look.told);
    // In the place of others the next turn may be already.
    const owed = turns
      .slice(earlier.from, look.from)
      .filter((turn) => turn > look.until + 1 - LOOP_DELAYS)
      .map(lateUs);
    expect(Math.max(earlier.told, look.told)).toBeGreaterThanOrEqual(Math.max(NOT_YET, ...owed));
    earlier = look;
  }
}

/** Each look tells how late the loop is by then, from the turn before it on. */
function expectLate(looks: readonly Look[]): void {
  for (const look of looks) {
    const since = turns.slice(Math.max(0, look.from - 1));
    expect([...ifNone(look), ...since.map((turn) => (LOOKS_AT - dueMs(turn, 1)) * 1000)]).toContain(
      look.told,
    );
  }
}

/** What a look may tell because there was no turn when it began. */
function ifNone({ from }: Look): number[] {
  return from === 0 ? [NOT_YET] : [];
}

describe("LoopDelay, stepped", { timeout: timeLimit(600_000) }, () => {
  it("whoever reads along misses no delay and is told none later, also when the thread is ended anywhere", () => {
    expect(model.explore(scenario(0, 0, expectEachOnce), 3)).toBeGreaterThan(50);
  });

  it("whoever reads along sees how late a loop is that stands still, wherever it does", () => {
    expect(model.explore(scenario(1, 0, expectLate), 3)).toBeGreaterThan(50);
  });

  it("the model finds a writer that counts a turn before its delay is there", () => {
    expect(() => model.explore(scenario(0, 1, expectEachOnce), 2)).toThrow(/schedule: /);
  });
});
