import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { expected, innerModule, runProgram, writeProgram } from "./program.ts";

const tsc = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));

/** Compiles the program to `dist` and removes its sources: URLs in it still say ".ts". */
function compile(folder: string): void {
  const flags = ["--module nodenext", "--target es2024", "--rewriteRelativeImportExtensions", "--noCheck"];
  const files = ["main.ts", "geo.jobs.ts", innerModule].map((name) => `src/${name}`);
  const args = [
    tsc,
    ...flags.flatMap((flag) => flag.split(" ")),
    "--rootDir",
    "src",
    "--outDir",
    "dist",
    ...files,
  ];
  execFileSync(process.execPath, args, { cwd: folder, stdio: "pipe" });
  rmSync(join(folder, "src"), { recursive: true });
}

describe("a program that tsc has compiled needs no plugin: URLs that say .ts find the .js file", () => {
  it("ES modules", async () => {
    const folder = writeProgram();
    compile(folder);
    const report = await runProgram(join(folder, "dist/main.js"));
    expect(report).toMatchObject(expected);
    expect(report.stack).toMatch(/^RangeError: no such place\n\s+at refuse .*geo\.jobs\.js/);
  });

  it("CommonJS, which has no import.meta and gives absolute paths", async () => {
    const folder = writeProgram();
    writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }');
    for (const name of ["report/report.ts", "geo.jobs.ts"]) {
      const file = join(folder, "src", name);
      const text = readFileSync(file, "utf8");
      const withPaths = text.replace(
        /new URL\(((["`]).*?\2), import\.meta\.url\)/,
        (_, url: string) => `require("node:path").join(__dirname, ${decodeURI(url)})`,
      );
      expect(withPaths).not.toBe(text);
      writeFileSync(file, withPaths);
    }
    compile(folder);
    const report = await runProgram(join(folder, "dist/main.js"));
    expect(report).toMatchObject(expected);
    expect(report.stack).toMatch(/^RangeError: no such place\n\s+at .*refuse .*geo\.jobs\.js/);
  });
});
