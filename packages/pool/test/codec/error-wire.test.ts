// oxlint-disable typescript/no-unsafe-type-assertion, typescript/no-extraneous-class -- values of every kind, also wrong ones, are what is tested
import { EventEmitter } from "node:events";
import { inspect, types } from "node:util";
import { runInNewContext } from "node:vm";
import { InvalidOperationError, SkeinError } from "@skein/context/errors";
import { OperationCanceledError } from "@skein/scheduling";
import { describe, expect, it } from "vitest";

import { registerError } from "../../src/codec/error-registry.ts";
import { droppedProperties } from "../../src/codec/error-record.ts";
import { fromWire, toWire, type ErrorWire } from "../../src/codec/error-wire.ts";
import { JobNotFoundError, NotCloneableError, ThreadCrashedError } from "../../src/errors.ts";
import { inheriting } from "../inherited.ts";
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

  it("as what was thrown, whatever plain objects inherit", () => {
    const [error, text] = inheriting({ thrown: 7, error: 8 }, () => [cross(new Error("own")), cross("text")]);
    expect(error).toMatchObject({ message: "own" });
    expect(text).toBe("text");
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

  it("what cannot be cloned is left out leaf by leaf, in lists, Maps, Sets and cycles too", () => {
    const config: Record<string, unknown> = {
      url: "/x",
      transform: [() => 1, "kept"],
      headers: new Map<unknown, unknown>([["accept", "json"], ["on", () => 1], [() => 1, 2]]), // prettier-ignore
      tags: new Set<unknown>(["a", Symbol("s")]),
      pending: Promise.resolve(),
      emitter: Object.assign(new EventEmitter(), { huge: [] }),
      bytes: Buffer.from("b"),
      get late(): never {
        throw new Error("getter");
      },
    };
    config.self = config;
    const copy = cross(Object.assign(new Error("x"), { config })) as Error & {
      config: typeof config;
      [droppedProperties]: string[];
    };
    const { transform, headers, tags, bytes, self, ...rest } = copy.config;
    expect(rest).toEqual({ url: "/x" });
    expect(self).toBe(copy.config);
    expect(transform).toEqual([, "kept"]); // oxlint-disable-line no-sparse-arrays -- the hole is what is left
    expect(headers).toEqual(new Map([["accept", "json"]]));
    expect(tags).toEqual(new Set(["a"]));
    expect(Buffer.isBuffer(bytes)).toBe(true);
    expect(copy[droppedProperties]).toEqual([
      "config.transform[0] is a function",
      "config.headers → Map value 1 is a function",
      "config.headers → Map key 2 is a function",
      "config.tags → Set member 1 is a symbol",
      "config.pending is a promise; await it before you pass it",
      "config.emitter is an EventEmitter, which belongs to the thread that made it",
      "config.late has a getter that throws",
    ]);
  });

  it("notes are bounded, and so are values that are deep or wide", () => {
    const functions = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, () => i]));
    const wide = Array.from({ length: 20_000 }, (_, i) => ({ i }));
    let deep: object = {};
    for (let i = 0; i < 50_000; i++) deep = { deep };
    const copy = cross(Object.assign(new Error("x"), { deep, wide, functions })) as unknown as {
      wide: object[];
      [droppedProperties]: string[];
    };
    expect(copy.wide[5_000]).toEqual({ i: 5_000 });
    expect(copy[droppedProperties]).toHaveLength(33);
    expect(copy[droppedProperties][0]).toMatch(/is nested more than 200 deep$/);
    expect(copy[droppedProperties].at(-1)).toBe("… and more");
  });

  it("hidden properties arrive hidden, read-only ones read-only; a hidden method needs no note", () => {
    const error = Object.defineProperties(new Error("x"), {
      issues: { value: [{ path: ["a"] }] },
      details: { value: 1, writable: true, configurable: true },
      shown: { value: 2, enumerable: true },
      format: { value: () => 1 },
      late: { get: () => 3, enumerable: true, configurable: true },
    });
    const copy = cross(error);
    const flags = (key: string) => Object.getOwnPropertyDescriptor(copy, key);
    expect(flags("issues")).toEqual({
      value: [{ path: ["a"] }],
      enumerable: false,
      writable: false,
      configurable: false,
    });
    expect(flags("details")).toEqual({ value: 1, enumerable: false, writable: true, configurable: true });
    expect(flags("shown")).toEqual({ value: 2, enumerable: true, writable: false, configurable: false });
    expect(flags("late")).toEqual({ value: 3, enumerable: true, writable: true, configurable: true });
    expect(Reflect.ownKeys(copy)).not.toContain("format");
    expect(Reflect.ownKeys(copy)).not.toContain(droppedProperties);
  });

  it("a getter is read once", () => {
    let reads = 0;
    const error = Object.defineProperty(new Error("x"), "late", {
      enumerable: true,
      get: () => ({ count: ++reads }),
    });
    expect(cross(error)).toMatchObject({ late: { count: 1 } });
    expect(reads).toBe(1);
  });

  it("properties under symbols of Symbol.for arrive, those under other symbols stay behind", () => {
    const mark = Symbol.for("test.mark");
    const error = Object.assign(new Error("x"), { [mark]: 1, [Symbol("own")]: 2 });
    const copy = cross(error);
    expect((copy as unknown as Record<symbol, unknown>)[mark]).toBe(1);
    expect(Object.getOwnPropertySymbols(copy)).toEqual([mark]);
  });

  it("errors anywhere in the properties of an error keep class and properties, and stay the same error", () => {
    const inner = new HttpError({ status: 404 });
    const error = Object.assign(new Error("x"), {
      results: [{ status: "rejected", reason: inner }],
      byName: new Map<string, unknown>([["first", inner], ["none", null]]), // prettier-ignore
      all: new Set([inner]),
    });
    const copy = cross(error);
    const reason = copy.results[0]!.reason;
    expect(reason).toBeInstanceOf(HttpError);
    expect(reason.isServerError).toBe(false);
    expect([...copy.byName]).toEqual([["first", reason], ["none", null]]); // prettier-ignore
    expect([...copy.all]).toEqual([reason]);
    expect([...copy.all][0]).toBe(reason);
  });

  it("what an error has lost stays noted when it goes on to another thread", () => {
    const twice = cross(cross(Object.assign(new Error("x"), { run: () => 1 }))) as unknown as {
      [droppedProperties]: string[];
    };
    expect(twice[droppedProperties]).toEqual(["run is a function"]);
  });

  it("a registered class whose accessors throw on an error that has nothing yet", () => {
    class Fragile extends Error {
      #status = 503;
      override get message(): string {
        return `HTTP ${this.#status}`;
      }
      override get name(): string {
        return `Fragile${this.#status}`;
      }
      override get stack(): string {
        return `at ${this.#status}`;
      }
      set status(_: number) {
        throw new Error("a setter was called");
      }
    }
    registerError(Fragile);
    const error = Object.defineProperty(new Fragile(), "status", { value: 1, enumerable: true });
    const copy = cross(error);
    expect(Object.getPrototypeOf(copy)).toBe(Fragile.prototype);
    expect(copy).toMatchObject({ message: "HTTP 503", name: "Fragile503", status: 1 });
    expect(typeof copy.stack).toBe("string");
  });

  it("a registered class that a Proxy stands behind", () => {
    const touched: string[] = [];
    const base = new Proxy(Error, {
      get: (target, key, receiver) => {
        touched.push(String(key));
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    class Wrapped extends base {}
    registerError(Wrapped);
    const wire = roundTrip(toWire(new Wrapped("x"))) as ErrorWire;
    touched.length = 0;
    const copy = fromWire(wire) as object;
    expect(touched).toEqual([]);
    expect(Object.getPrototypeOf(copy)).toBe(Wrapped.prototype);
  });

  it("an error of another realm arrives as one of ours", () => {
    const error = runInNewContext(
      "Object.assign(new RangeError('far', { cause: { a: [1] } }), { code: 'FAR' })",
    );
    const copy = cross(error as RangeError);
    expect(Object.getPrototypeOf(copy)).toBe(RangeError.prototype);
    expect(copy).toMatchObject({ message: "far", code: "FAR", cause: { a: [1] } });
  });

  it("an error of a class in the old way, which no error constructor has made", () => {
    function Old(this: { code: number }): void {
      this.code = 7;
    }
    Old.prototype = Object.create(Error.prototype, { name: { value: "Old" } });
    const error = Reflect.construct(Old, []) as Error;
    expect(cross(error)).toMatchObject({ name: "Old", code: 7 });
  });

  it("a Proxy that throws is no reason to throw", () => {
    const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
    revoke();
    expect(() => toWire(proxy)).not.toThrow();
    const hostile = new Proxy(new Error("x"), {
      ownKeys() {
        throw new Error("trap");
      },
    });
    expect(cross(hostile)).toMatchObject({ message: "x" });
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

  it("takes a name of its own: minifiers change those of classes, and two classes may have the same", () => {
    const { A, B } = { A: class Same extends Error {}, B: class Same extends Error {} };
    registerError(A, { name: "Same.A" });
    registerError(B, { name: "Same.B" });
    expect(cross(new A("a"))).toBeInstanceOf(A);
    expect(cross(new B("b"))).toBeInstanceOf(B);
    expect(() => registerError(B, { name: "Same.A" })).toThrow(/Another class named Same.A/);
    registerError((() => class extends Error {})(), { name: "Anonymous" });
  });

  it("refuses unknown options, and a name that is none", () => {
    class Named extends Error {}
    expect(() => registerError(Named, { nam: "x" } as never)).toThrow(/Did you mean `name`/);
    expect(() => registerError(Named, { name: 1 } as never)).toThrow(/`name` to be a string/);
    expect(() => registerError(Named, { name: "" })).toThrow(/a class with a name/);
  });

  it("knows what another copy of this package has registered, and prefers its own", async () => {
    // A query makes it another module for the loader.
    const specifier = "../../src/codec/error-registry.ts?another-copy";
    const other = (await import(specifier)) as { registerError: typeof registerError };
    expect(other.registerError).not.toBe(registerError);
    const { Theirs, Ours, TheirsToo } = {
      Theirs: class OnlyTheirs extends Error {},
      Ours: class Both extends Error {},
      TheirsToo: class Both extends Error {},
    };
    other.registerError(Theirs);
    expect(cross(new Theirs("x"))).toBeInstanceOf(Theirs);
    other.registerError(TheirsToo);
    expect(cross(new TheirsToo("x"))).toBeInstanceOf(TheirsToo);
    registerError(Ours);
    expect(cross(new TheirsToo("x"))).toBeInstanceOf(Ours);
    expect(Object.getPrototypeOf(cross(new ThreadCrashedError(1)))).toBe(ThreadCrashedError.prototype);
  });

  it("refuses a class without a name", () => {
    expect(() => registerError((() => class extends Error {})())).toThrow(/a class with a name/);
  });
});
