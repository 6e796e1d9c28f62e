/**
 * The goals of this package next to native promises, the three ways to wait with a token, and a burst of results under each
 * policy.
 *
 *     node --expose-gc --min-semi-space-size=256 --max-semi-space-size=256 packages/scheduling/bench/main.ts
 *
 * Measures the built package. An argument measures only the goals whose description contains it.
 */

import { writeFileSync } from "node:fs";
import { measureGoals } from "./goals.ts";
import type { Cost } from "./measure.ts";

if (globalThis.gc === undefined) throw new Error("Run with --expose-gc --max-semi-space-size=256");

const only = process.argv[2] ?? "";

function cost(value: Cost | undefined): string {
  return value === undefined ? "" : `${value.ns.toFixed(1)} ns, ${value.bytes.toFixed(0)} B`;
}

const lines = [
  `Node ${process.versions.node}, medians, interleaved`,
  "",
  "| what | goal | native | ours | ratio | met |",
  "|---|---|---|---|---|---|",
];
for (const row of await measureGoals(only)) {
  lines.push(
    `| ${row.what} | ${row.goal} | ${cost(row.native)} | ${cost(row.ours)} | ${row.outcome} | ${row.isMet ? "yes" : "NO"} |`,
  );
}
console.log(lines.join("\n"));
if (only === "") writeFileSync(new URL("results/goals.md", import.meta.url), `${lines.join("\n")}\n`);
