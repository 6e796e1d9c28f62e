/**
 * Modules whose jobs are no operations of `skein:job` and `skein:job:run`: what an adapter submits to bring a job of its own to a thread, where
 * that is traced by itself, or to keep something there.
 */
import { setAdd, setHas } from "../shared/intrinsics.ts";
import type { FunctionSource } from "./function-source.ts";
import { resolveJobUrl } from "./job-url.ts";

const urls = new Set<string>();

/**
 * For adapters: the jobs of this module are not traced from here on, on this thread. Call it where they are submitted, and in the module.
 * @throws TypeError as `pool.module` does.
 */
export function suppressTracing(url: URL | string): void {
  setAdd(urls, resolveJobUrl(url));
}

export function isTraced(source: FunctionSource): boolean {
  return source.kind !== "export" || !setHas(urls, source.url);
}
