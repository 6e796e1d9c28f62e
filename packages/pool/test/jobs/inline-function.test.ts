// oxlint-disable typescript/no-unsafe-type-assertion, typescript/unbound-method, typescript/no-implied-eval, typescript/no-extraneous-class, no-extra-bind -- values of every kind, also wrong ones, are what is tested
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

import { compileInline, explainFreeVariable, inlineSource } from "../../src/jobs/inline-function.ts";
import { writtenFiles } from "./written-files.ts";

type Fn = (...args: never[]) => unknown;
const ship = (fn: unknown) => compileInline(inlineSource(fn as Fn), null);

describe("a function shipped as source", () => {
  const methods = {
    plain(a: number) {
      return a + 1;
    },
    async later(a: number) {
      return a + 1;
    },
    "not an identifier"(a: number) {
      return a + 1;
    },
    12(a: number) {
      return a + 1;
    },
    async(a: number) {
      return a + 1;
    },
    get(a: number) {
      return a + 1;
    },
    set(a: number) {
      return a + 1;
    },
    static(a: number) {
      return a + 1;
    },
    [Symbol.for("s")](a: number) {
      return a + 1;
    },
  };
  class Holder {
    static direct(a: number) {
      return a + 1;
    }
    static async later(a: number) {
      return a + 1;
    }
  }
  it.each([
    ["an arrow function", (a: number) => a + 1],
    ["an async arrow function", async (a: number) => a + 1],
    [
      "a function expression",
      function (a: number) {
        return a + 1;
      },
    ],
    ["a method", methods.plain],
    ["an async method", methods.later],
    ["a method with a text for a name", methods["not an identifier"]],
    ["a method with a number for a name", methods[12]],
    ["a method named async", methods.async],
    ["a method named get", methods.get],
    ["a method named set", methods.set],
    ["a method named static", methods.static],
    ["a method with a symbol for a name", methods[Symbol.for("s") as never]],
    ["a static method", Holder.direct],
    ["a static async method", Holder.later],
    ["a made function", new Function("a", "return a + 1")],
  ])("%s", async (_name, fn) => {
    expect(await ship(fn)(1)).toBe(2);
  });

  it("a named function can call itself", () => {
    const factorial = function factorial(n: number): number {
      return n < 2 ? 1 : n * factorial(n - 1);
    };
    expect(ship(factorial)(5)).toBe(120);
  });

  it("globals and import() work inside", async () => {
    const source = "(async () => (await import('node:path')).basename('/a/b') + typeof structuredClone)";
    expect(await compileInline(source, null)()).toBe("bfunction");
  });

  it("import(), require, __dirname and __filename are those of the file that wrote it", async () => {
    const folder = writtenFiles({
      "node_modules/found/package.json": `{ "name": "found", "main": "index.cjs" }`,
      "node_modules/found/index.cjs": `module.exports = "found";`,
      "near.cjs": `module.exports = "near";`,
    });
    const from = pathToFileURL(join(folder, "my service.mjs")).href;
    const source = `(async () => [
      (await import("found")).default, require("found"), (await import("./near.cjs")).default, require("./near.cjs"), __dirname, __filename,
    ])`;
    expect(await compileInline(source, from)()).toEqual([
      "found",
      "found",
      "near",
      "near",
      folder,
      join(folder, "my service.mjs"),
    ]);
  });

  it("nested functions that esbuild wrapped in __name work", () => {
    const source =
      '((n) => { const inner = /* @__PURE__ */ __name((x) => x * 2, "inner"); return [inner(n), inner.name]; })';
    expect(compileInline(source, null)(4)).toEqual([8, "inner"]);
  });

  const withAccessor = {
    get value() {
      return 1;
    },
    parent() {
      return super.toString();
    },
    parentLater: {
      async *["parentLater"](): AsyncGenerator<() => string> {
        yield () => super.toString();
      },
    }.parentLater,
  };
  it.each<[string, unknown, RegExp]>([
    ["a class", class A {}, /is a class; .*job module/],
    ["a native function", Math.max, /native or bound.*job module/],
    ["a bound function", function () {}.bind(null), /native or bound/], // oxlint-disable-line no-empty-function
    ["a Proxy", new Proxy(() => 1, {}), /is a Proxy/],
    ["a getter", Object.getOwnPropertyDescriptor(withAccessor, "value")!.get, /not an expression by itself/],
    ["a method that uses super", withAccessor.parent, /not an expression by itself/],
    ["one that uses super in an arrow function", withAccessor.parentLater, /not an expression by itself/],
  ])("%s is refused at the door", (_name, fn, message) => {
    expect(() => inlineSource(fn as Fn)).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "ERR_SKEIN_INLINE_FUNCTION",
        message: expect.stringMatching(message),
      }),
    );
  });

  it("a global works when it is wrapped as the message says", async () => {
    let message = "";
    try {
      inlineSource(Math.sqrt);
    } catch (error) {
      message = (error as Error).message;
    }
    const wrapped = /`(.+)`/.exec(message)![1]!;
    expect(await compileInline(inlineSource(new Function(`return ${wrapped}`)() as Fn), null)(9)).toBe(3);
  });

  it("import.meta is refused at the door, wherever it is used", () => {
    // Loaded by Node itself: Vitest rewrites it.
    const folder = writtenFiles({
      "uses-meta.mjs": `
        export const arrow = () => import.meta.url;
        export function* generator() { yield import.meta.dirname; }
        export const inner = () => { const nested = () => import.meta; return nested; };
        export const template = (name) => \`\${import.meta.dirname}/\${name}\`;
        export const { method } = { method() { return import.meta.url; } };`,
    });
    const module = createRequire(import.meta.url)(join(folder, "uses-meta.mjs")) as Record<string, Fn>;
    expect(Object.keys(module)).toHaveLength(5);
    for (const fn of Object.values(module))
      expect(() => inlineSource(fn)).toThrow(
        expect.objectContaining({
          code: "ERR_SKEIN_INLINE_FUNCTION",
          message: expect.stringMatching(/import\.meta\.url/),
        }),
      );
  });

  it.each<[string, unknown]>([
    ["import.meta in a text", (code: string) => code.replaceAll("import.meta.env.MODE", "super")],
    [
      "import.meta in a comment",
      new Function("text", "/* import.meta.url */ return text.replace(/.*/, 'super')"),
    ],
    [
      "super in a text of a method",
      {
        role(name: string) {
          return name === "import.meta.env.MODE" ? "super" : "user";
        },
      }.role,
    ],
    [
      "super in a text of an async method with a text for a name",
      {
        async "its role"(name: string) {
          return name === "import.meta.env.MODE" ? "super" : "user";
        },
      }["its role"],
    ],
    [
      "super in a class in a method named async",
      {
        async() {
          class Parent {
            name = "super";
          }
          return new (class extends Parent {
            get shown() {
              return (super.constructor, this.name);
            }
          })().shown;
        },
      }.async,
    ],
  ])("%s is no use of it", async (_name, fn) => {
    expect(await ship(fn)("import.meta.env.MODE")).toBe("super");
  });

  it.each([undefined, null, "() => 1", {}])("%o is not a function", (fn) => {
    expect(() => inlineSource(fn as never)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });
});

