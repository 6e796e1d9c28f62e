/**
 * Functions of job modules that engines without threads of their own have loaded on this thread: `fork` calls them when it is given a handle. Under
 * a registered symbol, as in current-job.ts.
 */
import type { JobFunction } from "../jobs/exported-function.ts";
import { type JobSource, sourceOfHandle } from "../jobs/job-source.ts";
import { OnGlobal } from "../shared/on-global.ts";

type Find = (source: JobSource) => JobFunction | undefined;

const finds = new OnGlobal<Find[]>("skein.pool.loaded-exports");

/** For each copy of this package that loads such modules, once. */
export function findExportsBy(find: Find): void {
  const all = finds.put([]);
  all[all.length] = find;
}

/** What a handle stands for, if its module is loaded here; otherwise the function itself. */
export function loadedFunction(fn: JobFunction): JobFunction {
  const source = sourceOfHandle(fn);
  if (source === undefined) return fn;
  const all = finds.value ?? [];
  for (let i = 0; i < all.length; i++) {
    const found = all[i]!(source);
    if (found !== undefined) return found;
  }
  return fn;
}
