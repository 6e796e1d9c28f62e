import { expect, it } from "vitest";
import { LARGE_BYTES, LargeValues } from "../../src/worker/large-values.ts";

it("LargeValues looks for garbage some time after the last large value, several times, and then no more", () => {
  let started = 0;
  const values = new LargeValues(() => started++);
  values.add(LARGE_BYTES - 1);
  expect([started, values.trim()]).toEqual([0, false]);
  values.add(LARGE_BYTES);
  expect([started, values.trim(), values.trim()]).toEqual([1, true, true]);
  // Again in use.
  values.add(1 << 30);
  expect([1, 2, 3, 4, 5].map(() => values.trim())).toEqual([true, true, true, false, false]);
});
