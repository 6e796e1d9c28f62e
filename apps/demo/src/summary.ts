/** The result as text, no wider than the terminal. */
import type { Census, LocatedFunction } from "./census.ts";
import type { RunInfo } from "./json.ts";
import { layOut } from "./table.ts";
import type { Column } from "./table.ts";
import { flowParts, shorten, shortenPath, wrap } from "./terminal.ts";
import type { Style } from "./terminal.ts";
import { formatBytes, formatCount, formatEngine, formatPlural, formatSeconds, printable } from "./wording.ts";

const NODE_MODULES = "node_modules/";
const PACKAGES_SHOWN = 12;
const FUNCTIONS_SHOWN = 5;
const DUPLICATES_SHOWN = 5;
const PROBLEMS_SHOWN = 8;
const NOTICES_SHOWN = 50;
const NOTICE_LENGTH = 160;
/** A blank before each line. */
const MARGIN = 1;

interface Page {
  readonly style: Style;
  readonly width: number;
}

export interface RunSummary extends RunInfo {
  readonly digest: string;
}

export function summarise(census: Census, run: RunSummary, style: Style, width: number): string {
  const page: Page = { style, width: width - MARGIN };
  const sections = [
    heading(census, run, page),
    totals(census, page),
    packages(census, page),
    functions("Longest functions", census.longest, page),
    functions("Most complex functions", census.mostComplex, page),
    duplicates(census, page),
    syntaxErrors(census, page),
    notices(census, page),
    footer(census, run, page),
  ];
  return `\n${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => ` ${line}`.trimEnd()).join("\n"))
    .join("\n\n")}\n`;
}

function heading(census: Census, run: RunSummary, { style, width }: Page): string[] {
  const lead = "Census of ";
  const root = shortenPath(printable(run.root), width - lead.length);
  const title = `${style("bold", "Census")} of ${root}`;
  if (census.totals.files === 0 && census.complete) {
    return [title, ...paragraph("No JavaScript or TypeScript files here.", "yellow", { style, width })];
  }
  if (census.complete) return [title];
  const { pending, files } = census.totals;
  const reached = `${formatCount(files - pending)} of ${formatPlural(files, "file")}`;
  const sentence = `Partial result: cancelled after ${reached}.`;
  return [title, ...paragraph(sentence, ["bold", "yellow"], { style, width })];
}

function totals({ totals: sums, links }: Census, { style, width }: Page): string[] {
  const mean = sums.functions === 0 ? 0 : sums.complexity / sums.functions;
  const repeatedShare = sums.lines === 0 ? 0 : (100 * sums.repeatedLines) / sums.lines;
  const rows = [
    [
      formatCount(sums.packages),
      "packages",
      `in ${formatPlural(sums.directories, "directory", "directories")}, ${formatPlural(links.directories + links.files, "symlink")} not followed`,
    ],
    [
      formatCount(sums.files),
      "files",
      `${formatBytes(sums.bytes)} parsed, ${formatCount(sums.skipped)} skipped, ${formatCount(sums.unreadable)} unreadable`,
    ],
    [
      formatCount(sums.lines),
      "lines",
      `${formatCount(sums.repeatedLines)} repeated (${repeatedShare.toFixed(1)}%), in ${formatPlural(sums.duplicateGroups, "group")} of equal functions`,
    ],
    [
      formatCount(sums.functions),
      "functions",
      `mean complexity ${mean.toFixed(2)}, ${formatPlural(sums.syntaxErrors, "syntax error")} in ${formatPlural(sums.filesWithErrors, "file")}`,
    ],
  ];
  const columns: Column[] = [
    { align: "right", paint: (text) => style(["bold", "cyan"], text) },
    {},
    { fit: "wrap", paint: (text) => style("dim", text) },
  ];
  return layOut(columns, rows, width);
}

function packages({ packages: all }: Census, { style, width }: Page): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, PACKAGES_SHOWN);
  const columns: Column[] = [
    { title: "Packages by lines", fit: "end", min: 17, max: 34 },
    { title: "files", align: "right", expendable: 4 },
    { title: "lines", align: "right" },
    { title: "functions", align: "right", expendable: 3 },
    { title: "mean cx", align: "right", expendable: 6 },
    { title: "longest", align: "right", expendable: 7 },
    { title: "max cx", align: "right", expendable: 5 },
    { title: "repeated", align: "right", expendable: 2 },
    {
      title: "errors",
      align: "right",
      expendable: 1,
      paint: (text) => style(text === "0" ? "dim" : "red", text),
    },
  ];
  const rows = shown.map((entry) => [
    printable(entry.version === null ? entry.name : `${entry.name} ${entry.version}`),
    formatCount(entry.files),
    formatCount(entry.lines),
    formatCount(entry.functions),
    entry.functions === 0 ? "–" : (entry.complexity / entry.functions).toFixed(1),
    formatCount(entry.longest[0]?.lines ?? 0),
    formatCount(entry.mostComplex[0]?.complexity ?? 0),
    entry.lines === 0 ? "–" : `${Math.round((100 * entry.repeatedLines) / entry.lines)}%`,
    formatCount(entry.syntaxErrors),
  ]);
  const table = layOut(columns, rows, width, (title, column) => style(column === 0 ? "bold" : "dim", title));
  return [...table, ...andMore(all.length - shown.length, "package", style)];
}

