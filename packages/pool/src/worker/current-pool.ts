/** The pool that this thread belongs to, for jobs that submit jobs. Under a registered symbol, as in current-job.ts. */
import type { Places } from "../shared/places.ts";
import type { Submitter } from "../submit/submitter.ts";
import type { ForkJoin } from "./fork-join.ts";
import type { FunctionTable } from "./function-table.ts";

export interface CurrentPool {
  readonly submitter: Submitter;
  readonly functions: FunctionTable;
  readonly forkJoin: ForkJoin;
  readonly places: Places;
}

const key: unique symbol = Symbol.for("skein.pool.current-pool");
const holder = globalThis as { [key]?: CurrentPool };

/** Null on a thread that is not a pool thread. */
export function currentPool(): CurrentPool | null {
  return holder[key] ?? null;
}

export function installCurrentPool(current: CurrentPool): void {
  Object.defineProperty(holder, key, { value: current });
}
