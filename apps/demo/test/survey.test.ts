import { describe, expect, it } from "vitest";
import { measured } from "./measured.ts";

/** Name, first line, lines, complexity. */
function functionsOf(text: string, name = "file.js"): [string, number, number, number][] {
  return measured(name, text).notable.map(({ name, line, lines, complexity }) => [
    name,
    line,
    lines,
    complexity,
  ]);
}

describe("functions", () => {
  it("counts every kind that has a body", () => {
    const text = `
      function declared() {}
      const expressed = function () {};
      const arrow = () => 1;
      const object = { method() {}, get value() { return 1; }, set value(v) {}, property: async () => {} };
      class Thing {
        constructor() {}
        method() {}
        #secret() {}
        static *generated() {}
        field = () => 2;
      }
      export default function () {}
    `;
    expect(functionsOf(text).map(([name]) => name)).toEqual([
      "declared",
      "expressed",
      "arrow",
      "method",
      "value",
      "value",
      "property",
      "constructor",
      "method",
      "#secret",
      "generated",
      "field",
      "default",
    ]);
  });

  it("does not count overloads, abstract methods and ambient signatures", () => {
    const text = `
      declare function ambient(): void;
      function overloaded(a: string): void;
      function overloaded(a: unknown): void {}
      abstract class Base { abstract method(): void; real(): void {} }
      interface Shape { area(): number }
    `;
    expect(functionsOf(text, "file.ts").map(([name]) => name)).toEqual(["overloaded", "real"]);
    expect(measured("file.d.ts", "export declare function f(): void;").functions).toBe(0);
  });

  it("names a function after what it is assigned to", () => {
    const text = `
      module.exports.start = () => {};
      this.stop = function () {};
      list.map((item) => item);
      const { pick = () => 1 } = object;
    `;
    expect(functionsOf(text).map(([name]) => name)).toEqual([
      "module.exports.start",
      "this.stop",
      "(anonymous)",
      "pick",
    ]);
  });

  it("measures lines from the first to the last of the function", () => {
    const text = "function one() {}\nfunction three(\n  a,\n) { return a; }\n";
    expect(functionsOf(text)).toEqual([
      ["one", 1, 1, 1],
      ["three", 2, 3, 1],
    ]);
  });
});

describe("complexity", () => {
  it.each([
    ["return a", 1],
    ["if (a) b(); else c()", 2],
    ["if (a) b(); else if (c) d()", 3],
    ["return a ? b : c", 2],
    ["for (;;) {}", 2],
    ["for (const k in a) {}", 2],
    ["for (const v of a) {}", 2],
    ["while (a) {}", 2],
    ["do {} while (a)", 2],
    ["switch (a) { case 1: case 2: b(); break; default: c() }", 3],
    ["try { a() } catch { b() } finally { c() }", 2],
    ["return a && b || c", 3],
    ["return a ?? b", 2],
    ["a &&= b; c ||= d; e ??= f", 4],
    ["return a?.b?.(c)", 1],
    ["a += b", 1],
  ])("of `%s` is %i", (body, expected) => {
    expect(functionsOf(`function f() { ${body} }`)).toEqual([["f", 1, 1, expected]]);
  });

  it("of a nested function counts in that function only", () => {
    const text = "function outer(a) { if (a) return; return (b) => (b && a ? 1 : 2); }";
    expect(functionsOf(text).map(([, , , complexity]) => complexity)).toEqual([2, 3]);
    expect(measured("file.js", text).complexity).toBe(5);
  });

  it("does not count default values", () => {
    expect(functionsOf("function f(a = 1, { b = 2 } = {}) {}")).toEqual([["f", 1, 1, 1]]);
  });
});

describe("fingerprints", () => {
  function fingerprints(text: string, name = "file.js"): string[] {
    const { hashes } = measured(name, text, { minNodes: 1 }).bodies;
    return hashes.match(/.{16}/g) ?? [];
  }
  function equal(first: string, second: string): boolean {
    const [a, b] = [fingerprints(first), fingerprints(second)];
    expect(a).toHaveLength(1);
    expect(b).toHaveLength(1);
    return a[0] === b[0];
  }

  it("are equal when only names, literals, comments and layout differ", () => {
    const first =
      "function sum(list) { let total = 0; for (const item of list) total += item; return total; }";
    const second = `function add(values) {
      // The same again.
      let all = 17;
      for (const one of values)
        all += one;
      return all;
    }`;
    expect(equal(first, second)).toBe(true);
  });

  it.each([
    ["an operator", "(a, b) => a + b", "(a, b) => a - b"],
    ["which name is used where", "(a, b) => a + b", "(a, b) => a + a"],
    ["the order", "(a, b) => a - b", "(a, b) => b - a"],
    ["const and let", "() => { const a = f(); }", "() => { let a = f(); }"],
    ["async", "(a) => g(a)", "async (a) => g(a)"],
    ["an empty place in a for", "() => { for (;a;) {} }", "() => { for (;;a) {} }"],
    ["an empty place in a pattern", "([, a]) => { a(); }", "([a, ,]) => { a(); }"],
    ["computed access", "(a, b) => a.b", "(a, b) => a[b]"],
    ["one argument more", "(a) => f(a)", "(a) => f(a, a)"],
    ["a string for a number", "() => f(1)", "() => f('1')"],
  ])("differ by %s", (_what, first, second) => {
    expect(equal(`x = ${first}`, `x = ${second}`)).toBe(false);
  });

  it("do not depend on the function's own name or key", () => {
    expect(equal("function f(a) { return a.b; }", "function g(a) { return a.b; }")).toBe(true);
    expect(equal("x = { one(a) { return a; } }", "x = { 'two'(a) { return a; } }")).toBe(true);
  });

  it("leave out functions below the minimum, and know which encloses which", () => {
    const text =
      "function outer() { const inner = (a) => { return a.b.c.d(a); }; const tiny = () => 1; return inner(tiny); }";
    const { names, marks } = measured("file.js", text, { minNodes: 10 }).bodies;
    expect(names).toEqual(["outer", "inner"]);
    expect([marks[3], marks[7]]).toEqual([-1, 0]);
    expect(marks[2]).toBeGreaterThan(marks[6]!);
  });
});

it("survives nesting that would overflow the stack of a recursive walk", () => {
  const text = `x = 0${"+1".repeat(3000)}; function f() {}`;
  expect(measured("file.js", text).functions).toBe(1);
});

it("keeps the longest and the most complex functions, in source order", () => {
  const long = (name: string, lines: number): string => `function ${name}() {${"\n".repeat(lines - 1)}}\n`;
  const complex = "function complex(a) { return a && a && a; }\n";
  const text = long("a", 2) + long("b", 9) + long("c", 3) + complex + long("d", 8);
  expect(measured("file.js", text, { top: 2 }).notable.map(({ name }) => name)).toEqual([
    "a",
    "b",
    "complex",
    "d",
  ]);
});
