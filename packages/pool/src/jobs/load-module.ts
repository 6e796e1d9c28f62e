/**
 * Loads a job module in the thread that runs the job.
 *
 * TypeScript is loaded as Node loads it: types are stripped. What Node cannot strip (enums, parameter properties,
 * decorators, .tsx, TypeScript below node_modules) goes through tsx, when the project of the job module has it. tsx is
 * looked up from the folder of the job module, not from ours, and is registered once per thread, for all that follows.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- code that is loaded at run time has no static type
import { fileURLToPath, pathToFileURL } from "node:url";

import { JobModuleError } from "../errors.ts";
import { assertFileUrl } from "./job-url.ts";

interface Tsx {
  register(): unknown;
  register(options: { namespace: string }): { import(specifier: string, parent: string): Promise<object> };
}

let tsx: Promise<Tsx> | undefined;

/**
 * The namespace of the job module at `url`.
 *
 * Errors that the module throws while it is evaluated arrive as themselves, and so do syntax errors in JavaScript.
 *
 * @throws TypeError when `url` is not a `file:` URL.
 * @throws JobModuleError when the module needs tsx and tsx is not installed.
 */
export async function loadJobModule(url: string): Promise<object> {
  assertFileUrl(url);
  try {
    return (await import(url)) as object;
  } catch (error) {
    if (!needsTransform(error, url)) throw error;
    return await loadTransformed(url, error);
  }
}

async function loadTransformed(url: string, refused: unknown): Promise<object> {
  const entry = findTsx(url);
  if (entry === undefined) throw noTsx(url, refused);
  tsx ??= registerTsx(entry);
  const api = await tsx;
  try {
    return (await import(url)) as object;
  } catch (error) {
    if (!needsTransform(error, url)) throw error;
  }
  // Node remembers a module that did not parse: a namespace of its own loads it afresh. Nothing of it was evaluated.
  return await api.register({ namespace: "skein" }).import(url, url);
}

async function registerTsx(entry: string): Promise<Tsx> {
  const api = (await import(entry)) as Tsx;
  api.register();
  return api;
}

function findTsx(url: string): string | undefined {
  const { createRequire } = process.getBuiltinModule("node:module");
  try {
    return pathToFileURL(createRequire(url).resolve("tsx/esm/api")).href;
  } catch {
    return undefined;
  }
}

/** Whether Node refused the module before it ran any of it, for being more than erasable TypeScript. */
function needsTransform(error: unknown, url: string): boolean {
  if (!(error instanceof Error)) return false;
  switch ((error as NodeJS.ErrnoException).code) {
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return true;
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return /"\.([cm]?ts|tsx|jsx)"/.test(error.message);
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
function hasUserFrames(error: Error): boolean {
  // Async frames do not count: behind the parser stands whoever awaits the import, which is this file.
  return (error.stack ?? "")
    .split("\n")
    .some((line) => /^\s+at (?!async )/.test(line) && !/\bnode:/.test(line));
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
