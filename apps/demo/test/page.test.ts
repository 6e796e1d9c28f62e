// oxlint-disable typescript/no-unsafe-type-assertion -- what the page holds has no static type
import { createHash } from "node:crypto";
import { Script } from "node:vm";
import { expect, it } from "vitest";
import { embedJson, renderPage } from "../src/page.ts";
import { summarise } from "../src/summary.ts";
import { measured, ANALYSIS, censusOf } from "./measured.ts";

const EVIL = "<img src=x onerror=alert(1)>.js";
const RUN = {
  correlationId: "</script><b>",
  root: "/tmp/<i>",
  threads: 2,
  policy: "yield",
  startedAt: "2026-01-01T00:00:00.000Z",
  walkMs: 1,
  analysisMs: 2,
  cpuMs: 1500,
  delayP99Ms: 3,
};

function evilCensus() {
  const text = "x = { '</script><script>alert(2)</script>'(a) { return a.b.c; } };\nlet a; let a;\n";
  const files = [EVIL, `<!--\u2028${EVIL}`].map((path) => ({ path, bytes: 1 }));
  const tree = {
    root: "/tmp/<i>",
    complete: true,
    files,
    directories: 1,
    links: { directories: 0, files: 0, broken: 0 },
    notices: [{ path: "\u001B[2J\n<svg>", message: "broken" }],
  };
  return censusOf(
    tree,
    files.map(({ path }) => measured(path, text)),
    ANALYSIS,
  );
}

it("no text of a file is ever markup", () => {
  const page = renderPage(evilCensus(), RUN);
  expect(page).not.toContain("<img");
  expect(page).not.toContain("<svg");
  expect(page).not.toContain("alert(2)</script>");
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  expect(page).not.toContain("<!--");
  expect(page).not.toContain("\u2028");
});

it("the data block gives back what went in", () => {
  const [, json = ""] = /<script type="application\/json" id="data">([^]*?)<\/script>/.exec(
    renderPage(evilCensus(), RUN),
  )!;
  const data = JSON.parse(json) as { files: [string][]; run: { correlationId: string } };
  expect(data.files.map(([path]) => path)).toContain(EVIL);
  expect(data.run.correlationId).toBe(RUN.correlationId);
  expect(JSON.parse(embedJson({ a: "<>&\u2028\u2029" }))).toEqual({ a: "<>&\u2028\u2029" });
});

it("the policy allows this style and this script, and no requests", () => {
  const page = renderPage(evilCensus(), RUN);
  const [, policy = ""] = /Content-Security-Policy" content="([^"]*)"/.exec(page)!;
  const [, style = ""] = /<style>([^]*?)<\/style>/.exec(page)!;
  const [, script = ""] = /<script>([^]*?)<\/script>/.exec(page)!;
  const hash = (text: string): string => createHash("sha256").update(text).digest("base64");
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain(`style-src 'sha256-${hash(style)}'`);
  expect(policy).toContain(`script-src 'sha256-${hash(script)}'`);
  const markup = page.replaceAll(/<(script|style)[^>]*>[^]*?<\/\1>/g, "");
  expect(markup).not.toMatch(/ (?:src|href|on\w+|style)=/);
});

it("the script is a program, and uses nothing from outside", () => {
  const [, script = ""] = /<script>([^]*?)<\/script>/.exec(renderPage(evilCensus(), RUN))!;
  expect(() => new Script(script)).not.toThrow();
  expect(script).not.toMatch(/__vi|import\.meta|require\(|innerHTML/);
});

it.each([100, 80, 60, 40])(
  "the summary fits %i columns, without a control character from a file name",
  (width) => {
    const digest = "0".repeat(64);
    const text = summarise(evilCensus(), { ...RUN, digest }, (_format, plain) => plain, width);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(text).not.toContain("\u001B");
    expect(text.replaceAll(/\s+/g, " ")).toContain("2 syntax errors in 2 files");
  },
);
