// oxlint-disable typescript/no-unsafe-type-assertion, typescript/no-extraneous-class -- values of every kind, also wrong ones, are what is tested
import { inspect, types } from "node:util";
import { InvalidOperationError, SkeinError } from "@skein/context/errors";
import { OperationCanceledError } from "@skein/scheduling";
import { describe, expect, it } from "vitest";

import { registerError } from "../../src/codec/error-registry.ts";
import { droppedProperties } from "../../src/codec/error-record.ts";
import { fromWire, toWire, type ErrorWire } from "../../src/codec/error-wire.ts";
import { JobNotFoundError, NotCloneableError, ThreadCrashedError } from "../../src/errors.ts";
import { roundTrip } from "./round-trip.ts";

const cross = <T>(error: T, callerFrames?: string): T =>
  fromWire(roundTrip(toWire(error)) as ErrorWire, callerFrames) as T;

class HttpError extends Error {
  override name = "HttpError";
  static built = 0;
  readonly status: number;
  constructor(options: { status: number }) {
    super(`HTTP ${options.status}`);
    this.status = options.status;
    HttpError.built++;
  }
  get isServerError(): boolean {
    return this.status >= 500;
  }
}
registerError(HttpError);

describe("H10 errors cross as themselves", () => {
  it.each([Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])(
    "%o keeps its class, message and stack",
    (type) => {
      const error = new type("what happened");
      const copy = cross(error);
      expect(Object.getPrototypeOf(copy)).toBe(type.prototype);
      expect([copy.name, copy.message, copy.stack]).toEqual([error.name, error.message, error.stack]);
      expect(types.isNativeError(copy)).toBe(true);
      expect(Object.keys(copy)).toEqual([]);
    },
  );

  it("code and other own properties, with their values cloned", () => {
    const error = Object.assign(new Error("no such file"), {
      code: "ENOENT",
      errno: -2,
      detail: { path: ["/x"] },
    });
    const copy = cross(error);
    expect(copy).toMatchObject({ code: "ENOENT", errno: -2, detail: { path: ["/x"] } });
    expect(inspect(copy)).toBe(inspect(error));
  });

  it("a code that is not enumerable", () => {
    const error = Object.defineProperty(new Error("x"), "code", { value: "HIDDEN" }) as Error & {
      code: string;
    };
    expect(cross(error).code).toBe("HIDDEN");
    expect(Object.keys(cross(error))).toEqual([]);
  });

  it("an error of the system", () => {
    let caught: NodeJS.ErrnoException | undefined;
    try {
      process.chdir("/nowhere/at/all");
    } catch (error) {
      caught = error as NodeJS.ErrnoException;
    }
    expect(cross(caught)).toMatchObject({ code: "ENOENT", syscall: "chdir" });
  });

  it("a chain of causes, errors or not", () => {
    const copy = cross(new Error("a", { cause: new TypeError("b", { cause: { plain: [1] } }) }));
    expect(copy.cause).toBeInstanceOf(TypeError);
    expect((copy.cause as Error).cause).toEqual({ plain: [1] });
    expect(Object.hasOwn(cross(new Error("none")), "cause")).toBe(false);
    expect(Object.hasOwn(cross(new Error("x", { cause: undefined })), "cause")).toBe(true);
  });

  it("a cycle of causes stays a cycle, and a chain of thousands is cut and says so", () => {
    const a = new Error("a");
    a.cause = new Error("b", { cause: a });
    const copy = cross(a);
    expect((copy.cause as Error).cause).toBe(copy);

    let long = new Error("end");
    for (let i = 0; i < 5_000; i++) long = new Error(`${i}`, { cause: long });
    let last: unknown = cross(long);
    while (last instanceof Error && last.cause !== undefined) last = last.cause;
    expect((last as Record<symbol, unknown>)[droppedProperties]).toEqual([
      expect.stringMatching(/^cause is one of more/),
    ]);
  });

  it("an AggregateError with its list, which may hold the same error twice", () => {
    const inner = new RangeError("inner");
    const copy = cross(new AggregateError([inner, "text", inner], "several"));
    expect(copy).toBeInstanceOf(AggregateError);
    expect(copy.errors).toHaveLength(3);
    expect(copy.errors[0]).toBeInstanceOf(RangeError);
    expect(copy.errors[2]).toBe(copy.errors[0]);
    expect(copy.errors[1]).toBe("text");
    expect(Object.keys(copy)).toEqual([]);
  });

  it("a DOMException", () => {
    const copy = cross(new DOMException("stopped", "AbortError"));
    expect(copy).toBeInstanceOf(DOMException);
    expect([copy.name, copy.message, copy.code]).toEqual(["AbortError", "stopped", 20]);
    expect(cross(AbortSignal.abort().reason)).toBeInstanceOf(DOMException);
  });

  it("a registered class, without a call of its constructor", () => {
    const error = new HttpError({ status: 503 });
    const built = HttpError.built;
    const copy = cross(error);
    expect(HttpError.built).toBe(built);
    expect(copy).toBeInstanceOf(HttpError);
    expect(Object.getPrototypeOf(copy)).toBe(HttpError.prototype);
    expect([copy.name, copy.status, copy.isServerError]).toEqual(["HttpError", 503, true]);
    expect(inspect(copy)).toBe(inspect(error));
  });

  it("a class that is not registered arrives as its nearest known base, with its name", () => {
    class Parse extends SyntaxError {
      override name = "ParseError";
    }
    class NotFound extends HttpError {}
    const parse = cross(new Parse("line 1"));
    expect(Object.getPrototypeOf(parse)).toBe(SyntaxError.prototype);
    expect(parse.name).toBe("ParseError");
    expect(Object.getPrototypeOf(cross(new NotFound({ status: 404 })))).toBe(HttpError.prototype);
  });

  it("a class that only the sender has registered arrives as the next base", () => {
    const wire = roundTrip(toWire(new HttpError({ status: 500 }))) as { error: { classes: string[] } };
    wire.error.classes[0] = "user:OnlyThere";
    const copy = fromWire(wire as unknown as ErrorWire) as HttpError;
    expect(Object.getPrototypeOf(copy)).toBe(Error.prototype);
    expect([copy.name, copy.status]).toEqual(["HttpError", 500]);
  });

  it("errors of Skein arrive as the same class with their brand", () => {
    const errors = [
      new NotCloneableError("args[0]", "is a function"),
      new ThreadCrashedError(7, { cause: new Error("inside") }),
      new JobNotFoundError("file:///a.ts", "x", ["y"]),
      new InvalidOperationError("no"),
      new OperationCanceledError("stop", { reason: "because" }),
    ];
    for (const error of errors) {
      const copy = cross(error);
      expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(error));
      expect(SkeinError.isSkeinError(copy)).toBe(true);
      expect(inspect(copy)).toBe(inspect(error));
    }
    expect(cross(errors[4])).toMatchObject({ reason: "because", name: "AbortError" });
  });

  it("properties that cannot be cloned are dropped one by one, and listed", () => {
    const error = Object.assign(new Error("x"), {
      kept: 1,
      request: { socket: { end() {} } }, // oxlint-disable-line no-empty-function
      signal: new AbortController().signal,
    });
    Object.defineProperty(error, "broken", {
      enumerable: true,
      get() {
        throw new Error("getter");
      },
    });
    const copy = cross(error) as typeof error & Record<symbol, unknown>;
    expect(Object.keys(copy)).toEqual(["kept", "request"]);
    expect(copy.request).toEqual({ socket: {} });
    expect(copy[droppedProperties]).toEqual([
      "request.socket.end is a function",
      expect.stringMatching(/^signal is an AbortSignal/),
      "broken has a getter that throws",
    ]);
  });

  it("an error with hostile name, message and stack still arrives", () => {
    const error = new Error("x");
    for (const key of ["name", "message", "stack"]) {
      Object.defineProperty(error, key, {
        get() {
          throw new Error("hostile");
        },
      });
    }
    expect(cross(error)).toMatchObject({ name: "Error", message: "" });
  });

  it.each([undefined, null, "text", 0, { code: 1 }, [1]])("a thrown %o crosses as itself", (value) => {
    expect(cross(value)).toEqual(value);
  });

  it("the frames of the caller follow those of the error", () => {
    const copy = cross(
      new Error("x"),
      "Error: header\n    at submit (/app/main.ts:3:4)\n    at run (/app/main.ts:9:1)",
    );
    const lines = copy.stack!.split("\n");
    expect(lines.slice(-3)).toEqual([
      "    at [job submitted from]",
      "    at submit (/app/main.ts:3:4)",
      "    at run (/app/main.ts:9:1)",
    ]);
    expect(lines[0]).toBe("Error: x");
    expect(cross("text", "    at a (b:1:1)")).toBe("text");
  });
});

describe("registerError", () => {
  it("takes the same class again", () => {
    expect(registerError(HttpError)).toBeUndefined();
  });

  it("refuses another class of the same name, and says what to do", () => {
    const other = { HttpError: class HttpError extends Error {} }.HttpError;
    expect(() => registerError(other)).toThrow(/Another class named HttpError is registered/);
  });

  it.each([undefined, null, "Error", {}, class Plain {}, () => 1])("refuses %o", (value) => {
    expect(() => registerError(value as never)).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });

  it("refuses a class without a name", () => {
    expect(() => registerError((() => class extends Error {})())).toThrow(/a class with a name/);
  });
});
