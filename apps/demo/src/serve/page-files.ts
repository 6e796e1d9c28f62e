/**
 * What a browser gets of the page, by the path of its URL: the document, its style sheet, and its modules as tsc has made them, those of
 * Census among them that the page imports. Their URLs are their places below dist, so that relative imports hold.
 */
import { readdirSync, readFileSync } from "node:fs";
import { SERVE_STYLE } from "./serve-style.ts";

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** Nothing from elsewhere but the devtools, in a frame, and no script or style inside the document. */
export const PAGE_POLICY =
  "default-src 'self'; frame-src http://127.0.0.1:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Also when this file runs from source. */
const DIST = new URL(import.meta.url.endsWith(".ts") ? "../../dist/" : "../", import.meta.url);
const FOLDER = "serve/page/";
const IMPORTED = ["colour-scale.js", "delay-level.js", "squarify.js", "treemap.js", "wording.js"];

const DOCUMENT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Census</title>
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/style.css">
<script type="module" src="/assets/${FOLDER}main.js"></script>
</head>
<body>
<noscript>This page shows scans with a script. Please allow scripts.</noscript>
<div id="app"></div>
</body>
</html>
`;

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#5a98c6" d="M1 1h8v14H1z"/><path fill="#0c3f6c" d="M10 1h5v8h-5z"/><path fill="#93bfde" d="M10 10h5v5h-5z"/></svg>`;

/** @throws when Census is not built. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const own = readdirSync(new URL(FOLDER, DIST)).filter((name) => name.endsWith(".js"));
  const modules = [...IMPORTED, ...own.map((name) => `${FOLDER}${name}`)];
  return new Map<string, PageFile>([
    ["/", { type: "text/html; charset=utf-8", text: DOCUMENT }],
    ["/assets/style.css", { type: "text/css; charset=utf-8", text: SERVE_STYLE }],
    ["/assets/icon.svg", { type: "image/svg+xml", text: ICON }],
    ...modules.map((path): [string, PageFile] => [
      `/assets/${path}`,
      { type: "text/javascript; charset=utf-8", text: readFileSync(new URL(path, DIST), "utf8") },
    ]),
  ]);
}
