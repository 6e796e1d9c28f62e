import { array, assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { rankTest } from "../../src/method/rank-test.ts";

describe("rankTest", () => {
  it("samples that do not overlap: two of all arrangements are as extreme", () => {
    // 7 of 14: 3432 arrangements. 4 of 8: 70.
    expect(rankTest([1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14])).toBeCloseTo(2 / 3432, 12);
    expect(rankTest([1, 2, 3, 4], [5, 6, 7, 8])).toBeCloseTo(2 / 70, 12);
  });

  it("agrees with an enumeration by hand of 2 next to 2", () => {
    // Rank sums of the 6 arrangements: 3 4 5 5 6 7, the middle is 5.
    expect(rankTest([1, 2], [3, 4])).toBeCloseTo(2 / 6, 12);
    expect(rankTest([1, 3], [2, 4])).toBeCloseTo(4 / 6, 12);
    expect(rankTest([1, 4], [2, 3])).toBe(1);
  });

  it("equal samples tell nothing", () => {
    expect(rankTest([5, 5, 5, 5], [5, 5, 5, 5])).toBe(1);
    expect(rankTest([], [1, 2])).toBe(1);
  });

  it("is the same from both sides, and stays a probability", () => {
    const samples = array(integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 });
    assert(
      property(samples, samples, (a, b) => {
        const p = rankTest(a, b);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(rankTest(b, a)).toBeCloseTo(p, 10);
      }),
    );
  });

  it("many samples are approximated: far apart and alike", () => {
    const low = Array.from({ length: 40 }, (_, i) => i);
    const high = low.map((x) => x + 100);
    const same = low.map((x) => x + 0.5);
    expect(rankTest(low, high)).toBeLessThan(1e-9);
    expect(rankTest(low, same)).toBeGreaterThan(0.5);
  });
});
