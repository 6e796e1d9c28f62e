/** The packages as they would be published. */
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");

interface Packed {
  readonly name: string;
  readonly tarball: string;
}

/** Packs all packages into `folder`. They must have been built. */
export function packAll(folder: string): ReadonlyMap<string, string> {
  mkdirSync(folder, { recursive: true });
  const packed = globSync("packages/*/package.json", { cwd: root }).map((path): Packed => {
    const { name, version } = JSON.parse(readFileSync(join(root, path), "utf8")) as {
      name: string;
      version: string;
    };
    execFileSync("pnpm", ["--dir", dirname(join(root, path)), "pack", "--pack-destination", folder]);
    return { name, tarball: join(folder, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`) };
  });
  return new Map(packed.map(({ name, tarball }) => [name, tarball]));
}
