import { expect, it } from "vitest";
import { LineTable } from "../src/line-table.ts";

it.each([
  ["", 0],
  ["a", 1],
  ["a\n", 1],
  ["a\nb", 2],
  ["\n\n", 2],
  ["a\r\nb\r\n", 2],
  ["a\rb", 2],
])("%j has %i lines", (text, count) => {
  expect(new LineTable(text).count).toBe(count);
});

it("finds the line of every offset", () => {
  const table = new LineTable("ab\nc\r\n\nd");
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((offset) => table.lineAt(offset))).toEqual([1, 1, 1, 2, 2, 2, 3, 4]);
});
