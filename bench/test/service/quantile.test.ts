import { expect, it } from "vitest";
import { quantile } from "../../src/service/quantile.ts";

it("is the smallest sample that the given part does not exceed, in any order", () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([0, 0.01, 0.5, 0.99, 1].map((q) => quantile(samples, q))).toEqual([1, 1, 50, 99, 100]);
});

it("compares numbers, not their text", () => {
  expect(quantile([10, 9, 100], 0.5)).toBe(10);
});

it("of nothing is not a number", () => {
  expect(quantile([], 0.5)).toBeNaN();
});
