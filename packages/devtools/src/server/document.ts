/** The page: one document with its script and its style sheet in it. Its policy allows these two, by hash, and requests to this server. */
import { createHash } from "node:crypto";

interface PageModule {
  readonly script: string;
  readonly style: string;
}

export interface Document {
  readonly html: string;
  /** But for who may show it in a frame. */
  readonly policy: string;
}

let made: Document | null = null;

/** Loaded when it is first asked for; again when that has failed. @returns rejects when its module is missing, as in a bundle. */
export async function pageDocument(): Promise<Document> {
  made ??= await load();
  return made;
}

/** What build/page.ts has made, also from source. */
async function load(): Promise<Document> {
  const file = import.meta.url.endsWith(".ts") ? "../../dist/page.js" : "./page.js";
  const { script, style } = (await import(new URL(file, import.meta.url).href)) as PageModule;
  return makeDocument(script, style);
}

function makeDocument(script: string, style: string): Document {
  const code = script.replaceAll("</script", String.raw`<\/script`);
  return {
    policy: [
      "default-src 'none'",
      `script-src ${hashOf(code)}`,
      `style-src ${hashOf(style)}`,
      "connect-src 'self'",
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
    ].join("; "),
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Skein devtools</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript>This page draws what the threads do with a script that it contains. Please allow scripts.</noscript>
<div id="app"></div>
<script>${code}</script>
</body>
</html>
`,
  };
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
