import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  argumentRangeError,
  argumentTypeError,
  errorClassName,
  InvalidOperationError,
  nameErrorClass,
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
    expect(Object.keys(error)).toEqual(["code", "docs"]);
  });

  it("lead to the page about their code, built-in ones too", () => {
    const error = new InvalidOperationError("not now");
    expect(error.docs).toMatch(/\/errors\.md#err_skein_invalid_operation$/);
    expect(inspect(error)).toContain(error.docs);
    expect(argumentTypeError("x", "a number", "1")).toMatchObject({
      code: "ERR_SKEIN_INVALID_ARG_TYPE",
      docs: expect.stringMatching(/#err_skein_invalid_arg_type$/) as string,
    });
  });

  it("are recognised by their brand, also those of another copy", () => {
    expect(SkeinError.isSkeinError(new InvalidOperationError("x"))).toBe(true);
    const foreign = Object.assign(new Error("x"), { [Symbol.for("skein.error")]: true });
    expect(SkeinError.isSkeinError(foreign)).toBe(true);
    for (const other of [new Error("x"), null, undefined, "x", {}])
      expect(SkeinError.isSkeinError(other)).toBe(false);
  });

  it("keep their documented name and class whatever a minifier calls the class", () => {
    const Minified = class e extends SkeinError {
      static {
        nameErrorClass(this, "QuotaError");
      }
    };
    const error = new Minified("ERR_SKEIN_QUOTA", "too much");
    expect([error.name, String(error), errorClassName(Minified)]).toEqual([
      "QuotaError",
      "QuotaError: too much",
      "QuotaError",
    ]);
    expect(error.stack).toMatch(/^QuotaError: too much\n/);
  });

  it("may show another name than that of their class", () => {
    class StoppedError extends SkeinError {
      static {
        nameErrorClass(this, "StoppedError", "AbortError");
      }
    }
    expect([new StoppedError("ERR_SKEIN_STOPPED", "x").name, errorClassName(StoppedError)]).toEqual([
      "AbortError",
      "StoppedError",
    ]);
  });

  it("are instances of the same class of another copy, and of no other class", () => {
    const [First, Second, Other] = ["QuotaError", "QuotaError", "OtherError"].map((className) => {
      class Made extends SkeinError {
        static {
          nameErrorClass(this, className);
        }
      }
      return Made;
    });
    const error = new First!("ERR_SKEIN_QUOTA", "x");
    class Derived extends Second! {}
    const derived = new Derived("ERR_SKEIN_QUOTA", "x");
    expect(error).toBeInstanceOf(Second);
    expect(error).toBeInstanceOf(SkeinError);
    expect(derived).toBeInstanceOf(First);
    expect(error).not.toBeInstanceOf(Other);
    expect(error).not.toBeInstanceOf(Derived);
    expect(new Error("x")).not.toBeInstanceOf(SkeinError);
    expect(null).not.toBeInstanceOf(First);
    // What came from another thread as an error that nobody registered has the brand only.
    expect({ [Symbol.for("skein.error")]: true }).toBeInstanceOf(SkeinError);
  });

  it("say what came also when it cannot be read", () => {
    const unreadable = new Proxy({}, { get: () => expect.unreachable(), getPrototypeOf: () => null });
    const throwing = {
      get constructor(): never {
        throw new Error("no");
      },
    };
    const { proxy: revoked, revoke } = Proxy.revocable([], {});
    revoke();
    const oddName = Object.defineProperty(() => undefined, "name", { value: Symbol("odd") });
    expect(
      [
        unreadable,
        throwing,
        revoked,
        oddName,
        new (class {
          x = 1;
        })(),
      ].map((value) => argumentTypeError("a", "b", value).message),
    ).toEqual([
      "Expected `a` to be b, got an instance of a null-prototype object",
      "Expected `a` to be b, got an instance of a class that cannot be read",
      "Expected `a` to be b, got an instance of a class that cannot be read",
      "Expected `a` to be b, got an anonymous function",
      "Expected `a` to be b, got an instance of an anonymous class",
    ]);
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
