/**
 * Checks what package.json of each published package says about it: keywords, what Node.js it needs, how it is published, and where it comes
 * from. The addresses are those of package.json in the root, as far as it has them: `--write` copies `repository`, `bugs` and `homepage`
 * from there.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

interface Manifest {
  readonly name: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly description?: string;
  readonly license?: string;
  readonly keywords?: readonly string[];
  readonly engines?: { readonly node?: string };
  readonly publishConfig?: { readonly access?: string; readonly provenance?: boolean };
  readonly repository?: unknown;
  readonly bugs?: unknown;
  readonly homepage?: unknown;
}

/** Refuses what is not ready, however it is published. */
const BEFORE_PUBLISH = "node ../../scripts/before-publish.ts";

const root = read("package.json") as Manifest & { readonly repository?: { readonly url: string } };
const problems: string[] = [];
for (const path of globSync("packages/*/package.json").toSorted()) {
  const manifest = read(path);
  const addresses = addressesOf(path);
  if (process.argv.includes("--write")) {
    const { repository: _, bugs: __, homepage: ___, ...others } = manifest;
    writeFileSync(path, `${JSON.stringify({ ...others, ...addresses }, null, 2)}\n`);
    continue;
  }
  const wrong = (problem: string): number => problems.push(`${path}: ${problem}`);
  if ((manifest.description ?? "") === "") wrong("it has no description");
  if ((manifest.keywords ?? []).length < 3) wrong("it has fewer than three keywords");
  if (manifest.license !== root.license) wrong(`its license is not ${root.license}`);
  if (manifest.engines?.node !== root.engines?.node) wrong(`its engines.node is not ${root.engines?.node}`);
  if (manifest.publishConfig?.access !== "public") wrong('publishConfig.access is not "public"');
  if (manifest.publishConfig?.provenance !== true) wrong("publishConfig.provenance is not true");
  if (manifest.scripts?.["prepublishOnly"] !== BEFORE_PUBLISH)
    wrong(`prepublishOnly is not "${BEFORE_PUBLISH}"`);
  for (const name of ["repository", "bugs", "homepage"] as const)
    if (JSON.stringify(manifest[name]) !== JSON.stringify(addresses[name]))
      wrong(`\`${name}\` is not that of the root; run \`node scripts/check-metadata.ts --write\``);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function read(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}

function addressesOf(path: string): Partial<Pick<Manifest, "repository" | "bugs" | "homepage">> {
  const { repository, bugs, homepage } = root;
  return {
    ...(repository !== undefined && { repository: { ...repository, directory: dirname(path) } }),
    ...(bugs !== undefined && { bugs }),
    ...(homepage !== undefined && { homepage }),
  };
}
