/**
 * TypeScript that Node cannot load by itself: enums, parameter properties, decorators, .tsx, TypeScript below node_modules, imports of
 * "./x.js" that mean x.ts. It goes through tsx. tsx is looked up from the folder of the job module, not from ours, and is registered
 * once per thread, for everything that follows.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- code that is loaded at run time has no static type
import { fileURLToPath, pathToFileURL, URL } from "node:url";

import { JobModuleError } from "../errors.ts";
import { typeScriptBehind } from "./module-sibling.ts";
import { process } from "../shared/intrinsics.ts";

interface Tsx {
  register(): unknown;
  register(options: { namespace: string }): { import(specifier: string, parent: string): Promise<object> };
}

let tsx: Promise<Tsx> | undefined;

/** @param refused Why Node did not load it. */
export async function loadTransformed(url: string, refused: unknown): Promise<object> {
  const entry = findTsx(url, "esm");
  if (entry === undefined) throw noTsx(url, refused);
  tsx ??= registerTsx(entry, findTsx(url, "cjs"));
  const api = await tsx;
  // Node remembers a module that did not parse, by its URL: another query loads it afresh. Nothing of it was evaluated.
  for (const fresh of [url, `${url}${new URL(url).search === "" ? "?" : "&"}skein`]) {
    try {
      return (await import(fresh)) as object;
    } catch (error) {
      if (!needsTransform(error, url)) throw error;
    }
  }
  // The same for all that it imports.
  return await api.register({ namespace: "skein" }).import(url, url);
}

/** For `import`, and for `require` in what is imported. */
async function registerTsx(entry: string, cjsEntry: string | undefined): Promise<Tsx> {
  const api = (await import(entry)) as Tsx;
  api.register();
  if (cjsEntry !== undefined) ((await import(cjsEntry)) as Pick<Tsx, "register">).register();
  return api;
}

function findTsx(url: string, system: "esm" | "cjs"): string | undefined {
  const { createRequire } = process.getBuiltinModule("node:module");
  const { existsSync } = process.getBuiltinModule("node:fs");
  try {
    const required = createRequire(url).resolve(`tsx/${system}/api`);
    // Where Node has no synchronous hooks, the CommonJS build looks for its own hooks in a wrong folder.
    const imported = required.replace(/\.cjs$/, ".mjs");
    return pathToFileURL(existsSync(imported) ? imported : required).href;
  } catch {
    return undefined;
  }
}

/** Whether Node refused the module before it ran any of it, for being more than erasable TypeScript. */
export function needsTransform(error: unknown, url: string): boolean {
  if (!(error instanceof Error)) return false;
  const { code, url: missing } = error as NodeJS.ErrnoException & { url?: unknown };
  switch (code) {
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return true;
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return /"\.([cm]?ts|tsx|jsx)"/.test(error.message);
    case "ERR_MODULE_NOT_FOUND":
      return isTypeScript(url) && missing !== url && typeScriptBehind(missing);
    case undefined:
      return error instanceof SyntaxError && isTypeScript(url) && !hasUserFrames(error);
    default:
      return false;
  }
}

function isTypeScript(url: string): boolean {
  return /\.([cm]?ts|tsx)$/.test(new URL(url).pathname);
}

/** The parser is called by Node alone; what the module itself throws has a frame of a file. */
export function hasUserFrames(error: Error): boolean {
  // Async frames do not count: behind the parser stands whoever awaits the import, which is this file.
  return stackOf(error)
    .split("\n")
    .some((line) => /^\s+at (?!async )/.test(line) && !/\bnode:/.test(line));
}

/** Empty when it cannot be read: a formatter of the program's may throw, or give something else. */
export function stackOf(error: Error): string {
  try {
    const stack: unknown = error.stack;
    return typeof stack === "string" ? stack : "";
  } catch {
    return "";
  }
}

function noTsx(url: string, cause: unknown): JobModuleError {
  const reason = cause instanceof Error ? cause.message.split("\n", 1)[0]! : String(cause);
  return new JobModuleError(
    url,
    `Node cannot load the job module ${fileURLToPath(url)} as it is: ${reason}. Install tsx in its project ` +
      "(npm install --save-dev tsx), or use erasable TypeScript only (`erasableSyntaxOnly` in tsconfig.json), " +
      "or give the pool the compiled .js file",
    { cause },
  );
}
