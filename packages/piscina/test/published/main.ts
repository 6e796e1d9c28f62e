/**
 * Piscina's own test files, unmodified, from its npm package, against the built class of this package: one process for each file. Fails
 * when one of them fails.
 *
 * `node test/published/main.ts` for all files, `node test/published/main.ts pool histogram` for some.
 */
import { globSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { runNode } from "../../../../test/support/child.ts";

interface Line {
  readonly title: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly details: string;
}

const AT_ONCE = 2;

const wanted = process.argv.slice(2);
const folder = join(dirname(realpathSync(createRequire(import.meta.url).resolve("piscina"))), "../test");
const files = globSync(join(folder, "*.test.ts"))
  .toSorted()
  .filter((file) => wanted.length === 0 || wanted.includes(nameOf(file)));

const counts = { passed: 0, failed: 0, skipped: 0 };
const problems: string[] = [];

await Promise.all(Array.from({ length: AT_ONCE }, work));
for (const problem of problems) console.log(problem);
console.log(`${counts.passed} passed, ${counts.skipped} skipped, ${counts.failed} failed`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift())
    judge(nameOf(file), await run(file));
}

function judge(name: string, lines: readonly Line[]): void {
  for (const { title, outcome, details } of lines) {
    counts[outcome]++;
    if (outcome === "failed") problems.push(`FAILED ${name}: ${title}\n${details}`);
  }
}

async function run(file: string): Promise<Line[]> {
  const preloads = ["--import", "tsx", "--import", new URL("use-skein.ts", import.meta.url).href];
  const { code, stdout, stderr } = await runNode({
    args: [...preloads, "--test-force-exit", "--test-reporter=tap", file],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    limitMs: 30_000,
  });
  const lines = linesOf(stdout);
  // A crash, a hang, a file that cannot be loaded.
  if (code === null || lines.length === 0)
    lines.push({ title: "(the file)", outcome: "failed", details: `${code}\n${stdout}${stderr}` });
  return lines;
}

/** Of TAP: `ok 1 - title # SKIP`, with a block of details below it. */
function linesOf(tap: string): Line[] {
  const lines: Line[] = [];
  for (const part of tap.split(/^(?= *(?:not )?ok \d+ - )/m).slice(1)) {
    const [, not, title, directive] = /^ *(not )?ok \d+ - (.*?)(?: # (SKIP|TODO).*)?$/m.exec(part)!;
    const outcome = directive === "SKIP" ? "skipped" : not === undefined ? "passed" : "failed";
    lines.push({ title: title!.replaceAll("\\#", "#"), outcome, details: part });
  }
  return lines;
}

function nameOf(file: string): string {
  return basename(file, ".test.ts");
}
