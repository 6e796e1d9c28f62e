/** Each case is a program of its own: what is under test is one per thread. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, describe, expect, it } from "vitest";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "skein-copies-")));
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of the sources, with one module that exports everything. */
function copyOf(name: string, protocol = 1): string {
  const target = join(folder, name);
  cpSync(fileURLToPath(new URL("../src", import.meta.url)), target, { recursive: true });
  writeFileSync(join(target, "package.json"), '{ "type": "module" }');
  const entries = ["index", "errors", "http/index", "log"].map((entry) => `export * from "./${entry}.ts";\n`);
  writeFileSync(join(target, "all.ts"), entries.join(""));
  const home = join(target, "this-copy.ts");
  const text = readFileSync(home, "utf8");
  expect(text).toContain('"@skein/context", 1,');
  writeFileSync(home, text.replace('"@skein/context", 1,', `"@skein/context", ${protocol},`));
  return join(target, "all.ts");
}

async function minified(entry: string): Promise<string> {
  const bundle = await rolldown({ input: entry, platform: "node" });
  const file = `${entry}.min.mjs`;
  await bundle.write({ file, format: "esm", minify: true });
  await bundle.close();
  return file;
}

function run(script: string, ...modules: string[]): string {
  const path = fileURLToPath(new URL(`./fixtures/${script}`, import.meta.url));
  const urls = modules.map((file) => pathToFileURL(file).href);
  const { stdout, stderr } = spawnSync(process.execPath, ["--no-warnings", path, ...urls], {
    encoding: "utf8",
  });
  return stdout.trim() || stderr;
}

describe("several copies of the package in one thread", () => {
  it("act as one", () => {
    expect(run("two-copies.ts", copyOf("first"), copyOf("second"))).toBe("one");
  });

  it("act as one where one of them is in a minified bundle, whichever comes first", async () => {
    const installed = copyOf("installed");
    const bundled = await minified(copyOf("bundled"));
    expect(run("two-copies.ts", installed, bundled)).toBe("one");
    expect(run("two-copies.ts", bundled, installed)).toBe("one");
  });

  it("keep apart when their protocols differ, and one warning names both; copies of each protocol act as one", () => {
    const files = [copyOf("old"), copyOf("new", 2), copyOf("new-again", 2)];
    const warnings = JSON.parse(run("unlike-copies.ts", ...files)) as [name: string, message: string][];
    expect(warnings).toEqual([["SkeinWarning", expect.stringContaining("@skein/context")]]);
    for (const name of ["old", "new"]) {
      expect(warnings[0]![1]).toContain(pathToFileURL(join(folder, name, "this-copy.ts")).href);
    }
  });
});
