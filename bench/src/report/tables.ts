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

function tables(columns: readonly Column[]): string {
  const names = [...new Set(columns.flatMap(({ scenario }) => scenario.contenders.map(({ name }) => name)))];
  const cells = names.map((name) => [
    label(columns, name),
    ...columns.map((column) => measured(column, name)),
  ]);
  const subjects = new Set(columns.map(({ scenario }) => subjectOf(scenario)?.name));
  const judged = columns.filter(({ metric }) => metric.better !== "neither");
  const others = names.filter((name) => !(subjects.size === 1 && subjects.has(name)));
  const comparisons = others.map((name) => [
    label(columns, name),
    ...judged.map((column) => compared(column, name)),
  ]);
  const first = table(["", ...columns.map(({ title }) => title)], cells);
  if (judged.length === 0 || others.length === 0 || subjects.has(undefined)) return first;
  const head = `better by: ${[...subjects].join(", ")}`;
  return `${first}\n\n${table([head, ...judged.map(({ title }) => title)], comparisons)}`;
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

function measured(column: Column, name: string): string {
  const contender = find(column, name);
  if (contender === undefined) return "";
  const samples = contender.samples[column.metric.key] ?? [];
  if (samples.length === 0) return contender.error === null ? "" : "failed";
  const summary = summarize(samples);
  const failed = contender.error === null ? "" : " (failed later)";
  return quantity(summary.median, column.metric.unit) + spread(summary) + failed;
}

function compared(column: Column, name: string): string {
  const contender = find(column, name);
  const subject = subjectOf(column.scenario);
  if (contender === undefined || subject === undefined || contender === subject) return "";
  const comparison = compareWith(subject, contender, column.metric);
  return comparison === null ? "" : advantageText(comparison);
}

/** `5.80x (5.1–6.4)`, `tie (0.97x)`, `**0.60x** (0.5–0.7)` where we lose. */
export function advantageText({ advantage, verdict }: Comparison): string {
  const { value, low, high } = advantage;
  if (verdict === "tie") return `tie (${times(value)})`;
  const interval = `(${times(low)} – ${times(high)})`;
  return verdict === "worse" ? `**${times(value)}** ${interval}` : `${times(value)} ${interval}`;
}
