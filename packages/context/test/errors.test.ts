import { describe, expect, it } from "vitest";
import {
  argumentRangeError,
  argumentTypeError,
  InvalidOperationError,
  SkeinError,
} from "@skein/context/errors";

describe("errors", () => {
  it("carry a stable code, their class as name, and a cause", () => {
    const cause = new Error("why");
    const error = new InvalidOperationError("not now", { cause });
    expect(error).toBeInstanceOf(SkeinError);
    expect(error).toMatchObject({
      name: "InvalidOperationError",
      code: "ERR_SKEIN_INVALID_OPERATION",
      message: "not now",
      cause,
    });
    expect(Object.keys(error)).toEqual(["code"]);
  });

  it("are recognised by their brand, also those of another copy", () => {
    expect(SkeinError.isSkeinError(new InvalidOperationError("x"))).toBe(true);
    const foreign = Object.assign(new Error("x"), { [Symbol.for("skein.error")]: true });
    expect(SkeinError.isSkeinError(foreign)).toBe(true);
    for (const other of [new Error("x"), null, undefined, "x", {}])
      expect(SkeinError.isSkeinError(other)).toBe(false);
  });

  it.each([
    ["text", 'the string "text"'],
    ["x".repeat(70), `the string "${"x".repeat(60)}…"`],
    [-0, "the number -0"],
    [5n, "the bigint 5n"],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [[], "an array"],
    [new Map(), "an instance of Map"],
    [Object.create(null), "an instance of a null-prototype object"],
    [function named() {}, "the function named"],
    [
      (
        () => () =>
          undefined
      )(),
      "an anonymous function",
    ],
    [Symbol("s"), "Symbol(s)"],
  ])("argument errors say what came: %o", (value, said) => {
    const typeError = argumentTypeError("arg", "something else", value);
    expect(typeError).toBeInstanceOf(TypeError);
    expect(typeError).toMatchObject({
      code: "ERR_SKEIN_INVALID_ARG_TYPE",
      message: `Expected \`arg\` to be something else, got ${said}`,
    });
    const rangeError = argumentRangeError("arg", "smaller", value);
    expect(rangeError).toBeInstanceOf(RangeError);
    expect(rangeError).toMatchObject({ code: "ERR_SKEIN_OUT_OF_RANGE" });
  });
});
