/** The result as text, at most 100 columns wide. */
import type { Census, LocatedFunction } from "./census.ts";
import type { RunInfo } from "./json.ts";
import { alignColumns, shorten, shortenPath } from "./terminal.ts";
import type { Style } from "./terminal.ts";
import { formatBytes, formatCount, formatPlural, formatSeconds, printable } from "./wording.ts";

const NODE_MODULES = "node_modules/";
const PACKAGES_SHOWN = 12;
const FUNCTIONS_SHOWN = 5;
const DUPLICATES_SHOWN = 5;
const PROBLEMS_SHOWN = 8;
const NOTICES_SHOWN = 50;

export interface RunSummary extends RunInfo {
  readonly digest: string;
}

export function summarise(census: Census, run: RunSummary, style: Style): string {
  const sections = [
    heading(census, run, style),
    totals(census, style),
    packages(census, style),
    functions("Longest functions", census.longest, style),
    functions("Most complex functions", census.mostComplex, style),
    duplicates(census, style),
    syntaxErrors(census, style),
    notices(census, style),
    footer(census, run, style),
  ];
  return `\n${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => ` ${line}`.trimEnd()).join("\n"))
    .join("\n\n")}\n`;
}

function heading(census: Census, run: RunSummary, style: Style): string[] {
  const title = `${style("bold", "Census")} of ${shortenPath(printable(run.root), 80)}`;
  if (census.totals.files === 0 && census.complete) {
    return [title, style("yellow", "No JavaScript or TypeScript files here.")];
  }
  if (census.complete) return [title];
  const { pending, files } = census.totals;
  const reached = `${formatCount(files - pending)} of ${formatPlural(files, "file")}`;
  return [title, style(["bold", "yellow"], `Partial result: cancelled after ${reached}.`)];
}

function totals({ totals: sums, links }: Census, style: Style): string[] {
  const mean = sums.functions === 0 ? 0 : sums.complexity / sums.functions;
  const left: [number, string][] = [
    [sums.packages, "packages"],
    [sums.files, "files"],
    [sums.lines, "lines"],
    [sums.functions, "functions"],
  ];
  const repeatedShare = sums.lines === 0 ? 0 : (100 * sums.repeatedLines) / sums.lines;
  const right = [
    `in ${formatPlural(sums.directories, "directory", "directories")}, ${formatPlural(links.directories + links.files, "symlink")} not followed`,
    `${formatBytes(sums.bytes)} parsed, ${formatCount(sums.skipped)} skipped, ${formatCount(sums.unreadable)} unreadable`,
    `${formatCount(sums.repeatedLines)} repeated (${repeatedShare.toFixed(1)}%), in ${formatPlural(sums.duplicateGroups, "group")} of equal functions`,
    `mean complexity ${mean.toFixed(2)}, ${formatPlural(sums.syntaxErrors, "syntax error")} in ${formatPlural(sums.filesWithErrors, "file")}`,
  ];
  return alignColumns(
    left.map(([count, noun], row) => [
      style(["bold", "cyan"], formatCount(count)),
      noun,
      style("dim", right[row]!),
    ]),
    ["right", "left", "left"],
  );
}

function packages({ packages: all }: Census, style: Style): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, PACKAGES_SHOWN);
  const headings = [
    "Packages by lines",
    "files",
    "lines",
    "functions",
    "mean cx",
    "longest",
    "max cx",
    "repeated",
    "errors",
  ];
  const rows = shown.map((entry) => [
    shorten(printable(entry.version === null ? entry.name : `${entry.name} ${entry.version}`), 34),
    formatCount(entry.files),
    formatCount(entry.lines),
    formatCount(entry.functions),
    entry.functions === 0 ? "–" : (entry.complexity / entry.functions).toFixed(1),
    formatCount(entry.longest[0]?.lines ?? 0),
    formatCount(entry.mostComplex[0]?.complexity ?? 0),
    entry.lines === 0 ? "–" : `${Math.round((100 * entry.repeatedLines) / entry.lines)}%`,
    entry.syntaxErrors === 0 ? style("dim", "0") : style("red", formatCount(entry.syntaxErrors)),
  ]);
  const table = alignColumns(
    [headings.map((text, column) => style(column === 0 ? "bold" : "dim", text)), ...rows],
    ["left", "right", "right", "right", "right", "right", "right", "right", "right"],
  );
  return [...table, ...andMore(all.length - shown.length, "package", style)];
}

