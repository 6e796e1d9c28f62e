/**
 * The result as one HTML page that needs nothing else: no requests, no inline handlers or style attributes. Its policy allows
 * exactly this one style sheet and this one script, by hash. File-derived text is only in the data block, and goes from
 * there into the page as text.
 */
import { createHash } from "node:crypto";
import type { Census } from "./census.ts";
import { COMPLEXITY_SCALE, stepOn } from "./colour-scale.ts";
import { digestOf } from "./json.ts";
import type { RunInfo } from "./json.ts";
import { runPage } from "./page-client.ts";
import { pageData } from "./page-data.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { squarify } from "./squarify.ts";
import { treemap } from "./treemap.ts";

export function renderPage(census: Census, run: RunInfo): string {
  const tools = `{ squarify: ${squarify.toString()}, makeTreemap: ${treemap.toString()}, stepOn: ${stepOn.toString()}, complexity: ${JSON.stringify(COMPLEXITY_SCALE)} }`;
  const script = `"use strict";(${runPage.toString()})(document, ${tools});`;
  const policy = `default-src 'none'; style-src ${hashSource(PAGE_STYLE)}; script-src ${hashSource(script)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Census</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<noscript><p>This page draws its tables with a script that it contains. Please allow scripts.</p></noscript>
<main id="census"></main>
<script type="application/json" id="data">${embedJson(pageData(census, run, digestOf(census)))}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** JSON that no HTML parser can mistake for the end of its script element, nor for a comment. */
export function embedJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll(">", "\\u003e")
    .replaceAll("&", "\\u0026")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
