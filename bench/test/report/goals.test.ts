import { describe, expect, it } from "vitest";
import type { Scale } from "../../src/method/scenario.ts";
import { growth } from "../../src/report/goal-table.ts";
import { goals } from "../../src/report/goals.ts";
import { loadSection } from "../../src/sections.ts";
import { around, rawContender, rawScenario, rawSection } from "./raw-sections.ts";

const full: Scale = { mode: "full", rounds: 7, pick: (large) => large };
/** Its scenarios are made of a tree of files, which takes a while. */
const NOT_ASKED = "real-work";
/** Not measured where memory is scarce. */
const LONGEST = /10000000/;

describe("goals", () => {
  const asked = Map.groupBy(
    goals.filter(({ section, what }) => section !== NOT_ASKED && !LONGEST.test(what)),
    ({ section }) => section,
  );
  for (const [name, own] of asked) {
    it(`of ${name} name scenarios, metrics and contenders that there are`, async () => {
      const scenarios = await (await loadSection(name)).scenarios(full);
      const raw = rawSection(
        name,
        scenarios.map((scenario) =>
          rawScenario(
            scenario.contenders.map((contender) =>
              rawContender(
                contender.name,
                contender.kind,
                Object.fromEntries(scenario.metrics.map(({ key }) => [key, around(1)])),
              ),
            ),
            { name: scenario.name, metrics: scenario.metrics },
          ),
        ),
      );
      const without = own.filter(({ measure }) => measure(raw) === null);
      expect(without.map(({ what }) => what)).toEqual([]);
    });
  }

  it("growth compares the time of a job, not of all", () => {
    const queued = (count: number, ms: number) =>
      rawScenario([rawContender("skein", "skein", { totalMs: around(ms) })], {
        name: `queued-${count}`,
        metrics: [{ key: "totalMs", title: "time", unit: "ms", better: "lower" }],
      });
    const raw = rawSection("queued", [queued(1000, 10), queued(10_000, 150)]);
    expect(growth(10_000, 1000)(raw)!.value).toBeCloseTo(1.5);
    expect(growth(10_000, 100)(raw)).toBeNull();
  });
});
