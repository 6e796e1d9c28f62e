import { describe, expect, it } from "vitest";
import { OVER, WITHDRAWN } from "../../src/shared/call-state.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import { Model } from "./model/model.ts";
import type { Scenario } from "./model/scenario.ts";

const THREAD = 0;
const CALLER = 1;
const NOBODY = -1;
const model = new Model();

function scenario(caller: "giveUpCall" | "takeBackCall", hasty = 0): Scenario {
  return {
    threads: [["makeCall"], [caller, hasty]],
    prepare: () => {},
    atRest(run) {
      expect([THREAD, CALLER].map((thread) => run.blockedOn(thread))).toEqual([NOBODY, NOBODY]);
    },
    atEnd(run) {
      const [wasWithdrawn] = run.logs(CALLER);
      const hasBegunAndStopped = [1, 1];
      expect(run.logs(THREAD)).toEqual(wasWithdrawn === 1 ? [0] : hasBegunAndStopped);
      expect(run.control[0]).toBe(wasWithdrawn === 1 ? WITHDRAWN : OVER);
    },
  };
}

describe("CallState, stepped", { timeout: timeLimit(600_000) }, () => {
  it("either the thread begins the call and hears that it is to stop, or the caller has withdrawn it", () => {
    expect(model.explore(scenario("giveUpCall"), Infinity)).toBeGreaterThan(5);
  });

  it("either the thread begins the call, or the caller has it back", () => {
    expect(model.explore(scenario("takeBackCall"), Infinity)).toBeGreaterThan(5);
  });

  it("the model finds a caller that tells before it has said so", () => {
    expect(() => model.explore(scenario("giveUpCall", 1), Infinity)).toThrow(/schedule: /);
  });
});
