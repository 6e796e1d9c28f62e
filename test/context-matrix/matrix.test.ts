/**
 * What flows where: each row is a way in which code comes to run on somebody's behalf, each column a kind of ambient value. A cell is right when
 * the code sees its owner's value, or nothing where that is right. Two more columns say that it saw nobody else's (leak), and that all values
 * could be collected once their owner was done (pin).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, requireBuild, runNode } from "../support/child.ts";
import { KnownFailures } from "../support/known-failures.ts";
import { timeLimit } from "../support/time-limit.ts";
import { COLUMNS } from "./columns.ts";
import { hops } from "./hops.ts";
import { knownFailures } from "./known-failures.ts";
import { picture } from "./picture.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const LIMIT_MS = 180_000;
const problems = new Map<string, string>();
const known = new KnownFailures(knownFailures);
const cell = (hop: string, column: string): string => `${hop} × ${column}`;
let ended: Ended;

beforeAll(
  async () => {
    requireBuild();
    ended = await runNode({
      args: ["--expose-gc", main],
      env: { SKEIN_HOP_LIMIT_MS: String(timeLimit(20_000)) },
      limitMs: LIMIT_MS,
    });
    for (const line of ended.stdout.split("\n").filter((text) => text.startsWith("{"))) {
      const { hop, column, problem } = JSON.parse(line) as Record<"hop" | "column" | "problem", string>;
      problems.set(cell(hop, column), problem);
    }
  },
  timeLimit(2 * LIMIT_MS),
);

afterAll(() => {
  const width = Math.max(...hops.map(({ name }) => name.length));
  const short = (problem: string | undefined): string =>
    problem === undefined ? "?" : problem === "" ? "ok" : (/^(skipped|fails)/.exec(problem)?.[0] ?? "WRONG");
  const rows = hops.map(({ name }) => {
    const cells = COLUMNS.map((column) => short(problems.get(cell(name, column))).padEnd(8));
    return `${name.padEnd(width)}  ${cells.join("")}`;
  });
  console.log(
    [`${"".padEnd(width)}  ${COLUMNS.map((column) => column.padEnd(8)).join("")}`, ...rows].join("\n"),
  );
});

it("the picture in docs is up to date: node test/context-matrix/draw.ts", () => {
  const file = new URL("../../docs/context-matrix.svg", import.meta.url);
  expect(readFileSync(file, "utf8")).toBe(picture());
});

it("the list of known failures names cells", () => {
  expect(Object.keys(knownFailures).filter((name) => !problems.has(name))).toEqual([]);
});

describe.each(hops.map(({ name }) => name))("%s", (hop) => {
  it.for(COLUMNS)("%s", (column, { skip }) => {
    const problem = problems.get(cell(hop, column)) ?? `was not reached; ${ended.stderr.slice(0, 500)}`;
    skip(problem === "skipped");
    expect(known.verdict(cell(hop, column), problem === "" ? null : problem)).toBeNull();
  });
});
