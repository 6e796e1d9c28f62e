import { describe, expect, it } from "vitest";
import { ratioOfMedians } from "../../src/method/ratio.ts";
import { compare, verdictOf } from "../../src/method/verdict.ts";

const fast = [100, 101, 99, 102, 98, 100, 101];
const slow = [50, 51, 49, 52, 48, 50, 51];

describe("compare", () => {
  it("more is better: twice as much is an advantage of 2", () => {
    const { advantage, verdict } = compare(fast, slow, "higher");
    expect(advantage.value).toBe(2);
    expect(verdict).toBe("better");
    expect(compare(slow, fast, "higher").verdict).toBe("worse");
  });

  it("less is better: half as much is an advantage of 2", () => {
    const { advantage, verdict } = compare(slow, fast, "lower");
    expect(advantage.value).toBe(2);
    expect(verdict).toBe("better");
    expect(compare(fast, slow, "lower").verdict).toBe("worse");
  });

  it("a spread that hides the difference is a tie, however far apart the medians are", () => {
    const wide = [20, 200, 60, 180, 40, 120, 90];
    const other = [150, 30, 170, 50, 110, 190, 25];
    expect(compare(wide, other, "higher").verdict).toBe("tie");
  });

  it("too few rounds are a tie even when they do not overlap", () => {
    expect(compare([100, 101, 102], [50, 51, 52], "higher").verdict).toBe("tie");
  });

  it("a metric that is neither is never judged", () => {
    expect(compare(fast, slow, "neither").verdict).toBe("tie");
  });

  it("both tests must agree", () => {
    expect(verdictOf({ value: 2, low: 1.5, high: 2.5 }, 0.2, 0.05)).toBe("tie");
    expect(verdictOf({ value: 2, low: 0.9, high: 2.5 }, 0.001, 0.05)).toBe("tie");
    expect(verdictOf({ value: 2, low: 1.5, high: 2.5 }, 0.001, 0.05)).toBe("better");
    expect(verdictOf({ value: 0.5, low: 0.4, high: 0.6 }, 0.001, 0.05)).toBe("worse");
  });
});

describe("ratioOfMedians", () => {
  it("the same samples give the same interval", () => {
    expect(ratioOfMedians(fast, slow)).toEqual(ratioOfMedians(fast, slow));
  });

  it("a drift that hits both in the same rounds cancels", () => {
    const drift = [1, 2, 4, 8, 16, 32, 64];
    const { low, high } = ratioOfMedians(
      drift.map((x) => x * 3),
      drift,
    );
    expect([low, high]).toEqual([3, 3]);
  });

  it("the interval holds the ratio", () => {
    const { value, low, high } = ratioOfMedians(fast, slow);
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
  });
});
