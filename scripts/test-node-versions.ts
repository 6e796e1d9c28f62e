/**
 * `pnpm test:node-versions [path …]`: the test suite, or a part of it, on every Node.js that Skein supports; with `--node 26` on that alone.
 * The binaries come from npm packages, kept in a side folder: as dependencies they would shadow the repository's own Node.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { node: { type: "string", multiple: true } },
});
const supported = ["22.18.0", "22.23.3", "24.21.0", "26.10.0"];
const versions = supported.filter(
  (version) => values.node?.some((wanted) => `${version}.`.startsWith(`${wanted}.`)) ?? true,
);
if (versions.length === 0) throw new Error(`--node takes one of ${supported.join(", ")}, or how it begins`);
const binaryPackage = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
const folder = join(import.meta.dirname, "..", ".node-versions");

/** @returns the path of the binary, or null where npm has none for this platform. */
function install(version: string): string | null {
  const target = join(folder, version);
  const binary = join(
    target,
    "node_modules",
    binaryPackage,
    "bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  if (existsSync(binary)) return binary;
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "package.json"), '{ "private": true }');
  const { status, stderr } = spawnSync(
    "npm",
    ["install", "--prefix", target, "--no-save", "--no-audit", "--no-fund", `${binaryPackage}@${version}`],
    { encoding: "utf8" },
  );
  if (status === 0 && existsSync(binary)) return binary;
  console.log(
    `Node ${version}: skipped, ${binaryPackage}@${version} is not to be had (${stderr.trim().split("\n")[0]})`,
  );
  return null;
}

const outcomes: string[] = [];
for (const version of versions) {
  const node = install(version);
  if (node === null) {
    outcomes.push(`skipped  Node ${version}`);
    continue;
  }
  console.log(`\nNode ${version}`);
  const { status } = spawnSync(node, ["node_modules/vitest/vitest.mjs", "run", ...positionals], {
    stdio: "inherit",
    // Child processes of the tests, and the worker threads, run this Node as well.
    env: { ...process.env, PATH: `${join(node, "..")}:${process.env["PATH"]}` },
  });
  outcomes.push(`${status === 0 ? "passed " : "FAILED "}  Node ${version}`);
}
console.log(`\n${outcomes.join("\n")}`);
process.exitCode = outcomes.some((line) => line.startsWith("FAILED")) ? 1 : 0;