function functions(title: string, all: readonly LocatedFunction[], style: Style): string[] {
  if (all.length === 0) return [];
  const rows = all
    .slice(0, FUNCTIONS_SHOWN)
    .map(({ name, path, line, lines, complexity }) => [
      formatPlural(lines, "line"),
      `complexity ${formatCount(complexity)}`,
      shorten(printable(name), 26),
      style("dim", location(path, line, 42)),
    ]);
  return [style("bold", title), ...alignColumns(rows, ["right", "left", "left", "left"])];
}

function duplicates({ duplicates: all, totals: sums }: Census, style: Style): string[] {
  if (all.length === 0) return [];
  const rows = all.slice(0, DUPLICATES_SHOWN).map(({ copies, repeatedLines, places }) => {
    const [first] = places;
    return [
      `${formatCount(copies)}×`,
      `${formatPlural(repeatedLines, "line")} repeated`,
      shorten(printable(first?.name ?? ""), 26),
      style("dim", location(first?.path ?? "", first?.line ?? 0, 42)),
    ];
  });
  return [
    style("bold", "Code that occurs more than once"),
    ...alignColumns(rows, ["right", "right", "left", "left"]),
    ...andMore(sums.duplicateGroups - rows.length, "group", style),
  ];
}

function syntaxErrors({ syntaxErrors: all }: Census, style: Style): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, PROBLEMS_SHOWN).flatMap(({ path, count, problems }) => {
    const [{ line, message } = { line: 1, message: "" }] = problems;
    const others = count > 1 ? `, and ${formatPlural(count - 1, "more", "more")}` : "";
    return [
      location(path, line, 96),
      `  ${style("red", shorten(printable(message), 80))}${style("dim", others)}`,
    ];
  });
  return [style("bold", "Syntax errors"), ...shown, ...andMore(all.length - PROBLEMS_SHOWN, "file", style)];
}

function notices({ notices: all }: Census, style: Style): string[] {
  if (all.length === 0) return [];
  const rows = all
    .slice(0, NOTICES_SHOWN)
    .map(
      ({ path, message }) =>
        `${location(path, null, 94 - Math.min(60, message.length))}  ${style("yellow", shorten(printable(message), 60))}`,
    );
  return [style("bold", "Left out"), ...rows, ...andMore(all.length - rows.length, "line", style)];
}

function footer(census: Census, run: RunSummary, style: Style): string[] {
  const { files, pending } = census.totals;
  const rate = run.analysisMs === 0 ? 0 : ((files - pending) / run.analysisMs) * 1000;
  const engine = run.threads === 0 ? "no pool" : `${formatPlural(run.threads, "thread")}, ${run.policy}`;
  const time = style(["bold", "green"], formatSeconds(run.analysisMs));
  return [
    `${time} on ${engine}  ${style("dim", `${formatCount(Math.round(rate))} files/s, event-loop delay p99 ${run.delayP99Ms.toFixed(1)} ms, walk ${formatSeconds(run.walkMs)}`)}`,
    style("dim", `result ${run.digest.slice(0, 16)}  correlation id ${shorten(run.correlationId, 50)}`),
  ];
}

function location(path: string, line: number | null, width: number): string {
  const suffix = line === null ? "" : `:${line}`;
  return shortenPath(printable(withinPackage(path)), width - suffix.length) + suffix;
}

/** From the package's name on: what comes before says only where it is installed. */
function withinPackage(path: string): string {
  const at = path.lastIndexOf(NODE_MODULES);
  return at < 0 ? path : path.slice(at + NODE_MODULES.length);
}

function andMore(count: number, noun: string, style: Style): string[] {
  return count > 0 ? [style("dim", `… and ${formatPlural(count, `more ${noun}`)}`)] : [];
}