function functions(title: string, all: readonly LocatedFunction[], { style, width }: Page): string[] {
  if (all.length === 0) return [];
  const rows = all
    .slice(0, FUNCTIONS_SHOWN)
    .map(({ name, path, line, lines, complexity }) => [
      formatPlural(lines, "line"),
      `complexity ${formatCount(complexity)}`,
      printable(name),
      location(path, line),
    ]);
  const columns: Column[] = [
    { align: "right" },
    { expendable: 1 },
    { fit: "end", max: 26 },
    { fit: "start", min: 20, max: 42, paint: (text) => style("dim", text) },
  ];
  return [style("bold", title), ...layOut(columns, rows, width)];
}

function duplicates({ duplicates: all, totals: sums }: Census, { style, width }: Page): string[] {
  if (all.length === 0) return [];
  const rows = all.slice(0, DUPLICATES_SHOWN).map(({ copies, repeatedLines, places }) => {
    const [first] = places;
    return [
      `${formatCount(copies)}×`,
      `${formatPlural(repeatedLines, "line")} repeated`,
      printable(first?.name ?? ""),
      location(first?.path ?? "", first?.line ?? 0),
    ];
  });
  const columns: Column[] = [
    { align: "right" },
    { align: "right", expendable: 1 },
    { fit: "end", max: 26 },
    { fit: "start", min: 20, max: 42, paint: (text) => style("dim", text) },
  ];
  return [
    style("bold", "Code that occurs more than once"),
    ...layOut(columns, rows, width),
    ...andMore(sums.duplicateGroups - rows.length, "group", style),
  ];
}

function syntaxErrors({ syntaxErrors: all }: Census, { style, width }: Page): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, PROBLEMS_SHOWN).flatMap(({ path, count, problems }) => {
    const [{ line, message } = { line: 1, message: "" }] = problems;
    const others = count > 1 ? `, and ${formatPlural(count - 1, "more", "more")}` : "";
    return [
      shortenPath(location(path, line), width),
      `  ${style("red", shorten(printable(message), width - 2 - others.length))}${style("dim", others)}`,
    ];
  });
  return [style("bold", "Syntax errors"), ...shown, ...andMore(all.length - PROBLEMS_SHOWN, "file", style)];
}

function notices({ notices: all }: Census, { style, width }: Page): string[] {
  if (all.length === 0) return [];
  const rows = all
    .slice(0, NOTICES_SHOWN)
    .map(({ path, message }) => [location(path, null), shorten(printable(message), NOTICE_LENGTH)]);
  const columns: Column[] = [
    { fit: "start", min: 10 },
    { fit: "wrap", min: 10, paint: (text) => style("yellow", text) },
  ];
  return [
    style("bold", "Left out"),
    ...layOut(columns, rows, width),
    ...andMore(all.length - rows.length, "line", style),
  ];
}

function footer(census: Census, run: RunSummary, { style, width }: Page): string[] {
  const { files, pending } = census.totals;
  const rate = run.analysisMs === 0 ? 0 : ((files - pending) / run.analysisMs) * 1000;
  const engine = formatEngine(run.threads, run.policy);
  const time = style(["bold", "green"], formatSeconds(run.analysisMs));
  const measures = [
    `${formatCount(Math.round(rate))} files/s`,
    `event-loop delay p99 ${run.delayP99Ms.toFixed(1)} ms`,
    `walk ${formatSeconds(run.walkMs)}`,
  ];
  const ids = [
    `result ${run.digest.slice(0, 16)}`,
    `correlation id ${shorten(run.correlationId, Math.min(50, width - 15))}`,
  ];
  return [
    ...flowParts([`${time} on ${engine}`, ...measures.map((text) => style("dim", text))], width),
    ...flowParts(
      ids.map((text) => style("dim", text)),
      width,
    ),
  ];
}

function location(path: string, line: number | null): string {
  return printable(withinPackage(path)) + (line === null ? "" : `:${line}`);
}

function paragraph(text: string, format: Parameters<Style>[0], { style, width }: Page): string[] {
  return wrap(text, width).map((line) => style(format, line));
}

/** From the package's name on: what comes before says only where it is installed. */
function withinPackage(path: string): string {
  const at = path.lastIndexOf(NODE_MODULES);
  return at < 0 ? path : path.slice(at + NODE_MODULES.length);
}

function andMore(count: number, noun: string, style: Style): string[] {
  return count > 0 ? [style("dim", `… and ${formatPlural(count, `more ${noun}`)}`)] : [];
}
