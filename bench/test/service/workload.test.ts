import { expect, it } from "vitest";
import { stretch } from "../../src/service/stretch.ts";
import { workloadOf } from "../../src/service/workload.ts";

it("the digests are those of the seeds in their order, and all differ", () => {
  const { digests, steps } = workloadOf(1000);
  expect(digests).toEqual(digests.map((_, seed) => stretch(seed, steps)));
  expect(new Set(digests).size).toBe(digests.length);
});

it("each step counts: one more gives another digest", () => {
  const results = Array.from({ length: 100 }, (_, steps) => stretch(7, steps));
  expect(new Set(results).size).toBe(100);
});

it("a digest does not depend on what was computed before", () => {
  const alone = stretch(1, 5000);
  stretch(2, 5000);
  expect(stretch(1, 5000)).toBe(alone);
});
