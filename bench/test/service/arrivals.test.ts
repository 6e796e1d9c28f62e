import { expect, it } from "vitest";
import { HEAVY_ONE_IN, arrivals } from "../../src/service/arrivals.ts";

it("the same seed gives the same requests, another seed gives others", () => {
  expect(arrivals(3, 400, 2)).toEqual(arrivals(3, 400, 2));
  expect(arrivals(3, 400, 2).dueMs).not.toEqual(arrivals(4, 400, 2).dueMs);
});

it("each block of twenty requests has exactly one that is heavy, not always at the same place", () => {
  const { isHeavy } = arrivals(1, 400, 5);
  const places = new Set<number>();
  for (let block = 0; block < isHeavy.length; block += HEAVY_ONE_IN) {
    const heavies = isHeavy.slice(block, block + HEAVY_ONE_IN);
    expect(heavies.filter(Boolean)).toHaveLength(1);
    places.add(heavies.indexOf(true));
  }
  expect(places.size).toBeGreaterThan(HEAVY_ONE_IN / 2);
});

it("requests are due in order, at the rate that was asked for, in bunches", () => {
  const { dueMs } = arrivals(1, 400, 50);
  expect(dueMs).toEqual(dueMs.toSorted());
  expect(dueMs).toHaveLength(20_000);
  expect(dueMs.at(-1)).toBeGreaterThan(48_000);
  expect(dueMs.at(-1)).toBeLessThan(52_000);
  // Of exponential gaps, 1 - 1/e are shorter than the mean.
  const short = dueMs.filter((at, i) => at - (dueMs[i - 1] ?? 0) < 1000 / 400).length;
  expect(short / dueMs.length).toBeCloseTo(1 - 1 / Math.E, 1);
});
