import { expect, it } from "vitest";
import { NewValues } from "../src/new-values.ts";

const of = (...histogram: [number, number][]) => ({ p50: 0, p99: 0, max: 0, mean: 0, histogram });

it("gives each value once, in seconds", () => {
  const values = new NewValues();
  expect(values.take(of([1, 2], [2000, 1]))).toEqual([0.001, 0.001, 2]);
  expect(values.take(of([1, 2], [5, 1], [2000, 2]))).toEqual([0.005, 2]);
  expect(values.take(of([1, 2], [5, 1], [2000, 2]))).toEqual([]);
});

it("gives an even choice of 1,000 when there are more", () => {
  const values = new NewValues();
  const taken = values.take(of([1, 900_000], [10, 99_000], [100, 1000]));
  const count = (seconds: number): number => taken.filter((value) => value === seconds).length;
  expect([count(0.001), count(0.01), count(0.1)]).toEqual([900, 99, 1]);
});
