/** The storage in which the context manager of this thread keeps the active context. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";

const apiKey: unique symbol = Symbol.for("opentelemetry.js.api.1");
interface Manager {
  readonly _asyncLocalStorage?: unknown;
}

/**
 * Its own, or that of OpenTelemetry's manager, which those of vendors extend. A channel can only bind a storage: `context.with` takes a
 * function to call.
 *
 * @returns null for a manager that has none: what is bound to it would not be active.
 */
export function contextStorage(): AsyncLocalStorage<Context> | null {
  const api = (globalThis as { readonly [apiKey]?: { readonly context?: Manager } })[apiKey];
  const storage = api?.context?._asyncLocalStorage;
  return storage instanceof AsyncLocalStorage ? (storage as AsyncLocalStorage<Context>) : null;
}
