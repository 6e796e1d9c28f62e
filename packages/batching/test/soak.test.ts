import { describe, expect, it } from "vitest";
import { Soak } from "../bench/soak-run.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";

describe("soak", { timeout: timeLimit(120_000) }, () => {
  it("a second of ordinary life: every item is accounted for", async () => {
    const soak = new Soak();
    await soak.round(700);
    await soak.round(300);
    expect(soak.faults).toEqual([]);
    expect(soak.summary()).toContain(" 0 faults");
  });
});
