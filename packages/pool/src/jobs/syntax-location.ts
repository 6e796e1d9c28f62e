/**
 * Where a syntax error is. Node tells it for CommonJS and TypeScript, at the head of the stack; for an ES module only when nobody
 * catches the error. So `node --check`, which parses and runs nothing, is asked: about the module, then about those that it imports.
 */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { hasUserFrames, stackOf } from "./tsx.ts";
import { process, Promise } from "../shared/intrinsics.ts";

/** Files that are checked at most: the error is usually in the first. */
const MAX_CHECKED = 16;
const CHECK_TIMEOUT_MS = 10_000;
const head = /^((?:file:\/\/)?\/?[^\n]*?):(\d+)\n/;

/** Errors that were seen before: Node keeps the error of a module that failed. */
const located = new WeakSet<Error>();
/** By module: where its error was, and of when that file is. */
const known = new Map<string, { file: string; mtimeMs: number; line: string }>();

/** The same error; a syntax error in the module at `url`, or in one that it imports, names file and line in its message. */
export async function nameLocation(error: unknown, url: string): Promise<unknown> {
  if (!(error instanceof SyntaxError) || located.has(error) || hasUserFrames(error)) return error;
  const [, file, line] = head.exec(stackOf(error)) ?? [];
  const at = file === undefined ? await find(url) : `${pathOf(file)}:${line}`;
  if (at === null) return error;
  located.add(error);
  const { message } = error;
  const stack = stackOf(error);
  const named = `${message} (${at})`;
  Object.defineProperty(error, "message", { value: named, configurable: true, writable: true });
  const value = stack.replace(message, () => named);
  Object.defineProperty(error, "stack", { value, configurable: true, writable: true });
  return error;
}

async function find(url: string): Promise<string | null> {
  const before = known.get(url);
  if (before !== undefined && modified(before.file) === before.mtimeMs)
    return `${before.file}:${before.line}`;
  known.delete(url);
  const files = new Set([fileURLToPath(url)]);
  for (const file of files) {
    const mtimeMs = modified(file);
    const line = await check(file);
    if (line !== null) {
      known.set(url, { file, mtimeMs, line });
      return `${file}:${line}`;
    }
    for (const imported of importsOf(file)) if (files.size < MAX_CHECKED) files.add(imported);
  }
  return null;
}

/** The number of the line that does not parse; null when all do, or when nobody can be asked. */
async function check(file: string): Promise<string | null> {
  // There the program is not Node.
  if (process.versions["electron"] !== undefined) return null;
  const { execFile } = process.getBuiltinModule("node:child_process");
  const env = { ...process.env };
  delete env["NODE_OPTIONS"];
  const options = { __proto__: null, env, timeout: CHECK_TIMEOUT_MS };
  return await new Promise((tell) => {
    try {
      execFile(process.execPath, ["--check", file], options, (failure, _, stderr) => {
        const [, place, line] = head.exec(stderr) ?? [];
        tell(failure !== null && place !== undefined && pathOf(place) === file ? line! : null);
      });
    } catch {
      // The permission model may forbid child processes.
      tell(null);
    }
  });
}

/** Files that a module imports by a relative path, at its top level or not. */
function importsOf(file: string): string[] {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  try {
    const matches = readFileSync(file, "utf8").matchAll(/\b(?:from|import)\s*["'](\.{1,2}\/[^"'?#]+)/g);
    return Array.from(matches, ([, specifier]) => resolve(dirname(file), specifier!)).filter((path) =>
      /\.m?js$/.test(path),
    );
  } catch {
    return [];
  }
}

function modified(file: string): number {
  const { statSync } = process.getBuiltinModule("node:fs");
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function pathOf(place: string): string {
  return place.startsWith("file:") ? fileURLToPath(place) : place;
}
