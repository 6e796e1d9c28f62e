/**
 * What was measured, and where. Samples are compared only when all of this is equal, but for the commit: another build, another Node or
 * another machine is another experiment. Commits that build the same files differ in what is around them, the benchmarks perhaps: each
 * section was measured by one of them, and the report names them.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Fingerprint {
  readonly commit: string;
  /** The working tree differs from the commit, results aside. */
  readonly dirty: boolean;
  /** Of the built files, without those that earlier builds have left behind. */
  readonly dist: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly mode: "full" | "quick";
  /** Exact, as installed. */
  readonly peers: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** @throws Error when nothing has been built. */
export function takeFingerprint(mode: Fingerprint["mode"], folder: string = root): Fingerprint {
  return {
    commit: git(folder, "rev-parse", "--short=12", "HEAD"),
    dirty: git(folder, "status", "--porcelain", "--", ".", ":!bench/results") !== "",
    dist: hashOfDist(folder),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${process.arch}`,
    mode,
    peers: peerVersions(folder),
  };
}

/** The names of the fields in which two fingerprints differ, and must not. */
export function differences(a: Fingerprint, b: Fingerprint): string[] {
  const fields = Object.keys(a) as (keyof Fingerprint)[];
  return fields.filter(
    (field) => field !== "commit" && JSON.stringify(a[field]) !== JSON.stringify(b[field]),
  );
}

function hashOfDist(folder: string): string {
  const files = globSync("{packages,apps}/*/dist/**/*.js", { cwd: folder })
    .filter((file) => !isLeftBehind(join(folder, file)))
    .toSorted();
  if (files.length === 0)
    throw new Error("Nothing has been built: run `pnpm build`, or `pnpm bench`, which does");
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(`${folder}/${file}`));
  return hash.digest("hex").slice(0, 16);
}

/** A build does not remove what it no longer writes: the sources of such a file, which its map names, are gone. */
function isLeftBehind(file: string): boolean {
  if (!existsSync(`${file}.map`)) return false;
  const { sources } = JSON.parse(readFileSync(`${file}.map`, "utf8")) as { sources: readonly string[] };
  return sources.length > 0 && sources.every((source) => !existsSync(join(dirname(file), source)));
}

function peerVersions(folder: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(`${folder}/bench/package.json`, "utf8")) as {
    dependencies: Record<string, string>;
  };
  const versions = Object.entries(manifest.dependencies).filter(([name]) => !name.startsWith("@skein/"));
  return Object.fromEntries(versions);
}

function git(folder: string, ...args: string[]): string {
  return execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" }).trim();
}
