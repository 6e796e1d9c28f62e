/**
 * What is wrong with a package as it would be published: files that do not belong there or are missing, links in its Markdown that lead
 * nowhere, and more code than its budget allows. `scripts/size-budget.json` has the most KiB of JavaScript that each package may hold.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { posix } from "node:path";

interface Manifest {
  readonly name: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Targets;
}

/** By the name of an entry, then by conditions. */
interface Targets {
  readonly [name: string]: string | Targets;
}

const budgets = JSON.parse(readFileSync("scripts/size-budget.json", "utf8")) as Readonly<
  Record<string, number>
>;
const BELONGS =
  /^(?:package\.json|LICENSE|[A-Za-z]+\.md|require\.(?:cjs|d\.cts)|dist\/.+\.(?:js|d\.ts)(?:\.map)?|src\/.+\.ts)$/;
const NEEDED = ["package.json", "LICENSE", "README.md"];

export function problemsOfPacked(tarball: string): string[] {
  const sizes = filesIn(tarball);
  const manifest = JSON.parse(textIn(tarball, "package.json")) as Manifest;
  const needed = [...NEEDED, ...targetsOf(manifest)];
  return [
    ...[...sizes.keys()].filter((file) => !BELONGS.test(file)).map((file) => `${file} does not belong there`),
    ...needed.filter((file) => !sizes.has(file)).map((file) => `${file} is missing`),
    ...[...sizes.keys()]
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) => deadLinks(tarball, file, sizes)),
    ...sizeProblems(manifest.name, sizes),
  ].map((problem) => `${manifest.name}: ${problem}`);
}

/** With their sizes in bytes. */
function filesIn(tarball: string): ReadonlyMap<string, number> {
  const { stdout } = spawnSync("tar", ["-tvzf", tarball], { encoding: "utf8" });
  const lines = stdout.trim().split("\n");
  return new Map(
    lines.map((line) => {
      const columns = line.split(/\s+/);
      const size = columns.slice(1).find((column) => /^\d+$/.test(column));
      return [columns.at(-1)!.replace(/^package\//, ""), Number(size)];
    }),
  );
}

function textIn(tarball: string, file: string): string {
  return spawnSync("tar", ["-xOzf", tarball, `package/${file}`], { encoding: "utf8" }).stdout;
}

/** What its exports and commands name. */
function targetsOf({ bin = {}, exports }: Manifest): string[] {
  const within = (targets: Targets): string[] =>
    Object.values(targets).flatMap((target) => (typeof target === "string" ? [target] : within(target)));
  return [...within(exports), ...Object.values(bin)].map((target) => posix.normalize(target));
}

function deadLinks(tarball: string, file: string, sizes: ReadonlyMap<string, number>): string[] {
  const links = textIn(tarball, file).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g);
  return [...links]
    .filter(([, target = ""]) => !sizes.has(posix.join(posix.dirname(file), target)))
    .map(([, target = ""]) => `${file} links to ${target}, which is not in the package`);
}

function sizeProblems(name: string, sizes: ReadonlyMap<string, number>): string[] {
  const code = [...sizes].filter(([file]) => /^dist\/.+\.js$/.test(file));
  const kib = Math.ceil(code.reduce((sum, [, size]) => sum + size, 0) / 1024);
  const budget = budgets[name];
  if (budget === undefined)
    return [`it has ${kib} KiB of JavaScript and no budget; add one to scripts/size-budget.json`];
  if (kib <= budget) return [];
  return [
    `it has ${kib} KiB of JavaScript, more than its budget of ${budget}; make it smaller, or raise the budget in scripts/size-budget.json and say why`,
  ];
}
