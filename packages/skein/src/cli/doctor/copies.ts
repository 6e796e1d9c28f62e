/** The copies of our packages that a project has installed. All of them are released together, and should be of one version. */
import { globSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Finding, ok, warn } from "./finding.ts";

interface Copy {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
}

/** Where package managers put packages: side by side, below the package that needs another version, and pnpm's store. */
const places = [
  "node_modules/{skein,@skein/*}/package.json",
  "node_modules/{*,@*/*}/node_modules/{skein,@skein/*}/package.json",
  "node_modules/.pnpm/{skein,@skein+}*/node_modules/{skein,@skein/*}/package.json",
];

export function copyFindings(folder: string): Finding[] {
  const copies = copiesFor(folder);
  const versions = [...new Set(copies.map(({ version }) => version))].toSorted();
  if (versions.length === 0) return [];
  if (versions.length === 1) return [ok(`All packages of Skein are of version ${versions[0]!}.`)];
  const named = versions.map((version) => {
    const { name, folder: place } = copies.find((copy) => copy.version === version)!;
    return `${name} ${version} in ${place}`;
  });
  return [
    warn(
      `There are several versions of Skein's packages: ${named.join(", ")}. Context and errors may not pass between them. ` +
        'Install one version of all: see `npm ls` or `pnpm why`, and say "overrides" in package.json if others bring them.',
    ),
  ];
}

/** Those that a module in the folder, or in one above it, could load. */
function copiesFor(folder: string): Copy[] {
  const copies = new Map<string, Copy>();
  for (let at = folder; ; at = dirname(at)) {
    for (const path of globSync(places, { cwd: at })) {
      const real = dirname(realpathSync(join(at, path)));
      const { name, version } = JSON.parse(readFileSync(join(real, "package.json"), "utf8")) as Copy;
      copies.set(real, { name, version, folder: real });
    }
    if (dirname(at) === at) return [...copies.values()];
  }
}
