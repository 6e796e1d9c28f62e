import { expect, it } from "vitest";
import { nameOf } from "../../src/jobs/function-name.ts";
import { inlineSource } from "../../src/jobs/inline-function.ts";
import { inheriting } from "../inherited.ts";

function named(): number {
  return 1;
}
const long = (text: string): string =>
  text + "-".repeat(1) + "-".repeat(2) + "-".repeat(3) + "-".repeat(4) + "-".repeat(5);

it.each([
  [named, /^named$/],
  [(): number => 1, /^\(\) => 1$/],
  [long, /^\(text\) => text \+ .{62}…$/],
])("an inline function is shown by its name, or by its source, shortened", (fn, shown) => {
  expect(nameOf({ kind: "inline", source: inlineSource(fn), from: null })).toMatch(shown);
});

it("a job is shown as a chunk only if it is one, whatever plain objects inherit", () => {
  const source = { kind: "export", url: "file:///a.js", name: "area" } as const;
  expect(inheriting({ each: true }, () => nameOf(source))).toBe("area");
  expect(nameOf({ ...source, each: true })).toBe("area (chunk)");
});
