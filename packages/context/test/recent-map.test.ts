import { expect, it } from "vitest";
import { KEPT, RecentMap } from "../src/recent-map.ts";

const value = { is: "value" };

it("RecentMap has the last ones, those that are asked for again and again, and no more", () => {
  const map = new RecentMap<object, object>();
  const keys = Array.from({ length: 4 * KEPT }, () => ({}));
  const [first] = keys as [object, ...object[]];
  for (const key of keys) {
    expect(map.get(key)).toBeUndefined();
    map.set(key, value);
    expect(map.get(first)).toBe(value);
    expect(map.get(key)).toBe(value);
  }
  for (const key of keys.slice(-KEPT + 10)) expect(map.get(key)).toBe(value);
  expect(keys.slice(1, KEPT).filter((key) => map.get(key) !== undefined)).toEqual([]);
});
