/**
 * What an adapter submits to call a function of its user's is shown as that: in channels, spans, timelines and errors, on every thread. The name
 * goes with the description of the job's function.
 */
import { argumentTypeError } from "@skein/context/errors";
import { mapGet, mapSet } from "../shared/intrinsics.ts";
import type { FunctionSource, ShownFunction } from "./function-source.ts";
import { resolveJobUrl } from "./job-url.ts";

const shown = new Map<string, ShownFunction>();

/**
 * For adapters: the jobs of this module are shown as calls of another function. Call it before the first of them is submitted, on the thread
 * that does that.
 * @throws TypeError as `pool.module` does, and when `fn` has no `url` and `name`.
 */
export function showJobsAs(url: URL | string, fn: ShownFunction): void {
  const resolved = resolveJobUrl(url);
  if (typeof fn?.url !== "string" || typeof fn.name !== "string")
    throw argumentTypeError("fn", "an object with the strings `url` and `name`", fn);
  mapSet(shown, resolved, { url: fn.url, name: fn.name });
}

export function exportSource(url: string, name: string): FunctionSource {
  const as = mapGet(shown, url);
  return as === undefined ? { kind: "export", url, name } : { kind: "export", url, name, as };
}
