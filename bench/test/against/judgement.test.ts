import { describe, expect, it } from "vitest";
import { confirmed, judge, type Judgement } from "../../src/against/judgement.ts";
import type { Metric } from "../../src/method/scenario.ts";

const rate: Metric = { key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" };
const time: Metric = { key: "us", title: "time", unit: "us", better: "lower" };

const around = (median: number, spread: number): number[] =>
  [-3, -2, -1, 0, 1, 2, 3].map((i) => median * (1 + (i * spread) / 3));

function verdict(metric: Metric, before: number[], after: number[]): string {
  return judge({ place: "somewhere", metric, before, after }).verdict;
}

describe("judge", () => {
  it("less throughput, more time: slower", () => {
    expect(verdict(rate, around(100, 0.02), around(80, 0.02))).toBe("slower");
    expect(verdict(time, around(10, 0.02), around(13, 0.02))).toBe("slower");
  });

  it("more throughput, less time: faster", () => {
    expect(verdict(rate, around(100, 0.02), around(130, 0.02))).toBe("faster");
    expect(verdict(time, around(10, 0.02), around(7, 0.02))).toBe("faster");
  });

  it("a difference within the noise is none", () => {
    expect(verdict(rate, around(100, 0.3), around(85, 0.3))).toBe("same");
  });

  it("a difference of two percent is none, however sure it is", () => {
    expect(verdict(rate, around(100, 0.001), around(98, 0.001))).toBe("same");
  });
});

describe("confirmed", () => {
  const judged = (after: number, place = "somewhere"): Judgement =>
    judge({ place, metric: time, before: around(10, 0.02), after: around(after, 0.02) });
  const slower = judged(13);

  it("slower twice is slower, with the numbers of the second time", () => {
    expect(confirmed(slower, [judged(14, "elsewhere"), judged(12)])).toMatchObject({
      verdict: "slower",
      after: around(12, 0.02),
    });
  });

  it("slower once is the same, even when it is faster the second time", () => {
    expect(confirmed(slower, [judged(10)]).verdict).toBe("same");
    expect(confirmed(slower, [judged(7)]).verdict).toBe("same");
  });

  it("what could not be measured again stays slower", () => {
    expect(confirmed(slower, [])).toBe(slower);
  });
});
