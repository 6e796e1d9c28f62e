import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findUrls } from "../src/find-urls.ts";
import { jobModuleTest, type SkeinPluginOptions } from "../src/options.ts";
import { temporaryFolder } from "./program.ts";

function found(code: string, options?: SkeinPluginOptions, importer = "main.ts"): string[] {
  const folder = temporaryFolder();
  for (const name of ["a.jobs.ts", "b b.jobs.mjs", "d%#.jobs.ts", "worker.ts", "c.js"])
    writeFileSync(join(folder, name), "");
  mkdirSync(join(folder, "worker"));
  writeFileSync(join(folder, "worker/entry.js"), "");
  return findUrls(code, join(folder, importer), jobModuleTest(options)).map(
    ({ start, end, path }) => `${code.slice(start, end)} → ${path.slice(folder.length + 1)}`,
  );
}

describe("the URLs that a plugin replaces", () => {
  it.each([
    ['f(new URL("./a.jobs.ts", import.meta.url))', "a.jobs.ts"],
    ["f(new URL(\n  './a.jobs.ts',\n  import.meta.url,\n))", "a.jobs.ts"],
    ["f(new URL(`./a.jobs.ts`, import.meta.url))", "a.jobs.ts"],
    ['f(new URL("./b%20b.jobs.mjs", import.meta.url))', "b b.jobs.mjs"],
    // As tsc wants it written.
    ['f(new URL("./a.jobs.js", import.meta.url))', "a.jobs.ts"],
    ['f(new URL(/* chunk: "a" (1) */ "./a.jobs.ts", import.meta.url))', "a.jobs.ts"],
    ['f(new URL("./d%25%23.jobs.ts", import.meta.url))', "d%#.jobs.ts"],
  ])("%s", (code, path) => {
    expect(found(code)).toEqual([`${code.slice(2, -1)} → ${path}`]);
  });

  const url = 'new URL("./a.jobs.ts", import.meta.url)';
  const text = '`new URL("./gone.jobs.ts", import.meta.url)`';

  it.each([
    // TypeScript's "!".
    "const ratio = a! / b!, lines = `\n`;",
    "const ratio = sizes.get(`a`)! /* all */ / 2, lines = `\n`;",
    "f(`${done! / total!} of all, with 1 / 1 threads`);",
    "a!! / b; c![0]! / d, `\n`;",
    // The other one.
    "if (!a) !/`/.test(b);",
    "if(a)!/`/.test(b);",
    "const f = () => { return!/`/.test(a); };",
    "a\n!/`/.test(b);",
    "a\n/* not */ !/`/.test(b);",
    "a !== /`/;",
    "#!/usr/bin/`",
  ])("behind: %s", (code) => {
    expect(found(`${code}\n${url}; ${text}`)).toEqual([`${url} → a.jobs.ts`]);
  });

  it.each([
    "const p = <p title='`'>Don`t, // here</p>;",
    "const p = <p>Don't /* here </p>;",
    "const p = <p>it's</p>, lines = `\n`;",
    "const same = <T extends object>(value: T): T => value;",
    "const same = <T,>(value: T): T => { return value; };",
    "type Same = <T>(value: T) => { a: T };",
  ])("behind: %s", (code) => {
    const program = `${code}\nf(${url}, <A b={${url}}>{${text}}*/</A>);`;
    const expectedUrl = `${url} → a.jobs.ts`;
    expect(found(program, {}, "main.tsx")).toEqual([expectedUrl, expectedUrl]);
  });

  it("the thread entry of the pool", () => {
    expect(found("const x = import.meta.skeinThreadEntry;", {}, "main.js")).toEqual([
      "import.meta.skeinThreadEntry → worker/entry.js",
    ]);
  });

  it.each([
    '// new URL("./a.jobs.ts", import.meta.url)',
    '/* new URL("./a.jobs.ts", import.meta.url) */',
    "f('new URL(\"./a.jobs.ts\", import.meta.url)')",
    'new URL("./picture.png", import.meta.url)',
    'new URL("https://example.org/a.jobs.ts", import.meta.url)',
    "new URL(`./${name}.jobs.ts`, import.meta.url)",
    'new URL("./a.jobs.ts", base)',
    "f(import.meta.url)",
  ])("not: %s", (code) => {
    expect(found(code)).toEqual([]);
  });

  it("others, if `include` says so", () => {
    const code = 'new URL("./worker.ts", import.meta.url), new URL("./c.js", import.meta.url)';
    expect(found(code, { include: /worker\.ts$/ })).toHaveLength(1);
    expect(found(code, { include: [/worker\.ts$/g, /c\.js$/g] })).toHaveLength(2);
  });

  it("a job module that does not exist is an error of the build", () => {
    expect(() => found('new URL("./gone.jobs.ts", import.meta.url)')).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_JOB_MODULE" }),
    );
  });
});

describe("options", () => {
  it.each([
    [{ includes: /x/ }, "Did you mean `include`?"],
    [
      { include: "*.jobs.ts" },
      '`include` to be a RegExp or an array of at least one RegExp, got the string "*.jobs.ts"',
    ],
    [{ include: [] }, "`include`"],
    [null, "`options` to be an object"],
  ])("%o is refused", (options, message) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- wrong ones are what is tested
    expect(() => jobModuleTest(options as SkeinPluginOptions)).toThrow(message);
  });
});
