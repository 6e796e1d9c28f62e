/** The pool that this thread belongs to, for jobs that submit jobs. Under a registered symbol, as in current-job.ts. */
import type { Submitter } from "./submit/submitter.ts";
import type { FunctionTable } from "./worker/function-table.ts";

export interface CurrentPool {
  readonly submitter: Submitter;
  readonly functions: FunctionTable;
}

const key: unique symbol = Symbol.for("skein.pool.current-pool");
const holder = globalThis as { [key]?: CurrentPool };

/** Null on a thread that is not a pool thread. */
export function currentPool(): CurrentPool | null {
  return holder[key] ?? null;
}

export function installCurrentPool(submitter: Submitter, functions: FunctionTable): void {
  Object.defineProperty(holder, key, { value: { submitter, functions } });
}
