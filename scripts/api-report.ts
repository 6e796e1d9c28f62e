/**
 * The public surface of each published package is in its api.txt. `node scripts/api-report.ts` fails where the built package has another
 * one; `--write` (`pnpm api`) writes it down, to be seen in the diff and announced by a changeset. Needs a build. Entries called
 * internal are between our packages, which are released together.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { surfaceOf } from "./declarations.ts";

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | { readonly types?: string }>>;
}

let changed = 0;
for (const path of globSync("packages/*/package.json").toSorted()) {
  const report = join(dirname(path), "api.txt");
  const surface = reportOf(path);
  const known = existsSync(report) ? readFileSync(report, "utf8") : "";
  if (known === surface) continue;
  if (process.argv.includes("--write")) {
    writeFileSync(report, surface);
    continue;
  }
  changed++;
  console.error(
    `${report}: the public surface has changed. If it was meant to, run \`pnpm api\` and add a changeset.`,
  );
  for (const line of differences(known, surface)) console.error(line);
}
process.exitCode = changed === 0 ? 0 : 1;

function reportOf(path: string): string {
  const { name, exports = {} } = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  const sections = Object.entries(exports).flatMap(([entry, target]) =>
    entry === "./internal" || typeof target === "string" || target.types === undefined
      ? []
      : [`${"=".repeat(10)} ${name}${entry.slice(1)}\n${surfaceOf(join(dirname(path), target.types))}\n`],
  );
  return sections.join("\n");
}

/** Lines that only one of them has. */
function differences(known: string, surface: string): string[] {
  const before = known.split("\n");
  const after = surface.split("\n");
  const old = new Set(before);
  const now = new Set(after);
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ].slice(0, 40);
}
