// oxlint-disable typescript/no-unsafe-type-assertion -- values of every kind, also wrong ones, are what is tested
import { open } from "node:fs/promises";
import { runInNewContext } from "node:vm";
import { Task } from "@skein/scheduling";
import { describe, expect, it } from "vitest";

import { toWire } from "../../src/codec/error-wire.ts";
import type { CloneRoot } from "../../src/codec/not-cloneable.ts";
import { NotCloneableError } from "../../src/errors.ts";
import { encoder, roundTrip } from "./round-trip.ts";

/** WebAssembly has no types here: they belong to the DOM library. */
function wasmMemory(): unknown {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: new (options: { initial: number }) => object };
  };
  return new WebAssembly.Memory({ initial: 1 });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function refusal(value: unknown, root: CloneRoot = "result"): NotCloneableError {
  try {
    encoder.encode(value, root);
  } catch (error) {
    if (error instanceof NotCloneableError) return error;
    throw error;
  }
  throw new Error("the value was taken");
}

describe("H9 a value that cannot be cloned is refused by its path", () => {
  const f = () => 1;
  const cycle: { self?: unknown; list: unknown[] } = { list: [] };
  cycle.self = cycle;
  cycle.list.push(cycle, { deep: f });

  const cases: [name: string, value: unknown, root: CloneRoot, path: string, problem: string][] = [
    ["a function", f, "result", "result", "is a function"],
    ["a symbol", [Symbol("s")], "args", "args[0]", "is a symbol"],
    [
      "a method of an argument",
      [{ shape: { toString: f } }],
      "args",
      "args[0].shape.toString",
      "is a function",
    ],
    ["the second argument", [1, f], "args", "args[1]", "is a function"],
    ["a key that is no identifier", { "a b": [f] }, "result", 'result["a b"][0]', "is a function"],
    ["behind a cycle", cycle, "progress", "progress.list[1].deep", "is a function"],
    ["a value of a Map", new Map([["k", f]]), "result", 'result → Map value "k"', "is a function"],
    ["a key of a Map", new Map([[f, 1]]), "result", "result → Map key 0", "is a function"],
    ["a member of a Set", new Set([1, f]), "result", "result → Set member 1", "is a function"],
    ["the cause of an error", new Error("x", { cause: f }), "result", "result.cause", "is a function"],
    ["behind a getter", { get now() { return f; } }, "result", "result.now", "is a function"], // prettier-ignore
    ["in a sparse array", Object.assign([], { 5: f }), "result", "result[5]", "is a function"],
    ["a Proxy that has been revoked, as drafts of immer are", [{ drafts: [1, revoked()] }], "args", "args[0].drafts[1]", "is a Proxy that has been revoked; copy what it stood for while it is good"], // prettier-ignore
    ["a thrown value", toWire({ handle: f }), "error", "error.handle", "is a function"],
  ];
  it.each(cases)("%s", (_name, value, root, path, problem) => {
    const error = refusal(value, root);
    expect(error.path).toBe(path);
    expect(error.message).toBe(`${path} ${problem}`);
    expect(error.code).toBe("ERR_SKEIN_NOT_CLONEABLE");
  });

  const owned: [name: string, value: () => unknown, advice: RegExp][] = [
    ["Promise", () => Promise.resolve(), /await it/],
    ["WeakMap", () => new WeakMap(), /weak collection/],
    ["WeakRef", () => new WeakRef({}), /WeakRef/],
    ["generator", () => (function* () {})(), /collect it into an array/], // oxlint-disable-line no-empty-function
    ["array iterator", () => [1].values(), /collect it into an array/],
    ["Map iterator", () => new Map().keys(), /collect it into an array/],
    ["MessagePort", () => new MessageChannel().port1, /`transfer`/],
    ["ReadableStream", () => new ReadableStream(), /`transfer`/],
    ["TransformStream", () => new TransformStream(), /`transfer`/],
    ["AbortSignal", () => new AbortController().signal, /`signal` option/],
    ["URL", () => new URL("http://localhost/"), /url\.href/],
    ["Headers", () => new Headers(), /Object\.fromEntries/],
    ["WebAssembly.Memory", () => wasmMemory(), /not shared/],
    ["Intl.NumberFormat", () => new Intl.NumberFormat("en"), /locale/],
    ["boxed symbol", () => Object(Symbol("s")), /symbol/],
    ["Proxy of a Map", () => new Proxy(new Map(), {}), /pass its target/],
  ];
  it.each(owned)("a %s, with advice, at the top and nested, each time", (_name, make, advice) => {
    for (let round = 0; round < 2; round++) {
      const value = make();
      expect(refusal([value], "args")).toMatchObject({
        path: "args[0]",
        message: expect.stringMatching(advice),
      });
      expect(refusal({ held: [value] })).toMatchObject({ path: "result.held[0]" });
      if (value instanceof MessagePort) value.close();
    }
  });

  const names = ["FileHandle", "Headers", "Module", "URL", "Worker", "Blob", "KeyObject", "MessagePort", "Socket"]
    .concat(["ReadableStream", "AbortSignal", "WeakRef", "Locale", "Memory", "Duration", "DOMException"]); // prettier-ignore
  it.each(names)("a class of the user that is only called %s is taken", (name) => {
    const classes = {
      [name]: class {
        id = 1;
        get [Symbol.toStringTag](): string {
          return name;
        }
      },
    };
    const value = new classes[name]!();
    expect(value.constructor.name).toBe(name);
    expect(roundTrip([value])).toEqual([{ id: 1 }]);
  });

  it("a FileHandle of Node's, with advice", async () => {
    await using file = await open(import.meta.filename);
    expect(refusal([{ file }], "args")).toMatchObject({
      path: "args[0].file",
      message: expect.stringMatching(/`transfer`/),
    });
  });

  const foreign: [expression: string, advice: RegExp][] = [
    ["Promise.resolve()", /await it/],
    ["new WeakRef({})", /WeakRef/],
    ["new WeakMap()", /weak collection/],
    ["[1].values()", /collect it into an array/],
    ["new Map().keys()", /collect it into an array/],
    ["new Intl.NumberFormat('en')", /locale/],
    ["({ then() {} })", /thenable/],
  ];
  it.each(foreign)("%s of another realm, with advice", (expression, advice) => {
    const value: unknown = runInNewContext(expression);
    expect(refusal([value], "args").message).toMatch(advice);
  });

  it("an object of a simulated DOM is refused, where structured clone would give an empty one", () => {
    class HTMLElement {
      get id(): string {
        return "";
      }
    }
    expect(refusal([Object.assign(new HTMLElement(), { [Symbol("impl")]: {} })], "args").message).toMatch(
      /^args\[0\] is a HTMLElement of a simulated DOM/,
    );
    class Ordinary {
      id = "x";
    }
    expect(roundTrip(Object.assign(new Ordinary(), { [Symbol("impl")]: 1 }))).toEqual({ id: "x" });
  });

  class Query {
    table = "t";
  }
  class Lazy {
    then(): void {}
  }
  const inherited = new (class extends Lazy {})();
  const hidden = Object.defineProperty(new Query(), "then", {
    value: () => {},
  });
  const thenables: [name: string, value: unknown][] = [
    ["a Task", Task.fromResult(1)],
    ["a plain object", { then() {} }],
    ["an object without a prototype", Object.assign(Object.create(null), { then() {} })],
    ["an instance", new Lazy()],
    ["an instance of a derived class", inherited],
    ["an instance with a hidden own method", hidden],
    ["a list with a method", Object.assign([1], { then() {} })],
    ["a Map with a method", Object.assign(new Map(), { then() {} })],
    ["an own getter", { get then() { return () => {}; } }], // prettier-ignore
    ["an inherited getter", new (class { get then() { return () => {}; } })()], // prettier-ignore
  ];
  it.each(thenables)(
    "a thenable is refused as a promise is, at every depth and each time: %s",
    (_name, value) => {
      for (let round = 0; round < 2; round++) {
        expect(refusal([value], "args")).toMatchObject({
          path: "args[0]",
          message: expect.stringMatching(/is a thenable.*await it before you pass it/),
        });
        expect(refusal({ list: [1, value] })).toMatchObject({ path: "result.list[1]" });
        expect(refusal(new Map([["k", value]]))).toMatchObject({ path: 'result → Map value "k"' });
      }
    },
  );

  it("a getter called then is read once, and what it gives decides", () => {
    let reads = 0;
    let then: unknown = 5;
    class Sometimes {
      a = 1;
      get then(): unknown {
        reads++;
        return then;
      }
    }
    const own = (enumerable: boolean) =>
      Object.defineProperty(new Query(), "then", {
        enumerable,
        get: () => (reads++, then),
      });
    const values = [new Sometimes(), own(true), own(false), Object.defineProperty({}, "then", { enumerable: true, get: () => (reads++, then) })]; // prettier-ignore
    for (const value of values) {
      reads = 0;
      then = 5;
      roundTrip(value);
      expect(reads).toBe(1);
      then = () => 1;
      reads = 0;
      expect(refusal([value], "args").message).toMatch(/^args\[0\] is a thenable/);
      expect(reads).toBe(1);
    }
  });

  it("what is called then and cannot be called is data", () => {
    const value = [{ then: 1 }, new (class { then = "x"; })(), [{ then: null }, { then: [] }]]; // prettier-ignore
    expect(roundTrip(value)).toEqual([{ then: 1 }, { then: "x" }, [{ then: null }, { then: [] }]]);
  });

  it("a path stays short in a deep value, and the search does not overflow the stack", () => {
    let value: unknown = f;
    for (let i = 0; i < 900; i++) value = { property: value };
    const error = refusal(value);
    expect(error.path.length).toBeLessThan(2_100);
    expect(error.path.startsWith("result.property.property")).toBe(true);
  });

  it("a function that a getter gives only once names the root", () => {
    let calls = 0;
    const value = {
      get once() {
        calls++;
        return calls === 1 ? f : 1;
      },
    };
    const error = refusal(value);
    expect(error.message).toBe("result holds a value that is a function");
  });
});
