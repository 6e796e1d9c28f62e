/** The matrix as an SVG: what the test expects of each cell, so what holds whenever the test passes. */
import { type Column, COLUMNS } from "./columns.ts";
import { groups } from "./hops.ts";
import { knownFailures } from "./known-failures.ts";
import { reasonOf, reasons, type Right, rightOf } from "./rights.ts";
import type { Hop } from "./stage.ts";

const titles: Readonly<Record<Column, string>> = {
  local: "AsyncLocal",
  thread: "AsyncLocal, flow: thread",
  wire: "AsyncLocal, flow: wire",
  foreign: "AsyncLocalStorage",
  flowing: "AsyncLocalStorage, flow()",
  span: "OpenTelemetry span",
  sync: "SynchronizationContext",
  leak: "nobody else's value",
  pin: "all let go afterwards",
};

const colours: Readonly<Record<Right | "wrong", { readonly fill: string; readonly text: string }>> = {
  mine: { fill: "#1a7f37", text: "#ffffff" },
  safe: { fill: "#8ddb9c", text: "#1f2328" },
  nothing: { fill: "#d0d7de", text: "#1f2328" },
  wrong: { fill: "#cf222e", text: "#ffffff" },
};
const legend: readonly (readonly [Right, string])[] = [
  ["mine", "the value of whoever began it; of the last two columns: so it is"],
  ["safe", "that value or none, by design"],
  ["nothing", "none, by design"],
];

const ROW = 17;
const CELL = 22;
const LABEL = 420;
const TOP = 150;
const PART = LABEL + COLUMNS.length * CELL + 50;
const WIDTH = 2 * PART + 60;
const NOTES = [...legend, ...Object.keys(reasons)].length;

/** A heading, or a row. */
type Line = string | Hop;
const lines: readonly Line[] = Object.entries(groups).flat(2);
/** The second part begins with the heading that divides the lines best. */
const half = lines.reduce(
  (best, line, at) =>
    typeof line === "string" && Math.abs(at - lines.length / 2) < Math.abs(best - lines.length / 2)
      ? at
      : best,
  0,
);
const parts = [lines.slice(0, half), lines.slice(half)] as const;
const HEIGHT = TOP + Math.max(parts[0].length, parts[1].length) * ROW + 30 + NOTES * ROW;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function box(x: number, y: number, what: Right | "wrong", letter = ""): string {
  const { fill, text } = colours[what];
  const rect = `<rect x="${x}" y="${y}" width="14" height="14" rx="3" fill="${fill}"/>`;
  return letter === ""
    ? rect
    : `${rect}<text x="${x + 7}" y="${y + 10.5}" font-size="10" text-anchor="middle" fill="${text}">${letter}</text>`;
}

function cell({ name, rights }: Hop, column: Column, x: number, y: number): string {
  if (`${name} × ${column}` in knownFailures) return box(x, y, "wrong");
  if (column === "leak" || column === "pin")
    return column === "leak" && rights === null ? "" : box(x, y, "mine");
  if (rights === null) return "";
  const right = rights[column];
  return box(x, y, rightOf(right), reasonOf(right) ?? "");
}

function part(own: readonly Line[], x: number): string[] {
  const heads = COLUMNS.map((column, i) => {
    const at = x + LABEL + i * CELL + CELL / 2 + 3;
    return `<text transform="translate(${at} ${TOP - 8}) rotate(-55)">${titles[column]}</text>`;
  });
  const rows = own.map((line, row) => {
    const y = TOP + row * ROW;
    const end = x + LABEL - 4;
    if (typeof line === "string")
      return `<text x="${end}" y="${y + 11}" text-anchor="end" font-weight="600">${escaped(line)}</text>`;
    const cells = COLUMNS.map((column, i) => cell(line, column, x + LABEL + i * CELL + 4, y));
    return `<text x="${end}" y="${y + 11}" text-anchor="end">${escaped(line.name)}</text>${cells.join("")}`;
  });
  return [...heads, ...rows];
}

function notes(): string[] {
  const keys = [
    ...legend.map(([what, text]) => ({ what, letter: "", text })),
    ...Object.entries(reasons).map(([letter, text]) => ({ what: "nothing" as const, letter, text })),
  ];
  return keys.map(({ what, letter, text }, i) => {
    const y = HEIGHT - (NOTES - i) * ROW - 8;
    return `${box(20, y, what, letter)}<text x="42" y="${y + 11}">${escaped(text)}</text>`;
  });
}

export function picture(): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="11.5">`,
    "<title>Which ambient value is seen where</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    '<g fill="#1f2328">',
    ...part(parts[0], 10),
    ...part(parts[1], 10 + PART),
    ...notes(),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}