describe("a free variable", () => {
  const source = "((a) => a + tenant.id)";
  const failure = (text: string) => {
    try {
      return compileInline(text, null)(1);
    } catch (error) {
      return error;
    }
  };

  it("is named, with what to do, in an error of the same class", () => {
    const original = failure(source) as Error;
    const error = explainFreeVariable(original, source) as Error & { code: string; variable: string };
    expect(error).toBeInstanceOf(ReferenceError);
    expect([error.code, error.variable]).toEqual(["ERR_SKEIN_FREE_VARIABLE", "tenant"]);
    expect(error.message).toMatch(
      /^tenant is not defined: .*captures nothing\. Pass tenant as an argument if it is data, or move/,
    );
    expect(error.cause).toBe(original);
    expect(error.stack).toContain(error.message);
  });

  it("an assignment to one does not make a global", () => {
    expect(failure("(() => { leaked = 1; })")).toBeInstanceOf(ReferenceError);
    expect("leaked" in globalThis).toBe(false);
  });

  it("in a computed name of a method is explained when it is compiled", () => {
    const holder = { ["k"]: 1 };
    expect(holder.k).toBe(1);
    const text = inlineSource(Object.values({ [Object.keys(holder)[0]!]() { return 1; } })[0] as Fn); // prettier-ignore
    expect(failure(text)).toMatchObject({ code: "ERR_SKEIN_FREE_VARIABLE", variable: "holder" });
  });

  it("errors that have another reason are left alone", () => {
    const other = new ReferenceError("tenant is not defined");
    expect(explainFreeVariable(other, "(() => tenants)")).toBe(other);
    expect(explainFreeVariable(other, "(() => a.tenant)")).toBe(other);
    const type = new TypeError("x is not a function");
    expect(explainFreeVariable(type, source)).toBe(type);
    expect(explainFreeVariable("text", source)).toBe("text");
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(explainFreeVariable(proxy, source)).toBe(proxy);
  });
});
