import { describe, expect, it } from "vitest";
import { median, quantile, summarize } from "../../src/method/statistics.ts";

describe("statistics", () => {
  it("the median of an even number of samples lies between the middle two", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([9, 1, 5])).toBe(5);
  });

  it("the coefficient of variation is the sample deviation by the mean, and 0 for one sample", () => {
    // Mean 10, squared distances 4 + 0 + 4, n - 1 = 2: deviation 2.
    expect(summarize([8, 10, 12]).variation).toBeCloseTo(0.2, 12);
    expect(summarize([7])).toEqual({ median: 7, variation: 0, min: 7, max: 7, count: 1 });
  });

  it("samples that are all 0 have no variation instead of NaN", () => {
    expect(summarize([0, 0, 0]).variation).toBe(0);
  });

  it("a quantile is a sample that occurred", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(quantile(hundred, 0.5)).toBe(50);
    expect(quantile(hundred, 0.99)).toBe(99);
    expect(quantile(hundred, 1)).toBe(100);
    expect(quantile(Float64Array.of(3, 1, 2), 0)).toBe(1);
  });

  it("does not reorder what it is given", () => {
    const samples = [3, 1, 2];
    summarize(samples);
    quantile(samples, 0.5);
    expect(samples).toEqual([3, 1, 2]);
  });

  it("refuses to summarize nothing", () => {
    expect(() => summarize([])).toThrow(RangeError);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});
