/**
 * `pnpm release:dry`: a release without publishing anything. In a copy of what is committed the changesets make versions and changelogs, and
 * each package is packed with the build of this folder. Fails if something would be published that should not be. With `--ready`, as
 * `pnpm release` calls it, it also fails when something is missing that a real release needs.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Addresses, missingForRelease, waitingChangesets } from "./missing-for-release.ts";
import { problemsOfPacked } from "./packed.ts";

interface Manifest extends Addresses {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly access?: string; readonly provenance?: boolean };
}

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "skein-release-"));
const copy = join(folder, "copy");
const problems: string[] = [];
try {
  run(root, "git", "clone", "--quiet", "--depth=1", `file://${root}`, copy);
  const waiting = waitingChangesets(copy);
  if (waiting > 0) run(copy, process.execPath, join(root, "node_modules/@changesets/cli/bin.js"), "version");
  const manifests = globSync("packages/*/package.json", { cwd: copy }).toSorted();
  const packed = manifests.map((path) => pack(dirname(path)));
  const versions = new Set(packed.map(({ version }) => version));
  if (versions.size > 1) problems.push(`the packages have several versions: ${[...versions].join(", ")}`);
  console.log(`${waiting} changesets, ${packed.length} packages. Nothing was published.`);
  const missing = missingForRelease(packed, waiting);
  if (process.argv.includes("--ready")) problems.push(...missing);
  else for (const what of missing) console.log(`Not ready to be published: ${what}`);
} finally {
  rmSync(folder, { recursive: true });
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function pack(path: string): Manifest {
  const target = join(copy, path);
  const source = JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as Manifest;
  cpSync(join(root, path, "dist"), join(target, "dist"), { recursive: true });
  linkDependencies(target, source);
  run(root, "pnpm", "--dir", target, "pack", "--pack-destination", folder);
  const tarball = join(folder, `${source.name.replace("@", "").replace("/", "-")}-${source.version}.tgz`);
  const text = run(folder, "tar", "-xOzf", tarball, "package/package.json");
  const manifest = JSON.parse(text) as Manifest;
  problems.push(...problemsOfPacked(tarball));
  if (text.includes("workspace:")) problems.push(`${source.name} names a version of the workspace`);
  if (manifest.publishConfig?.access !== "public" || manifest.publishConfig.provenance !== true)
    problems.push(`${source.name} would not be published in public with provenance`);
  if (!existsSync(join(target, "CHANGELOG.md"))) problems.push(`${source.name} has no changelog`);
  console.log(`${manifest.name} ${manifest.version}, ${Math.ceil(statSync(tarball).size / 1024)} KiB`);
  return manifest;
}

/** As an installation has them: pnpm reads the versions of the workspace there. */
function linkDependencies(target: string, { dependencies, devDependencies }: Manifest): void {
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (!version.startsWith("workspace:")) continue;
    const link = join(target, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(copy, "packages", name.replace("@skein/", "")), link);
  }
}

function run(cwd: string, program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed\n${stdout}${stderr}`);
  return stdout;
}
