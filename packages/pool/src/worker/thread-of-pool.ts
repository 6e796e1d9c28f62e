/**
 * What a pool thread has for jobs that submit jobs. It does not load what submits, which is as much code as what runs jobs and costs each thread
 * milliseconds and memory: a job module that imports `@skein/pool` or `@skein/pool/worker` brings it along (current-pool.ts). Under a registered
 * symbol, as in current-job.ts.
 */
import type { Places } from "../shared/places.ts";
import type { Submitter, SubmitterParts } from "../submit/submitter.ts";
import type { ForkJoin, ForkJoinParts } from "./fork-join.ts";
import type { FunctionTable } from "./function-table.ts";
import type { JoinWaitParts } from "./join-wait.ts";

/** The pool, as jobs of this thread see it. */
export interface CurrentPool {
  readonly submitter: Submitter;
  readonly functions: FunctionTable;
  readonly forkJoin: ForkJoin;
  readonly places: Places;
}

/** What the thread gives whoever makes that. */
export interface CurrentPoolParts {
  readonly submitter: SubmitterParts;
  readonly joinWait: Omit<JoinWaitParts, "ledger">;
  readonly forkJoin: Omit<ForkJoinParts, "submitter">;
}

export interface ThreadOfPool {
  /** Gives what `create` has made. It is called once, that of the copy of this package that asks first. */
  submitBy(create: (parts: CurrentPoolParts) => CurrentPool): CurrentPool;
}

const key: unique symbol = Symbol.for("skein.pool.thread");
const holder = globalThis as { [key]?: ThreadOfPool };

/** Null on a thread that is not a pool thread. */
export function threadOfPool(): ThreadOfPool | null {
  return holder[key] ?? null;
}

export function installThread(thread: ThreadOfPool): void {
  Object.defineProperty(holder, key, { value: thread });
}
