/** The code in docs/ and in the READMEs is what it seems: it type-checks, runs on the built packages, and prints what the page shows. */
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { runNode } from "../support/child.ts";
import { isTest, programsOf, readPage, unusedIn } from "./page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = ownFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const pages = globSync(["docs/**/*.md", "README.md", "packages/*/{README,MIGRATING}.md"], {
  cwd: root,
  exclude: ["**/node_modules/**", "docs/api/**", "docs/dist/**"],
})
  .toSorted()
  .map((path) => {
    const markdown = readFileSync(join(root, path), "utf8");
    return { path, markdown, page: readPage(path, markdown) };
  });
const versions = pages.flatMap(({ path, page }) =>
  [...page.versions.keys()].map((version) => ({ path, page, version })),
);
const programs = versions.flatMap(({ path, page, version }) =>
  programsOf(page, version).map((name) => ({ path, page, version, name })),
);

/** Those that `docs/guide/first-job.md` names. */
const commonPackages = new Set(["@skein/pool", "@skein/context", "@skein/scheduling"]);

/** All that the packages export, and what that has. */
const interfaces = globSync("packages/*/api.txt", { cwd: root }).map((path) =>
  readFileSync(join(root, path), "utf8"),
);
const isUnknown = (name: string): boolean =>
  !interfaces.some((text) => new RegExp(`\\b${name}\\b`).test(text));

writeFiles();

it.each(versions)("$path, $version: each file runs, or is named by another", ({ page, version }) => {
  expect(unusedIn(page, version)).toEqual([]);
});

it.each(pages)("links in $path lead to a file, and a heading of it", ({ path, markdown }) => {
  const dead = [...markdown.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].filter(
    ([, target = "", anchor]) => {
      const file = target === "" ? path : join(dirname(path), target);
      if (anchor === undefined) return !existsSync(join(root, file));
      const found = pages.find((page) => page.path === file);
      return found === undefined || !headingsOf(found.markdown).includes(anchor);
    },
  );
  expect(dead.map(([link]) => link)).toEqual([]);
});

it.each(pages)("what the code of $path imports is to be installed", ({ path, markdown, page }) => {
  const code = [...page.versions.get("after")!.values()].join("\n");
  const imported = [
    ...code.matchAll(/(?:\bfrom |\bimport |\bresolve\()"((?:@[\w-]+\/)?[\w-]+)(?:\/[\w/-]+)?"/g),
  ];
  const lines = [...markdown.matchAll(/\bnpm install ([^`#\n]+)/g)];
  const installed = new Set(lines.flatMap(([, names]) => names!.split(" ")));
  // The first guide says once how to install what nearly all others use.
  const isKnown = (name: string): boolean => /^docs\/(guide|errors)/.test(path) && commonPackages.has(name);
  const missing = imported.map(([, name]) => name!).filter((name) => !installed.has(name) && !isKnown(name));
  expect(new Set(missing)).toEqual(new Set());
});

it.each(pages)("what the tables of $path name of ours is there", ({ path, markdown }) => {
  expect(namesInTables(markdown, /^docs\/(?:from\/|guide\/from-)/.test(path)).filter(isUnknown)).toEqual([]);
});

it("each page is in the menu of the site", () => {
  const menu = readFileSync(join(root, "docs/.vitepress/config.ts"), "utf8");
  const links = pages.flatMap(({ path }) => /^docs(\/.+)\.md$/.exec(path)?.[1] ?? []);
  expect(links.filter((link) => link !== "/index" && !menu.includes(`link: "${link}"`))).toEqual([]);
});

it("all of it type-checks", async () => {
  const require = createRequire(join(root, "package.json"));
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  expect(await runNode({ args: [tsc, "-p", folder] })).toEqual({ code: 0, stdout: "", stderr: "" });
});

it.concurrent.each(programs)("$path, $version: $name", async ({ path, page, version, name }) => {
  const cwd = join(folder, path, version);
  // On Node 22 TypeScript would warn that it is experimental.
  const flags = ["--disable-warning=ExperimentalWarning", ...(isTest(name) ? ["--test"] : [])];
  const ended = await runNode({ args: [...flags, name], cwd });
  const stdout = isTest(name) ? ended.stdout : (page.outputs.get(name) ?? ended.stdout);
  expect(ended).toEqual({ code: 0, stdout, stderr: "" });
});

/**
 * The same each time, so that Node.js finds the code that it compiled before, without its types, which is half of what a program costs;
 * a new one while somebody else runs the same tests.
 */
function ownFolder(): string {
  const usual = join(tmpdir(), `skein-docs${root.replaceAll(/\W+/g, "-")}`);
  try {
    mkdirSync(usual);
    return usual;
  } catch {
    return mkdtempSync(join(tmpdir(), "skein-docs-"));
  }
}

/** Members of our objects, and options, in the code of table rows. @param isMigration The first column is of others. */
function namesInTables(markdown: string, isMigration: boolean): string[] {
  const rows = markdown.replaceAll(/^```.*?^```$/gms, "").match(/^\|.*\|$/gm) ?? [];
  const cells = rows.flatMap((row) => row.split(/(?<!\\)\|/).slice(isMigration ? 2 : 1));
  const code = cells.flatMap((cell) => cell.match(/`[^`]+`/g) ?? []);
  return code.flatMap((text) =>
    Array.from(
      text.matchAll(
        /(?<![\w./-])(?:pool|cluster|engine|jobs?|task|Task|ThreadPool|consumer)\.(\w+)|[{,] (\w+)(?=:| }|,)/g,
      ),
      ([, member, option]) => (member ?? option)!,
    ),
  );
}

/** As GitHub and the site call them. */
function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .trim()
      .replaceAll(/\s/g, "-"),
  );
}

/** As a project that has installed the packages. */
function writeFiles(): void {
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(join(root, "test", "node_modules")).filter((name) => !name.startsWith(".")))
    symlinkSync(join(root, "test", "node_modules", name), join(modules, name));
  symlinkSync(join(root, "packages", "skein"), join(modules, "skein"));
  // The README of a package may also use what the package has for its tests.
  for (const path of globSync("packages/*/node_modules", { cwd: root })) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    symlinkSync(join(root, path), join(folder, path));
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const compilerOptions = {
    noEmit: true,
    strict: true,
    module: "NodeNext",
    target: "ES2024",
    lib: ["ES2024", "ESNext.Disposable", "ESNext.SharedMemory"],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));
  for (const { path, page, version } of versions) {
    const target = join(folder, path, version);
    mkdirSync(target, { recursive: true });
    for (const [name, text] of page.versions.get(version)!) writeFileSync(join(target, name), text);
  }
}
