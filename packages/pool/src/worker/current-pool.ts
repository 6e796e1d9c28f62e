/** The pool that this thread belongs to, for jobs that submit jobs. */
import { Submitter } from "../submit/submitter.ts";
import { ForkJoin } from "./fork-join.ts";
import { JoinWait } from "./join-wait.ts";
import { type CurrentPool, type CurrentPoolParts, threadOfPool } from "./thread-of-pool.ts";

let current: CurrentPool | null = null;

/** Null on a thread that is not a pool thread. */
export function currentPool(): CurrentPool | null {
  return (current ??= threadOfPool()?.submitBy(createCurrentPool) ?? null);
}

function createCurrentPool(parts: CurrentPoolParts): CurrentPool {
  const submitter = new Submitter(parts.submitter);
  const { ledger } = submitter;
  const forkJoin = new ForkJoin(
    { ...parts.forkJoin, submitter },
    new JoinWait({ ...parts.joinWait, ledger }),
  );
  return { submitter, functions: parts.forkJoin.functions, forkJoin, places: parts.submitter.memory.places };
}
