/**
 * `pnpm check`: everything that can be said about the repository without running its tests. Each check runs to its end, so that
 * one run shows all there is to mend; the exit code is 1 if any of them failed.
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemsOfPacked } from "./packed.ts";

interface Check {
  readonly name: string;
  readonly run: () => boolean;
}

function command(name: string, program: string, ...args: string[]): Check {
  return { name, run: () => execute(program, args) };
}

function execute(program: string, args: readonly string[]): boolean {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status === 0) return true;
  process.stdout.write(`$ ${program} ${args.join(" ")}\n${stdout}${stderr}\n`);
  return false;
}

const testConfigs = globSync([
  "{packages,apps}/*/{test,bench}/tsconfig.json",
  "{test,bench,examples,scripts}/tsconfig.json",
]).toSorted();
const published = globSync("packages/*/package.json").toSorted();

/** Packs a package as it would be published and looks at the tarball: exports, types, contents, links and size. */
function checkPackage(manifestPath: string): boolean {
  const folder = manifestPath.replace(/\/package\.json$/, "");
  const target = mkdtempSync(join(tmpdir(), "skein-pack-"));
  try {
    if (!execute("pnpm", ["--dir", folder, "pack", "--pack-destination", target])) return false;
    const [tarball] = globSync(join(target, "*.tgz"));
    if (tarball === undefined) return false;
    const { stdout } = spawnSync("tar", ["-xOzf", tarball, "package/package.json"], { encoding: "utf8" });
    if (stdout.includes("@skein/source")) {
      console.log(`${folder}: the packed package.json still has the condition for source`);
      return false;
    }
    const problems = problemsOfPacked(tarball);
    for (const problem of problems) console.log(problem);
    const linted = execute("publint", ["run", tarball, "--strict"]);
    // ESM only by decision: what CommonJS of old resolvers sees is not checked.
    return execute("attw", [tarball, "--profile", "esm-only"]) && linted && problems.length === 0;
  } finally {
    rmSync(target, { recursive: true });
  }
}

const checks: readonly Check[] = [
  command("format", "oxfmt", "--check"),
  command("lint", "oxlint", "--type-aware", "--deny-warnings"),
  command("types of the sources", "tsc", "-b", ...globSync("{packages,apps}/*/tsconfig.json").toSorted()),
  ...testConfigs.map((config) => command(`types: ${config}`, "tsc", "-p", config)),
  command("atomics and their pairings", process.execPath, "scripts/check-atomics.ts"),
  command("direction of imports", process.execPath, "scripts/check-direction.ts"),
  command("error codes and their page", process.execPath, "scripts/check-error-codes.ts"),
  command("snippets and the oldest Node.js", process.execPath, "scripts/check-snippets.ts"),
  command("what packages say of themselves", process.execPath, "scripts/check-metadata.ts"),
  command("public surface and its report", process.execPath, "scripts/api-report.ts"),
  command("unused files, exports and dependencies", "knip"),
  ...published.map((path) => ({
    name: `package ${(JSON.parse(readFileSync(path, "utf8")) as { name: string }).name}`,
    run: () => checkPackage(path),
  })),
];

let failures = 0;
for (const { name, run } of checks) {
  const started = performance.now();
  const passed = run();
  if (!passed) failures++;
  console.log(
    `${passed ? "ok    " : "FAILED"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  );
}
console.log(failures === 0 ? "All checks passed." : `${failures} of ${checks.length} checks failed.`);
process.exitCode = failures === 0 ? 0 : 1;
