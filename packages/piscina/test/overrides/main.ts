/**
 * A program that uses Piscina and does not know of us: the Angular CLI, whose `ng build` compiles and links on a pool of Piscina. Builds the
 * app beside this file in two folders that differ by one line, `"overrides": { "piscina": … }`, with this repository as it is built, and
 * compares what comes out, byte by byte. Needs the npm registry, half a gigabyte of disk, and some minutes.
 *
 * `node test/overrides/main.ts`, or with the number of builds on either side, which take turns, for their times: `node test/overrides/main.ts 5`.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ANGULAR = "22.2.7";
const dependencies = {
  "@angular/build": ANGULAR,
  "@angular/cli": ANGULAR,
  ...Object.fromEntries(
    ["common", "compiler", "compiler-cli", "core", "platform-browser"].map((name) => [
      `@angular/${name}`,
      "22.2.6",
    ]),
  ),
  rxjs: "7.8.2",
  tslib: "2.9.1",
  typescript: "6.0.3",
};
const builds = Number(process.argv[2] ?? 1);
const packages = ["context", "scheduling", "pool", "piscina"];
const root = mkdtempSync(join(tmpdir(), "skein-overrides-"));
try {
  const overrides = Object.fromEntries(packages.map((name) => [`@skein/${name}`, packed(name)]));
  const sides = [
    makeApp("theirs", {}),
    makeApp("ours", { ...overrides, piscina: overrides["@skein/piscina"]! }),
  ];
  const names = sides.map((folder) => nameOf(join(folder, "node_modules/piscina")));
  const times: number[][] = [[], []];
  for (let i = 0; i < builds; i++)
    for (const [side, folder] of sides.entries()) times[side]!.push(build(folder));
  const [theirs, ours] = sides.map(filesOf);
  if (names.join() !== "piscina,@skein/piscina") throw new Error(`The pools were ${names.join(" and ")}`);
  if (theirs!.size === 0 || !isSame(theirs!, ours!))
    throw new Error(`Not the same was built: ${[...theirs!.keys()].join()}; ${[...ours!.keys()].join()}`);
  for (const [side, name] of names.entries()) console.log(`${name}: ${times[side]!.join(", ")} ms`);
  console.log(`ng build ${ANGULAR} built the same ${theirs!.size} files on both`);
} finally {
  rmSync(root, { recursive: true });
}

function packed(name: string): string {
  const folder = join(import.meta.dirname, "../../..", name);
  const target = join(root, name);
  mkdirSync(target);
  execFileSync("pnpm", ["--dir", folder, "pack", "--pack-destination", target], { stdio: "pipe" });
  return `file:${globSync(join(target, "*.tgz"))[0]!}`;
}

function makeApp(name: string, overrides: Readonly<Record<string, string>>): string {
  const folder = join(root, name);
  const source = join(import.meta.dirname, "app");
  cpSync(source, folder, { recursive: true });
  // Under their own names they would be files of this repository, for its compiler and its editor.
  copyFileSync(join(source, "src/main.ts.txt"), join(folder, "src/main.ts"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies, overrides }));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return folder;
}

/** @returns milliseconds. */
function build(folder: string): number {
  const startedAt = performance.now();
  execFileSync(process.execPath, ["node_modules/@angular/cli/bin/ng.js", "build"], {
    cwd: folder,
    stdio: "pipe",
  });
  return Math.round(performance.now() - startedAt);
}

function nameOf(folder: string): string {
  const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly name: string;
  };
  return name;
}

/** Names carry a hash of the content. */
function filesOf(folder: string): Map<string, string> {
  const cwd = join(folder, "dist");
  const files = globSync("**/*.*", { cwd }).toSorted();
  return new Map(files.map((file) => [file, readFileSync(join(cwd, file), "base64")]));
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([file, content]) => other.get(file) === content);
}
