import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import type { PoolRecording } from "../trace/pool-recording.ts";
import { integer } from "./option-values.ts";
import { recorderOf } from "./recorder.ts";
import type { ThreadPool } from "./thread-pool.ts";

/** Of `recordJobs`. */
export interface RecordOptions {
  /**
   * The names of values of the context that may be told: of AsyncLocals that flow to threads, or as given to `flow`. At most 200 characters of
   * each. @default none
   */
  readonly locals?: readonly string[] | undefined;
  /**
   * How many slices each thread keeps until they are read, 40 bytes each; a job is two on the thread that submits it, and one or two on the
   * thread that runs it. 1024 to 2^22, rounded up to a power of two. Without effect while the pool is traced already. @default 16 384
   */
  readonly slicesPerThread?: number | undefined;
}

const names: OptionNames<RecordOptions> = { locals: true, slicesPerThread: true };
const DEFAULT_SLICES = 16_384;

/**
 * Records what the threads of a pool do from now on, for a tool that shows it. Until it is disposed, each job that is recorded (`read` says how
 * many are) costs about a microsecond more, on all threads together. A pool that nobody records pays nothing. Several may record one pool. A thread takes part as soon as its event
 * loop has had a turn. Never tells arguments nor results.
 *
 * @throws TypeError or RangeError for a bad argument, naming it.
 * @example
 * const recording = recordJobs(pool);
 * // …
 * for (const { threadId, slices } of recording.read().threads) console.log(threadId, slices.length);
 * recording[Symbol.dispose]();
 */
export function recordJobs(pool: ThreadPool, options?: RecordOptions): PoolRecording {
  const { locals = [], slicesPerThread } = ownOptions(options, names);
  if (!Array.isArray(locals) || !locals.every((name) => typeof name === "string"))
    throw argumentTypeError("options.locals", "an array of names", locals);
  const slices = integer("options.slicesPerThread", slicesPerThread, 1024, 2 ** 22) ?? DEFAULT_SLICES;
  const record = recorderOf(pool);
  if (record === null) throw argumentTypeError("pool", "a ThreadPool", pool);
  return record([...locals], 2 ** Math.ceil(Math.log2(slices)));
}

/** Whether `recordJobs` takes it: a ThreadPool, perhaps of another copy of this package, as one that was bundled. */
export function canRecord(pool: unknown): pool is ThreadPool {
  return recorderOf(pool) !== null;
}
