/**
 * What a pool thread has for jobs that submit jobs. It does not load what submits, which is as much code as what runs jobs and costs each thread
 * milliseconds and memory: a job module that imports `@skein/pool` or `@skein/pool/worker` brings it along (current-pool.ts), perhaps as another copy
 * of this package.
 */
import { joinCopies } from "@skein/context";
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
  /** By its table (module-table.ts), so that a thread on which Node has kept a failure is replaced. */
  loadModule(url: string): Promise<object>;
}

/** Goes up with any change of the shared memory, of the parts above, or of what they have: a copy that knows them otherwise must not touch them. */
const PROTOCOL = 2;

/** Null until somebody asks: on a thread that is no pool's, copies of several versions have nothing in common. */
let holder: { thread: ThreadOfPool | null } | null = null;

function holderOfCopies(): { thread: ThreadOfPool | null } {
  return (holder ??= joinCopies(
    "@skein/pool",
    PROTOCOL,
    import.meta.url,
  )("thread", () => ({ thread: null })));
}

/** Null on a thread that is not a pool thread, and where the pool is of a version that has another protocol: a warning says so. */
export function threadOfPool(): ThreadOfPool | null {
  return holderOfCopies().thread;
}

export function installThread(thread: ThreadOfPool): void {
  holderOfCopies().thread = thread;
}
