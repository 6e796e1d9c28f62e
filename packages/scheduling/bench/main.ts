/**
 * The goals of this package next to native promises; the three ways to wait with a token; a burst of results under each policy.
 *
 *     node --expose-gc --min-semi-space-size=256 --max-semi-space-size=256 packages/scheduling/bench/main.ts [goals | waits | burst] [text]
 *
 * Measures the built package. Without arguments it does everything and writes results/goals.md, results/burst.md and
 * results/burst.svg. With `goals` and a text it measures the goals whose description contains it.
 */

import { writeFileSync } from "node:fs";
import { plotBursts } from "./burst-plot.ts";
import { RESULTS, measureBursts } from "./burst.ts";
import { measureGoals } from "./goals.ts";
import type { Cost } from "./measure.ts";
import { measureWaits } from "./wait-variants.ts";

if (globalThis.gc === undefined) throw new Error("Run with --expose-gc and a large --max-semi-space-size");

const [part = "all", only = ""] = process.argv.slice(2);
const node = process.versions.node;

if (part === "all" || part === "goals") {
  const goals = await goalsTable();
  const waits = part === "all" ? await waitsTable() : [];
  report([...goals, "", ...waits], part === "all" && only === "" ? "goals.md" : undefined);
}
if (part === "waits") report(await waitsTable(), undefined);
if (part === "all" || part === "burst") report(await burstTable(), "burst.md");

async function goalsTable(): Promise<string[]> {
  const rows = await measureGoals(only);
  return [
    `Node ${node}, medians of interleaved rounds, two ways at a time; bytes (the lowest round) with a large young generation`,
    "",
    "| what | goal | native | ours | ratio | met |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.what} | ${row.goal} | ${cost(row.native)} | ${cost(row.ours)} | ${row.outcome} | ${met(row.isMet)} |`,
    ),
  ];
}

async function waitsTable(): Promise<string[]> {
  const rows = await measureWaits();
  return [
    "Waiting with a token, the other party long-lived",
    "",
    "| variant | ended by | time | allocated | left behind |",
    "|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.variant} | ${row.endedBy} | ${row.ns.toFixed(0)} ns | ${row.allocated.toFixed(0)} B | ${row.retained.toFixed(0)} B |`,
    ),
  ];
}

async function burstTable(): Promise<string[]> {
  const rows = await measureBursts();
  writeFileSync(new URL("results/burst.svg", import.meta.url), plotBursts(rows, node));
  return [
    `${RESULTS} results in one turn, Node ${node}`,
    "",
    "| work each | awaited by | policy | longest stall | total | turns |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.workUs} us | ${row.consumer} | ${row.policy} | ${row.longestStallMs.toFixed(1)} ms | ${row.totalMs.toFixed(0)} ms | ${row.turns} |`,
    ),
  ];
}

function cost(value: Cost | undefined): string {
  return value === undefined ? "" : `${value.ns.toFixed(1)} ns, ${value.bytes.toFixed(0)} B`;
}

function met(isMet: boolean | undefined): string {
  if (isMet === undefined) return "";
  return isMet ? "yes" : "NO";
}

function report(lines: readonly string[], file: string | undefined): void {
  const text = `${lines.join("\n")}\n`;
  console.log(text);
  if (file !== undefined) writeFileSync(new URL(`results/${file}`, import.meta.url), text);
}
