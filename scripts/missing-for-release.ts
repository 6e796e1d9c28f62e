/** What a release needs and is not there yet, a sentence each. */
import { globSync } from "node:fs";
import { join } from "node:path";

export interface Addresses {
  readonly repository?: unknown;
  readonly bugs?: unknown;
  readonly homepage?: unknown;
}

/** Files of changesets in the root. */
export function waitingChangesets(root: string): number {
  return globSync(join(root, ".changeset/*.md")).length;
}

export function missingForRelease(manifests: readonly Addresses[], waiting: number): string[] {
  const addresses = (["repository", "bugs", "homepage"] as const).filter((name) =>
    manifests.some((manifest) => manifest[name] === undefined),
  );
  const missing: string[] = [];
  if (addresses.length > 0)
    missing.push(
      `nothing says where Skein lives. Fill in ${addresses.join(", ")} in package.json of the root (npm needs \`repository\` for provenance), and copy them into the packages with \`node scripts/check-metadata.ts --write\`.`,
    );
  if (waiting > 0)
    missing.push(`${waiting} changesets wait. Run \`pnpm changeset version\` and commit what it writes.`);
  return missing;
}
