import { describe, expect, it } from "vitest";
import { findDuplicates, fingerprintWords } from "../src/duplicates.ts";
import type { Duplicates } from "../src/duplicates.ts";
import { measured, repeatsAmong } from "./measured.ts";

function duplicatesIn(files: Readonly<Record<string, string>>): Duplicates {
  const list = Object.entries(files).map(([path, text]) => ({ path, bodies: measured(path, text).bodies }));
  const words = fingerprintWords(list.map(({ bodies }) => bodies));
  return findDuplicates(list, 10, repeatsAmong(words));
}

const SUM =
  "function sum(list) {\n  let total = 0;\n  for (const item of list) total += item;\n  return total;\n}\n";
const RENAMED = SUM.replaceAll("total", "all").replaceAll("list", "values").replaceAll("sum", "add");

describe("duplicates", () => {
  it("are none where nothing repeats", () => {
    expect(duplicatesIn({ "a.js": SUM })).toMatchObject({ groups: 0, repeatedLines: 0, largest: [] });
  });

  it("are functions of the same shape, the first being the original", () => {
    const { groups, repeatedFunctions, repeatedLines, largest, repeatedLinesOfFile } = duplicatesIn({
      "a.js": SUM,
      "b.js": `// b\n${RENAMED}`,
      "c.js": SUM + RENAMED,
    });
    expect({ groups, repeatedFunctions, repeatedLines }).toEqual({
      groups: 1,
      repeatedFunctions: 3,
      repeatedLines: 15,
    });
    expect(repeatedLinesOfFile).toEqual([0, 5, 10]);
    expect(largest[0]).toMatchObject({ copies: 4, repeatedLines: 15 });
    expect(largest[0]!.places).toEqual([
      { path: "a.js", line: 1, lines: 5, name: "sum" },
      { path: "b.js", line: 2, lines: 5, name: "add" },
      { path: "c.js", line: 1, lines: 5, name: "sum" },
      { path: "c.js", line: 6, lines: 5, name: "add" },
    ]);
  });

  it("inside larger duplicates are not reported again", () => {
    const nested = `function outer() {\n${SUM}return sum([1, 2]);\n}\n`;
    const found = duplicatesIn({ "a.js": nested, "b.js": nested });
    expect(found).toMatchObject({ groups: 1, repeatedFunctions: 1, repeatedLines: 8 });
    expect(found.largest[0]!.places[0]!.name).toBe("outer");
  });

  it("inside larger duplicates count where they also occur by themselves", () => {
    const nested = `function outer() {\n${SUM}return sum([1, 2]);\n}\n`;
    const found = duplicatesIn({ "a.js": nested, "b.js": nested, "c.js": SUM });
    expect(found).toMatchObject({ groups: 2, repeatedFunctions: 2, repeatedLines: 8 + 5 });
    expect(found.repeatedLinesOfFile).toEqual([0, 8, 5]);
  });

  it("need a minimum of syntax nodes", () => {
    expect(duplicatesIn({ "a.js": "const a = () => 1;", "b.js": "const b = () => 1;" }).groups).toBe(0);
  });
});
