/** Tables in Markdown: what was measured, and how it compares. */
import type { RawContender, RawScenario } from "../method/raw-file.ts";
import type { Metric } from "../method/scenario.ts";
import { summarize } from "../method/statistics.ts";
import type { Comparison } from "../method/verdict.ts";
import { compareWith, subjectOf } from "./judge.ts";
import { position, quantity, spread, times } from "./quantities.ts";

/** A column: one metric of one scenario. */
interface Column {
  readonly title: string;
  readonly scenario: RawScenario;
  readonly metric: Metric;
}

/** One scenario: a column per metric. */
export function scenarioTables(scenario: RawScenario): string {
  return tables(scenario.metrics.map((metric) => ({ title: metric.title, scenario, metric })));
}

/** The scenarios of a group, by one metric: a column per point. */
export function groupTables(scenarios: readonly RawScenario[], metric: Metric, axis: string): string {
  return tables(
    scenarios
      .filter(({ metrics }) => metrics.some(({ key }) => key === metric.key))
      .map((scenario) => ({ title: position(scenario.at ?? 0, axis), scenario, metric })),
  );
}

/** More would not fit on a page. */
const MOST_COLUMNS = 6;

function tables(columns: readonly Column[]): string {
  const count = Math.ceil(columns.length / MOST_COLUMNS);
  const size = Math.ceil(columns.length / count);
  const parts = Array.from({ length: count }, (_, i) => columns.slice(i * size, (i + 1) * size));
  return parts.map(oneTable).join("\n\n");
}

function oneTable(columns: readonly Column[]): string {
  const names = [...new Set(columns.flatMap(({ scenario }) => scenario.contenders.map(({ name }) => name)))];
  const cells = names.map((name) => [
    label(columns, name),
    ...columns.map((column) => measured(column, name)),
  ]);
  const first = table(["", ...columns.map(({ title }) => title)], cells);
  const subjects = new Set(columns.map(({ scenario }) => subjectOf(scenario)?.name));
  const judged = columns.filter(({ metric }) => metric.better !== "neither");
  const others = names.filter((name) => !(subjects.size === 1 && subjects.has(name)));
  if (judged.length === 0 || others.length === 0 || subjects.has(undefined)) return first;
  const comparisons = others.map((name) =>
    [label(columns, name)].concat(judged.map((column) => compared(column, name))),
  );
  const second = table(
    [`better by: ${[...subjects].join(", ")}`, ...judged.map(({ title }) => title)],
    comparisons,
  );
  return `${first}\n\n<details><summary>Ratios with their intervals</summary>\n\n${second}\n\n</details>`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 ? "---" : "--:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Ours in bold, references in italics. */
function label(columns: readonly Column[], name: string): string {
  const kind = columns
    .flatMap(({ scenario }) => scenario.contenders)
    .find((contender) => contender.name === name)?.kind;
  if (kind === "skein") return `**${name}**`;
  return kind === "reference" ? `_${name}_` : name;
}

function find({ scenario }: Column, name: string): RawContender | undefined {
  return scenario.contenders.find((contender) => contender.name === name);
}

/** The median, its spread, and how many times better ours is. */
function measured(column: Column, name: string): string {
  const contender = find(column, name);
  if (contender === undefined) return "";
  const samples = contender.samples[column.metric.key] ?? [];
  if (samples.length === 0) return contender.error === null ? "" : "failed";
  const summary = summarize(samples);
  const failed = contender.error === null ? "" : " (failed later)";
  const comparison = comparisonOf(column, contender);
  const ratio = comparison === null ? "" : `, ${ratioText(comparison)}`;
  return quantity(summary.median, column.metric.unit) + spread(summary) + ratio + failed;
}

function comparisonOf({ scenario, metric }: Column, contender: RawContender): Comparison | null {
  const subject = subjectOf(scenario);
  if (subject === undefined || subject === contender || metric.better === "neither") return null;
  return compareWith(subject, contender, metric);
}

function compared(column: Column, name: string): string {
  const contender = find(column, name);
  const comparison = contender === undefined ? null : comparisonOf(column, contender);
  return comparison === null ? "" : advantageText(comparison);
}

/** `5.80x`, `tie`, `**0.60x**` where we lose. */
function ratioText({ advantage, verdict }: Comparison): string {
  if (verdict === "tie") return "tie";
  return verdict === "worse" ? `**${times(advantage.value)}**` : times(advantage.value);
}

/** `5.80x (5.1–6.4)`, `tie (0.97x)`, `**0.60x** (0.5–0.7)` where we lose. */
export function advantageText({ advantage, verdict }: Comparison): string {
  const { value, low, high } = advantage;
  if (verdict === "tie") return `tie (${times(value)})`;
  const interval = `(${times(low)} – ${times(high)})`;
  return verdict === "worse" ? `**${times(value)}** ${interval}` : `${times(value)} ${interval}`;
}
