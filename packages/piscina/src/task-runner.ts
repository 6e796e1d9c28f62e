/**
 * What threads load first, and the one job that they run: it finds the handler of a task as Piscina does, and calls it. The URL says by
 * how much the thread lowers its priority.
 */
import { subscribe } from "node:diagnostics_channel";
import { pathToFileURL } from "node:url";
import { parentPort } from "node:worker_threads";
import type { StrayErrorMessage } from "@skein/pool";
import { move } from "@skein/pool/worker";
import { movedOf } from "./movable.ts";
import { STRAY } from "./stray-message.ts";
import { markThread } from "./thread-mark.ts";

type Handler = (task: unknown) => unknown;

markThread();
// Errors after a task has returned: the program hears of them by the pool's `error` event.
subscribe("skein:job:stray", (message) => {
  parentPort?.postMessage({ [STRAY]: (message as StrayErrorMessage).error });
});
const niceIncrement = Number(new URL(import.meta.url).searchParams.get("nice") ?? 0);
if (niceIncrement !== 0) {
  // Not there on every platform.
  const nice = await import("@napi-rs/nice").catch(() => null);
  nice?.nice(niceIncrement);
}

const handlers = new Map<string, Map<string, Handler>>();

/** The job. Throws and rejects as the handler does. */
export function runTask(filename: string, name: string, task: unknown): unknown {
  const handler = handlers.get(filename)?.get(name);
  return handler === undefined ? loadAndRun(filename, name, task) : finish(handler(task));
}

async function loadAndRun(filename: string, name: string, task: unknown): Promise<unknown> {
  const handler = await findHandler(filename, name);
  if (handler === null) throw new Error(`No handler function exported from ${filename}`);
  let named = handlers.get(filename);
  if (named === undefined) handlers.set(filename, (named = new Map()));
  named.set(name, handler);
  return finish(await handler(task));
}

/** A named export, a property of `module.exports`, or of the default export; each may be a promise of the function. */
async function findHandler(filename: string, name: string): Promise<Handler | null> {
  const namespace: unknown = await import(pathToFileURL(filename).href);
  const exported = propertyOf(namespace, "default");
  for (const holder of [namespace, exported, await exported]) {
    const found = await propertyOf(holder, name);
    if (typeof found === "function") return found as Handler;
  }
  return null;
}

function propertyOf(holder: unknown, name: string): unknown {
  const isHolder = (typeof holder === "object" && holder !== null) || typeof holder === "function";
  return isHolder ? (holder as Readonly<Record<string, unknown>>)[name] : undefined;
}

function finish(result: unknown): unknown {
  if (typeof result !== "object" || result === null) return result;
  if ("then" in result && typeof result.then === "function")
    return (result as Promise<unknown>).then(withMoves);
  return withMoves(result);
}

function withMoves(result: unknown): unknown {
  const moved = movedOf(result);
  return moved === null ? result : move(moved.value as object, moved.list);
}
