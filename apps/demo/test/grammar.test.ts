import { describe, expect, it } from "vitest";
import { isSourceName } from "../src/grammar.ts";
import { measured } from "./measured.ts";

describe("valid files have no errors", () => {
  it.each([
    ["a script with octal numbers and with", "old.js", "with (Math) { x = 010; }"],
    ["return at the top of CommonJS", "early.cjs", "if (done) return; exports.a = new.target;"],
    ["a module", "module.mjs", "import a from 'a'; export const b = await a;"],
    ["a module by its content", "module.js", "export const b = await 1;"],
    ["await as a name in a script", "script.js", "var await = 1; await + 1;"],
    ["a hashbang", "tool.js", "#!/usr/bin/env node\nmain();"],
    ["a byte order mark", "bom.js", "\uFEFFvar a = 1;"],
    ["JSX", "view.jsx", "const a = <p>{b}</p>;"],
    ["JSX in .js", "view.js", "export const a = () => <p>{b}</p>;"],
    [
      "Flow with its pragma",
      "typed.js",
      "/**\n * @flow strict\n */\nexport type A = {| b: ?string |};\nconst f = (x: A): A => x;",
    ],
    ["decorators", "decorated.js", "@a class B { @c d() {} accessor e = 1; }"],
    ["using", "using.mjs", "{ using a = b(); await using c = d(); }"],
    ["import attributes", "data.mjs", "import a from './a.json' with { type: 'json' };"],
    [
      "TypeScript",
      "a.ts",
      "enum A { B } namespace C { export let d = <number>1; } function f(this: A, @e g?: string) {}",
    ],
    ["TypeScript that satisfies", "a.mts", "const a = { b: 1 } satisfies C as const;"],
    ["CommonJS TypeScript", "a.cts", "import a = require('a'); export = a;"],
    ["TypeScript with JSX", "a.tsx", "const f = <T,>(a: T) => <p>{a as string}</p>;"],
    ["declarations", "a.d.ts", "declare module 'a' { export function b(): void; export const c = 1; }"],
    [
      "declarations that merge",
      "a.d.ts",
      "declare var A: { new (): A }; interface A {} declare global { var A: A; const B: number; var B: string; }",
    ],
    ["declarations of a css file", "a.d.css.ts", "declare const css: { a: string }; export default css;"],
    ["an undeclared export", "a.ts", "export { a };"],
    ["an empty file", "empty.js", ""],
    ["HTML comments in a script", "old.js", "<!-- hide\nvar a;\n--> done"],
  ])("%s", (_what, name, text) => {
    expect(measured(name, text).problems).toEqual([]);
  });
});

describe("errors", () => {
  it("are collected, and what can be read is counted all the same", () => {
    const report = measured("a.js", "const a = 1;\nconst a = 2;\nfunction f() {}\nlet b, b;\n");
    expect(report.functions).toBe(1);
    expect(report.problemCount).toBe(2);
    expect(report.problems).toEqual([
      { line: 2, column: 6, message: "Identifier 'a' has already been declared." },
      { line: 4, column: 7, message: "Identifier 'b' has already been declared." },
    ]);
  });

  it("that end the parser leave the lines", () => {
    const report = measured("a.js", "function f() {\n}\n}}}\n");
    expect(report).toMatchObject({ lines: 3, functions: 0, problemCount: 1 });
    expect(report.problems[0]).toMatchObject({ line: 3, column: 0 });
  });

  it("of types in JavaScript without a pragma are errors", () => {
    expect(measured("a.js", "const a: number = 1;").problemCount).toBe(1);
  });

  it("are reported in full number, and shown in small number", () => {
    const report = measured("a.js", Array.from({ length: 12 }, () => "let a;").join("\n"));
    expect(report.problemCount).toBe(11);
    expect(report.problems).toHaveLength(5);
  });
});

it("knows the names of source files", () => {
  const names = ["a.js", "a.mjs", "a.cjs", "a.jsx", "a.ts", "a.mts", "a.cts", "a.tsx", "a.d.ts"];
  expect(names.filter(isSourceName)).toEqual(names);
  expect(["a.json", "a.js.map", "js", "a.tsxx", "a.mjsx", "README.md", "a.JS"].filter(isSourceName)).toEqual(
    [],
  );
});
