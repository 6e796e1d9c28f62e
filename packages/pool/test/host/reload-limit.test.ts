import { expect, it } from "vitest";
import { ReloadLimit } from "../../src/host/reload-limit.ts";

/** Each failure is that of the thread which replaced the one before. */
function failInARow(limit: ReloadLimit, count: number, everyMs: number): number[] {
  return Array.from({ length: count }, (_, i) => limit.delayMs("file:///a.mjs", i + 1, i + 1, i * everyMs));
}

it("the first threads are replaced at once, later ones ever less often", () => {
  expect(failInARow(new ReloadLimit(), 10, 100)).toEqual([0, 0, 0, 0, 50, 100, 200, 400, 800, 1000]);
});

it("threads that were there when a failure was counted do not count again", () => {
  const limit = new ReloadLimit();
  const delays = Array.from({ length: 20 }, (_, i) => limit.delayMs("file:///a.mjs", i + 1, 20, i));
  expect(new Set(delays)).toEqual(new Set([0]));
});

it("modules do not count for each other, and what is long over does not count", () => {
  const limit = new ReloadLimit();
  failInARow(limit, 8, 1);
  expect(limit.delayMs("file:///b.mjs", 9, 9, 10)).toBe(0);
  expect(limit.delayMs("file:///a.mjs", 9, 9, 20_000)).toBe(0);
});
