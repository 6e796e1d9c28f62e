import { describe, expect, it } from "vitest";
import type { Scale, Section } from "../../src/method/scenario.ts";
import { batching } from "../../src/primitives/batching.ts";
import { contextPrimitives } from "../../src/primitives/context.ts";
import type { WayModule } from "../../src/primitives/way-process.ts";
import { scheduling } from "../../src/primitives/scheduling.ts";

const quick: Scale = { mode: "quick", rounds: 1, pick: (_, small) => small };
const DIVISOR = 1000;

async function roundsOf(scenario: string): Promise<ReturnType<WayModule["rounds"]>> {
  const { rounds } = (await import(`../../src/primitives/ways/${scenario}.ts`)) as WayModule;
  return rounds(DIVISOR);
}

for (const section of [scheduling, contextPrimitives, batching] satisfies Section[]) {
  describe(`section ${section.name}`, async () => {
    for (const { name, contenders, metrics } of await section.scenarios(quick)) {
      it(`${name}: each contender is a way of its module, and measures what the table shows`, async () => {
        const rounds = await roundsOf(name);
        expect(contenders.map((contender) => contender.name).toSorted()).toEqual(
          Object.keys(rounds).toSorted(),
        );
        for (const round of Object.values(rounds)) {
          const sample = await round();
          expect(Object.keys(sample)).toEqual(metrics.map(({ key }) => key));
          for (const value of Object.values(sample)) expect(value).toBeGreaterThanOrEqual(0);
        }
      });
    }
  });
}

it("a contender measures in a process of its own, and ends it", async () => {
  const [first] = await scheduling.scenarios(quick);
  const run = await first!.contenders[0]!.open();
  const { ns } = await run.round();
  expect(ns).toBeGreaterThan(0);
  await run.close();
  await expect(run.round()).rejects.toThrow("way-process.ts has ended");
});
