/** The matrix as an SVG: what the test expects of each cell, so what holds whenever the test passes. */
import { KINDS, type Kind } from "./ambient.ts";
import { hops, type Right } from "./hops.ts";
import { knownFailures } from "./known-failures.ts";

const titles: Readonly<Record<Kind, string>> = {
  local: "AsyncLocal",
  thread: "AsyncLocal, flow: thread",
  wire: "AsyncLocal, flow: wire",
  foreign: "AsyncLocalStorage",
  flowing: "AsyncLocalStorage, flow()",
  span: "OpenTelemetry span",
  sync: "SynchronizationContext",
};

const colours: Readonly<Record<Right | "wrong", string>> = {
  mine: "#1a7f37",
  safe: "#8ddb9c",
  nothing: "#d0d7de",
  wrong: "#cf222e",
};
const legend: readonly (readonly [Right | "wrong", string])[] = [
  ["mine", "the value of whoever began it"],
  ["safe", "that value or none, never another's"],
  [
    "nothing",
    "none, by design: AsyncLocal without flow, AsyncLocalStorage without flow() and SynchronizationContext stay on their thread; module loading and initialize are nobody's",
  ],
  [
    "wrong",
    "another's: what a callee enters with enterWith before its first await reaches the caller in Node, of an async function too",
  ],
];

const ROW = 17;
const CELL = 22;
const LABEL = 410;
const TOP = 150;
const PART = LABEL + KINDS.length * CELL + 40;
const HALF = Math.ceil(hops.length / 2);
const WIDTH = 2 * PART + 90;
const HEIGHT = TOP + HALF * ROW + 30 + legend.length * ROW;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function part(from: number, x: number): string[] {
  const heads = KINDS.map((kind, i) => {
    const at = x + LABEL + i * CELL + CELL / 2 + 3;
    return `<text transform="translate(${at} ${TOP - 8}) rotate(-55)">${titles[kind]}</text>`;
  });
  const rows = hops.slice(from, from + HALF).map(({ name, rights }, row) => {
    const y = TOP + row * ROW;
    const cells = KINDS.map((kind, i) => {
      const what = `${name} × ${kind}` in knownFailures ? "wrong" : rights[kind];
      return `<rect x="${x + LABEL + i * CELL + 4}" y="${y}" width="14" height="14" rx="3" fill="${colours[what]}"/>`;
    });
    return `<text x="${x + LABEL - 4}" y="${y + 11}" text-anchor="end">${escaped(name)}</text>${cells.join("")}`;
  });
  return [...heads, ...rows];
}

export function picture(): string {
  const keys = legend.flatMap(([what, text], i) => {
    const y = TOP + HALF * ROW + 20 + i * ROW;
    return [
      `<rect x="20" y="${y}" width="14" height="14" rx="3" fill="${colours[what]}"/>`,
      `<text x="42" y="${y + 11}">${escaped(text)}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="11.5">`,
    "<title>Which ambient value is seen where</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    '<g fill="#1f2328">',
    ...part(0, 10),
    ...part(HALF, 10 + PART),
    ...keys,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}
