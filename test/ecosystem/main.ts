/**
 * `pnpm test:ecosystem [name …]`: the packages, packed as they would be published, in the set-ups that people have. Each is a fresh folder
 * with its own tools from the registry. A name is a part of a set-up's; `--quick` takes those that `.ci/run` tries, `--keep` leaves the
 * folders of those that fail, `--list` names all.
 */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundlers } from "./set-ups/bundlers.ts";
import { compilers } from "./set-ups/compilers.ts";
import { managers } from "./set-ups/managers.ts";
import { runtimes } from "./set-ups/runtimes.ts";
import { testRunners } from "./set-ups/test-runners.ts";
import { types } from "./set-ups/types.ts";
import { packAll } from "./tarballs.ts";
import { tryOut, type Outcome } from "./trial.ts";

/** One for each way to break a package: how it is compiled, bundled, tested, laid out by a package manager, and typed. */
const QUICK: ReadonlySet<string> = new Set([
  "tsc, nodenext",
  "tsc, CommonJS",
  "esbuild",
  "webpack, production",
  "Vite, for servers",
  "jest 30, ES modules",
  "pnpm, strict",
  "TypeScript 5.4.5",
]);

const flag = { type: "boolean", default: false } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { keep: flag, list: flag, quick: flag },
});
const all = [...compilers, ...bundlers, ...testRunners, ...runtimes, ...managers, ...types];
const chosen = all.filter(({ name }) =>
  values.quick
    ? QUICK.has(name)
    : positionals.length === 0 || positionals.some((part) => name.includes(part)),
);

if (values.list || chosen.length === 0) {
  console.log(all.map(({ name }) => name).join("\n"));
  process.exitCode = values.list ? 0 : 2;
} else {
  const packed = join(tmpdir(), `skein-packed-${process.pid}`);
  const outcomes: Outcome[] = [];
  try {
    const tarballs = packAll(packed);
    for (const [i, setUp] of chosen.entries()) {
      const outcome = await tryOut(setUp, tarballs, values.keep);
      outcomes.push(outcome);
      const { name, seconds, failure } = outcome;
      console.log(
        `${i + 1}/${chosen.length} ${failure === null ? "ok    " : "FAILED"} ${name} (${seconds.toFixed(0)} s)${failure === null ? "" : `\n${failure}`}`,
      );
    }
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
  const failed = outcomes.filter(({ failure }) => failure !== null);
  console.log(
    failed.length === 0
      ? `All ${outcomes.length} set-ups work.`
      : `${failed.length} of ${outcomes.length} set-ups failed: ${failed.map(({ name }) => name).join(", ")}`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}
