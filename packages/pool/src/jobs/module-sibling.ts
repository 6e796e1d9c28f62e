/**
 * A job module that is not where its URL says. `new URL("./geo.jobs.ts", import.meta.url)` stays as it is when the program is compiled,
 * and then there is only geo.jobs.js; a program that writes ".js" as tsc wants it, and runs from source, has only geo.jobs.ts.
 */
import { basename, dirname, extname } from "node:path";
import { fileURLToPath, pathToFileURL, URL } from "node:url";
import { process } from "../shared/intrinsics.ts";

/** By extension: what the same module is called in its other form, the likeliest first. */
const others: Readonly<Record<string, readonly string[]>> = {
  ".ts": [".js", ".mjs", ".cjs"],
  ".tsx": [".js", ".jsx", ".mjs", ".cjs"],
  ".mts": [".mjs", ".js"],
  ".cts": [".cjs", ".js"],
  ".jsx": [".js", ".tsx"],
  ".js": [".ts", ".tsx"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
};

/** How many names of the folder an error lists. */
const LISTED = 5;

/** Whether the import failed because there is no file at `url`; a module that it imports may be missing as well. */
export function missingModule(error: unknown, url: string): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever was thrown is only asked for a code
  if ((error as NodeJS.ErrnoException | null | undefined)?.code !== "ERR_MODULE_NOT_FOUND") return false;
  return !exists(fileURLToPath(url));
}

/** Whether the missing file at `url`, a module of JavaScript, has a TypeScript source beside it. */
export function typeScriptBehind(url: unknown): boolean {
  if (typeof url !== "string" || !url.startsWith("file:") || !/\.[cm]?js$/.test(url)) return false;
  return candidates(fileURLToPath(url)).some(exists);
}

/** The URL of the other form of the module that is missing at `url`; otherwise what was looked for, and what there is. */
export function siblingOf(
  url: string,
):
  | { readonly found: string; readonly explanation: null }
  | { readonly found: null; readonly explanation: string } {
  const path = fileURLToPath(url);
  const beside = candidates(path);
  const found = beside.find(exists);
  if (found !== undefined) {
    const { search, hash } = new URL(url);
    return { found: pathToFileURL(found).href + search + hash, explanation: null };
  }
  const also =
    beside.length === 0 ? "" : `, and no ${beside.map((file) => basename(file)).join(" or ")} beside it`;
  return {
    found: null,
    explanation: `There is no job module at ${path}${also}. ${contentsOf(dirname(path), basename(path))}. Give the pool the URL of the file as it is deployed; in a bundle, @skein/unplugin sees to that`,
  };
}

function candidates(path: string): string[] {
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  return (Object.hasOwn(others, extension) ? others[extension]! : []).map((other) => stem + other);
}

/** What the folder holds: files that begin as the missing one does come first. */
function contentsOf(folder: string, name: string): string {
  const { readdirSync } = process.getBuiltinModule("node:fs");
  const stem = name.split(".", 1)[0]!;
  try {
    const names = readdirSync(folder).toSorted();
    const alike = names.filter((other) => other.startsWith(stem));
    const listed = alike.length > 0 ? alike : names;
    if (listed.length === 0) return "Its folder is empty";
    return `Its folder holds ${listed.slice(0, LISTED).join(", ")}${listed.length > LISTED || listed.length < names.length ? ", …" : ""}`;
  } catch {
    return "Its folder does not exist or cannot be read";
  }
}

function exists(path: string): boolean {
  return process.getBuiltinModule("node:fs").existsSync(path);
}
