import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "../../src/method/child.ts";
import { JOB_US } from "../../src/simulation/lengths.ts";
import type { Measured } from "../../src/simulation/measure-costs.ts";
import type { Point } from "../../src/simulation/point.ts";
import { writeSimulation } from "../../src/simulation/report.ts";
import { fingerprint } from "../report/raw-sections.ts";

const real = (base: number) =>
  [1, 2].flatMap((threads) => JOB_US.map((jobUs) => ({ threads, jobUs, perSecond: [base, base * 1.1] })));
/** Of no machine in particular. */
const measured: Measured = {
  costs: {
    loadNs: 1,
    storeNs: 7,
    casNs: 8,
    transferNs: 60,
    pauseNs: 30,
    clockNs: 40,
    notifyNs: 25,
    wakeNs: 5000,
    wakeLatencyNs: 30_000,
    sleepNs: 25,
    turnNs: 1000,
    messageNs: 5000,
    messageLatencyNs: 20_000,
  },
  jobs: { makeNs: 600, runNs: 500, settleNs: 600, forkNs: 300 },
  contendedNs: 20,
  cores: 2,
  bursts: real(500_000),
  divisions: real(1_000_000),
};

let folder = "";
/** With one thread, for all tests. */
let one: Promise<Point>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skein-simulation-"));
  writeFileSync(join(folder, "costs.json"), JSON.stringify(measured));
  one = simulate(1);
});
afterAll(() => rmSync(folder, { recursive: true }));

function simulate(threads: number): Promise<Point> {
  return runChild<Point>(new URL("../../src/simulation/point.ts", import.meta.url), {
    args: [String(threads), join(folder, "costs.json"), "200", "6"],
    flags: ["--no-warnings"],
  });
}

describe("the simulation of the pool", () => {
  it("runs every job, gives the same each time, and gains from threads while jobs are long", async () => {
    const [alone, again, four] = [await one, await simulate(1), await simulate(4)];
    expect(again).toEqual(alone);
    for (const { bursts, divisions } of [alone, four]) {
      // A host that missed a result would never have ended.
      for (const { perSecond } of [...bursts, ...divisions]) expect(perSecond).toBeGreaterThan(0);
    }
    const long = (point: Point, of: "bursts" | "divisions"): number =>
      point[of].find(({ jobUs }) => jobUs === 100)!.perSecond;
    expect(long(four, "bursts") / long(alone, "bursts")).toBeGreaterThan(3.5);
    expect(long(four, "divisions") / long(alone, "divisions")).toBeGreaterThan(3.5);
    // No more than the caller submits, and no more than the threads can.
    expect(long(four, "bursts")).toBeLessThanOrEqual(40_000);
    expect(alone.here).not.toBeNull();
    expect(four.here).toBeNull();
    // Nobody fails where nobody else takes.
    expect(alone.hastyRing).toBe(alone.ring[0]!.perSecond);
    expect(four.hastyRing).not.toBe(four.ring[0]!.perSecond);
  });

  it("its report has a curve for each length, and what was measured beside it", async () => {
    writeSimulation(folder, {
      fingerprint,
      at: "2026-01-01T00:00:00.000Z",
      measured,
      points: [await one, await simulate(2)],
    });
    const text = readFileSync(join(folder, "report.md"), "utf8");
    expect(text).toContain("| burst, empty jobs, 2 threads |");
    const svg = readFileSync(join(folder, "burst.svg"), "utf8");
    for (const name of ["empty jobs", "jobs of 100 us", "jobs of 100 us, measured"]) {
      expect(svg).toContain(`>${name}</text>`);
    }
    expect(readFileSync(join(folder, "ring.svg"), "utf8")).toContain(">one ring, without the pauses</text>");
  });
});
