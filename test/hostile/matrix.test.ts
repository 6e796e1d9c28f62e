/**
 * What others do to a process, against what a pool promises: each row is a process, each column a promise. Every row prints its
 * columns when it fails. `pnpm test test/hostile -t "frozen"` tries some.
 */
import { beforeAll, expect, it } from "vitest";
import { requireBuild, runNode } from "../support/child.ts";
import { KnownFailures } from "../support/known-failures.ts";
import { timeLimit } from "../support/time-limit.ts";
import { knownFailures } from "./known-failures.ts";
import { type Surrounding, surroundings } from "./surroundings.ts";

const COLUMNS =
  "jobs errors nested map context progress cancel timeout moved crash tasks batching processes afterwards close".split(
    " ",
  );
const LIMIT_MS = 60_000;

beforeAll(requireBuild);

/** What is wrong in these surroundings: a line for each column, or null. */
async function problemOf({ start }: Surrounding): Promise<string | null> {
  const { code, stdout, stderr } = await runNode({
    ...start,
    env: { SKEIN_COLUMN_LIMIT_MS: String(timeLimit(10_000)), ...start.env },
    limitMs: LIMIT_MS,
  });
  const outcomes = new Map(stdout.split("\n").map((line) => line.split("\t") as [string, string]));
  const rows = COLUMNS.map((column) => [column, outcomes.get(column) ?? "not reached"] as const);
  const ending =
    code === 0
      ? "ok"
      : `${code === null ? "not over at the limit" : `exit code ${code}`} ${firstError(stderr)}`;
  const all = [...rows, ["exit", ending] as const];
  if (all.every(([, outcome]) => outcome === "ok")) return null;
  return `\n${all.map(([column, outcome]) => `  ${column.padEnd(10)}  ${outcome}`).join("\n")}`;
}

function firstError(stderr: string): string {
  return stderr.split("\n").find((line) => /Error/.test(line)) ?? stderr.slice(0, 200);
}

const known = new KnownFailures(knownFailures);

it("the list of known failures names rows", () => {
  const names = new Set(surroundings.map(({ name }) => name));
  expect(Object.keys(knownFailures).filter((name) => !names.has(name))).toEqual([]);
});

for (const surrounding of surroundings) {
  it.concurrent(
    `jobs run in these surroundings: ${surrounding.name}`,
    { timeout: timeLimit(20 * LIMIT_MS) },
    async () => {
      expect(known.verdict(surrounding.name, await problemOf(surrounding))).toBeNull();
    },
  );
}
