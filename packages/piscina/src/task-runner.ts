/**
 * The job that runs tasks: it calls their handler, which it finds as Piscina does. The URL says which: a thread has one of this module for each
 * file and name, so that tasks need not carry them. See task-runners.ts.
 */
import { createRequire } from "node:module";
import { pathToFileURL, URL } from "node:url";
import { move } from "@skein/pool/worker";
import { movedOf } from "./movable.ts";

type Handler = (task: unknown) => unknown;

const { searchParams } = new URL(import.meta.url);
const filename = searchParams.get("file")!;
const name = searchParams.get("name")!;
/**
 * Found before the first task, in the empty context, in which the pool loads this module: a job that has once returned a promise costs the thread
 * more from then on. Null: the tasks look for it themselves, and tell why it is not there. What the file throws this module throws, too: Node keeps
 * that, so the pool has to replace the thread for the next task.
 */
let handler: Handler | null = await findHandler().catch(nullIfUnloadable);

/** Of a file that is not there, or that Node cannot load as it is, another thread would say the same. */
function nullIfUnloadable(error: unknown): null {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (error instanceof SyntaxError || (typeof code === "string" && code.startsWith("ERR_"))) return null;
  throw error;
}

/** Throws and rejects as the handler does. */
export function runTask(task: unknown): unknown {
  return handler === null ? loadAndRun(task) : finish(handler(task));
}

async function loadAndRun(task: unknown): Promise<unknown> {
  handler ??= await findHandler();
  if (handler === null) throw new Error(`No handler function exported from ${filename}`);
  return withMoves(await handler(task));
}

/** A named export, a property of `module.exports`, or of the default export; each may be a promise of the function. */
async function findHandler(): Promise<Handler | null> {
  const namespace: unknown = await import(pathToFileURL(fileOf(filename)).href);
  const exported = propertyOf(namespace, "default");
  for (const holder of [namespace, exported, await exported]) {
    const found = await propertyOf(holder, name);
    if (typeof found === "function") return found as Handler;
  }
  return null;
}

/** As `require` finds it: the name may lack its extension, or be that of a folder. What is not there `import` tells. */
function fileOf(name: string): string {
  try {
    return createRequire(name).resolve(name);
  } catch {
    return name;
  }
}

function propertyOf(holder: unknown, key: string): unknown {
  const isHolder = (typeof holder === "object" && holder !== null) || typeof holder === "function";
  return isHolder ? (holder as Readonly<Record<string, unknown>>)[key] : undefined;
}

/** What can be told at once is; anything that `await` would wait for is awaited. */
function finish(result: unknown): unknown {
  if ((typeof result !== "object" && typeof result !== "function") || result === null) return result;
  return typeof (result as { readonly then?: unknown }).then === "function"
    ? finishLater(result)
    : withMoves(result);
}

async function finishLater(result: unknown): Promise<unknown> {
  return withMoves(await result);
}

function withMoves(result: unknown): unknown {
  const moved = movedOf(result);
  if (moved === null) return result;
  const { value, list } = moved;
  return typeof value === "object" && value !== null ? move(value, list) : value;
}
