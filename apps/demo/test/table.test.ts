import { expect, it } from "vitest";
import { layOut } from "../src/table.ts";
import type { Column } from "../src/table.ts";

const COLUMNS: Column[] = [
  { title: "what", fit: "end", min: 4 },
  { title: "n", align: "right" },
  { title: "how", align: "right", expendable: 1 },
  { title: "where", fit: "start", min: 5, expendable: 2 },
];
const ROWS = [
  ["functions", "12", "many", "src/one/two.ts"],
  ["x", "3", "few", "a.ts"],
];
const same = (title: string): string => title;

it("is as wide as its texts where there is room", () => {
  expect(layOut(COLUMNS, ROWS, 80, same)).toEqual([
    "what        n   how  where",
    "functions  12  many  src/one/two.ts",
    "x           3   few  a.ts",
  ]);
});

it("shortens the longest text first, at the end that says least", () => {
  expect(layOut(COLUMNS, ROWS, 28, same)).toEqual([
    "what       n   how  where",
    "functio…  12  many  …/two.ts",
    "x          3   few  a.ts",
  ]);
});

it("then leaves out what is missed least", () => {
  expect(layOut(COLUMNS, ROWS, 14, same)).toEqual(["what   n   how", "fun…  12  many", "x      3   few"]);
  expect(layOut(COLUMNS, ROWS, 80, same)).toEqual([
    "what        n   how  where",
    "functions  12  many  src/one/two.ts",
    "x           3   few  a.ts",
  ]);
});

it("shortens the longest text first, at the end that says least", () => {
  expect(layOut(COLUMNS, ROWS, 28, same)).toEqual([
    "what       n   how  where",
    "functio…  12  many  …/two.ts",
    "x          3   few  a.ts",
  ]);
});

it("then leaves out what is missed least", () => {
  expect(layOut(COLUMNS, ROWS, 14, same)).toEqual(
    ["what    n   how", "func…  12  many", "x       3   few"].map((line) =>
      line.replace("    n", "   n").replace("func…", "fun…").replace("x       3", "x      3"),
    ),
  );
  expect(layOut(COLUMNS, ROWS, 8, same)).toEqual(["what   n", "fun…  12", "x      3"]);
});

it("wraps at words where nothing may be lost", () => {
  const columns: Column[] = [{ align: "right" }, { fit: "wrap", min: 6, paint: (text) => `<${text}>` }];
  expect(layOut(columns, [["1", "one and two"]], 10)).toEqual(["1  <one and>", "   <two>"]);
});

it("does without rows", () => {
  expect(layOut(COLUMNS, [], 80)).toEqual([]);
});
