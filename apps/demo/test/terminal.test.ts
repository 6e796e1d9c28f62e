import { describe, expect, it } from "vitest";
import { flowParts, styleFor, widthFor, wrap } from "../src/terminal.ts";

const RED = "\u001B[31m";

describe("colours", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "" }, true],
    [false, { FORCE_COLOR: "3", NO_COLOR: "1", TERM: "dumb" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "false" }, false],
  ])("on a terminal: %s, with %j: %s", (isTTY, env, expected) => {
    expect(styleFor({ isTTY }, env)("red", "text").startsWith(RED)).toBe(expected);
  });
});

describe("width", () => {
  it("is the terminal's, as far as lines can still be read", () => {
    expect(
      [undefined, 200, 72, 3].map((columns) => widthFor(columns === undefined ? {} : { columns })),
    ).toEqual([100, 100, 72, 40]);
  });
});

describe("lines", () => {
  it("end between words, and cut a word only where they must", () => {
    expect(wrap("the quick brown fox", 9)).toEqual(["the quick", "brown fox"]);
    expect(wrap("a incomprehensibilities b", 6)).toEqual(["a", "incomp", "rehens", "ibilit", "ies b"]);
    expect(wrap("", 6)).toEqual([""]);
  });

  it("take the parts that fit, whatever their colours", () => {
    expect(flowParts([`${RED}ab`, "cd", "efgh"], 6)).toEqual([`${RED}ab  cd`, "efgh"]);
  });
});
