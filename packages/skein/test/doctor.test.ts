import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { coresFinding, flagFindings } from "../src/cli/doctor/machine.ts";
import { pnpFindings } from "../src/cli/doctor/project.ts";
import { fixtures, skein } from "./skein.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skein-doctor-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(files: Readonly<Record<string, string>>, below: string): Promise<string> {
  const root = join(folder, below);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

describe("skein doctor", () => {
  test("finds nothing wrong with a project that is well", async () => {
    const root = await write({ "package.json": '{ "type": "module" }' }, "well");
    await cp(join(fixtures, "geo.jobs.ts"), join(root, "src/geo.jobs.ts"), { recursive: true });
    const { code, stdout, stderr } = await skein(["doctor"], { cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("ok    A thread started and ran a job.\n");
    expect(stdout).toContain("ok    Node.js loads the TypeScript of 1 job module.\n");
    expect(stdout).not.toContain("FAIL");
  });

  test("names bundlers without our plugin, and TypeScript that Node cannot load", async () => {
    const root = await write(
      {
        "package.json": '{ "dependencies": { "next": "16" }, "devDependencies": { "tsup": "8" } }',
        "a.jobs.ts": "export enum Shape { Round }",
        "node_modules/b/b.jobs.ts": "export enum Shape { Round }",
      },
      "ill",
    );
    const { code, stdout } = await skein(["doctor", root]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^warn {2}Next\.js .*serverExternalPackages/m);
    expect(stdout).toMatch(/^warn {2}The project has tsup\..*@skein\/unplugin\/esbuild/m);
    expect(stdout).toMatch(/^FAIL {2}a\.jobs\.ts is more than erasable TypeScript\. Install tsx/m);
    expect(stdout).toMatch(/^warn {2}package\.json has no "type"/m);
    expect(stdout).not.toContain("b.jobs.ts");
  });

  test("names versions that differ, and what tsconfig.json keeps from working", async () => {
    const copy = (name: string, version: string) => JSON.stringify({ name, version });
    const root = await write(
      {
        "package.json": '{ "type": "module" }',
        "tsconfig.json": `{
          // as many have it
          "compilerOptions": { "module": "CommonJS", "outDir": "dist", "paths": { "@/*": ["./src/*"] } },
          "include": ["lib"],
        }`,
        "src/geo.jobs.ts": 'import { unit } from "@/unit";\nexport const area = (): string => unit;',
        "node_modules/@skein/pool/package.json": copy("@skein/pool", "1.2.0"),
        "node_modules/@skein/context/package.json": copy("@skein/context", "1.2.0"),
        "node_modules/other/node_modules/@skein/context/package.json": copy("@skein/context", "1.1.0"),
      },
      "mixed",
    );
    const { code, stdout } = await skein(["doctor", root]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^warn {2}There are several versions.*@skein\/context 1\.1\.0 in .*other.*1\.2\.0 in/m,
    );
    expect(stdout).toMatch(/^warn {2}tsconfig\.json compiles to CommonJS/m);
    expect(stdout).toMatch(/^warn {2}tsconfig\.json lacks `verbatimModuleSyntax`/m);
    expect(stdout).toMatch(/^warn {2}src.geo\.jobs\.ts imports "@\/unit".*"imports" in package\.json/m);
    expect(stdout).toMatch(/^warn {2}tsconfig\.json does not include src.geo\.jobs\.ts/m);
  });

  test("names imports that tsc leaves as they are, but no import of types", async () => {
    const tsconfig = (more: object): string =>
      JSON.stringify({
        compilerOptions: {
          module: "nodenext",
          verbatimModuleSyntax: true,
          outDir: "dist",
          paths: { "@/*": ["./src/*"] },
          ...more,
        },
      });
    const files = {
      "package.json": '{ "type": "module" }',
      "a.jobs.ts": 'import { unit } from "./unit.ts";\nexport const area = (): string => unit;',
      "b.jobs.ts":
        'import type { Unit } from "./unit.ts";\nimport type { Shape } from "@/shape";\nexport const size = (unit: Unit, shape: Shape): [Unit, Shape] => [unit, shape];',
    };
    const root = await write({ ...files, "tsconfig.json": tsconfig({}) }, "compiled");
    const { code, stdout } = await skein(["doctor", root]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^warn {2}a\.jobs\.ts imports "\.\/unit\.ts".* Set `rewriteRelativeImportExtensions` in tsconfig\.json\.$/m,
    );
    expect(stdout).not.toContain("b.jobs.ts");
    for (const more of [{ rewriteRelativeImportExtensions: true }, { noEmit: true }]) {
      await write({ "tsconfig.json": tsconfig(more) }, "compiled");
      expect((await skein(["doctor", root])).stdout).toContain("ok    No trap in tsconfig.json.\n");
    }
  });

  test("wrong usage is one sentence and exit code 2", async () => {
    const root = await write({ "package.json": "{" }, "broken");
    expect(await skein(["doctor", root])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^skein: package\.json in .* is not JSON; correct it: .*\n$/) as string,
    });
    expect((await skein(["doctor", "nowhere"])).stderr).toMatch(/^skein: there is no folder .*; give .*\n$/);
    expect((await skein(["doctor", join(root, "package.json")])).stderr).toMatch(
      /^skein: there is no folder /,
    );
    expect((await skein(["doctor", "a", "b"])).code).toBe(2);
  });
});

test("a CPU limit is named, and is a warning below one core", () => {
  expect(coresFinding(0.5, 8)).toMatchObject({
    level: "warn",
    text: expect.stringContaining("is 0.5 cores") as string,
  });
  expect(coresFinding(1.5, 8)).toMatchObject({
    level: "ok",
    text: expect.stringContaining("limit of 1.5: a pool has up to 1 thread ") as string,
  });
  expect(coresFinding(Infinity, 8).text).not.toContain("limit");
});

test("a project with Yarn PnP needs its loader", async () => {
  const root = await write({ ".pnp.cjs": "", "package.json": "{}" }, "pnp");
  expect(pnpFindings(join(root, "packages"), false)).toMatchObject([
    { level: "warn", text: expect.stringContaining("yarn node") as string },
  ]);
  expect(pnpFindings(root, true)).toMatchObject([{ level: "ok" }]);
  expect(pnpFindings(folder, false)).toEqual([]);
});

test("flags that forbid threads, or cost something on each, are named", () => {
  expect(flagFindings(["--permission"])).toEqual([
    { level: "bad", text: "--permission forbids threads. Add --allow-worker." },
  ]);
  expect(flagFindings(["--permission", "--allow-worker"])).toMatchObject([{ level: "ok" }]);
  expect(flagFindings(["--import=./a.mjs", "--no-strip-types"])).toMatchObject([
    { level: "warn" },
    { level: "warn" },
  ]);
  // It loads nothing.
  expect(flagFindings(["--require-module"])).toMatchObject([{ level: "ok" }]);
  expect(flagFindings([])).toMatchObject([{ level: "ok" }]);
});
