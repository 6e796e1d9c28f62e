/**
 * Checks that every snippet in Markdown, and every `@example` of a docstring, parses on the oldest Node.js that we support. Type annotations
 * go first, as Node strips them. What is left has to be the JavaScript of 2025: `using` is younger, and would be a syntax error on Node 22.
 */
import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { parse } from "acorn";

interface Snippet {
  readonly where: string;
  readonly code: string;
}

const SCRIPT = new Set(["ts", "mts", "js", "mjs", "cjs", "javascript", "typescript"]);

/** The code blocks of a page. Of a diff both sides count. */
function snippetsOf(file: string): Snippet[] {
  const blocks = [...readFileSync(file, "utf8").matchAll(/^```(\w+).*\n([^]*?)^```$/gm)];
  return blocks.flatMap(([, language = "", code = ""]) => {
    if (language === "diff")
      return ["-", "+"].map((sign) => ({ where: `${file}, the ${sign} side`, code: side(code, sign) }));
    return SCRIPT.has(language) ? [{ where: file, code }] : [];
  });
}

function side(diff: string, sign: string): string {
  const lines = diff.split("\n").filter((line) => line.startsWith(sign) || !/^[-+]/.test(line));
  return lines.map((line) => line.slice(1)).join("\n");
}

/** The examples in the docstrings of a source file. */
function examplesOf(file: string): Snippet[] {
  const source = readFileSync(file, "utf8");
  return [...source.matchAll(/\/\*\*[^]*?\*\//g)].flatMap(({ 0: comment, index }) => {
    const line = source.slice(0, index).split("\n").length;
    const text = comment.slice(3, -2).replaceAll(/^[ \t]*\* ?/gm, "");
    const examples = [...text.matchAll(/^@example\b(.*\n[^]*?)(?=^@\w+ |(?![^]))/gm)];
    return examples.map(([, code = ""]) => ({ where: `${file}:${line}`, code }));
  });
}

/** Null, or what is wrong with it. */
function problemOf(code: string): string | null {
  try {
    // Decorators are not JavaScript yet, but frameworks of TypeScript have them.
    const plain = code.replaceAll(/^@\w+\(.*\)\n/gm, "");
    parse(stripTypeScriptTypes(plain), {
      ecmaVersion: 2025,
      sourceType: "module",
      allowReturnOutsideFunction: true,
    });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const pages = globSync(["*.md", "{docs,packages,apps,examples}/**/*.md"], {
  exclude: ["**/node_modules/**", "**/dist/**", "docs/api/**"],
});
const sources = globSync("packages/*/src/**/*.ts");
const snippets = [...pages.flatMap(snippetsOf), ...sources.flatMap(examplesOf)];
if (snippets.length === 0) throw new Error("No snippet was found");
// Node says that stripping is experimental.
process.removeAllListeners("warning");
for (const { where, code } of snippets) {
  const problem = problemOf(code);
  if (problem === null) continue;
  process.exitCode = 1;
  console.error(`${where}: a snippet does not parse on the oldest Node.js: ${problem}\n${code}`);
}
