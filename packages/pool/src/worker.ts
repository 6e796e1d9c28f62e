/**
 * `@skein/pool/worker`: what a job can ask about itself. Every member also works outside a job, on any thread, where nothing
 * is ever cancelled: a job module runs unchanged when it is called directly.
 */
import { threadId } from "node:worker_threads";
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { type OptionNames, ownOptions } from "@skein/context/errors";
import { JobCanceledError } from "./errors.ts";
import { sourceOfHandle } from "./jobs/job-source.ts";
import type { ForkedTask } from "./submit/forked-job.ts";
import { CalledTask } from "./worker/called-task.ts";
import { assertForks } from "./worker/fork-refusal.ts";
import { runningJob } from "./worker/current-job.ts";
import { currentPool } from "./worker/current-pool.ts";
import { loadedFunction } from "./worker/loaded-exports.ts";

export { registerError, type RegisterErrorOptions } from "./codec/error-registry.ts";
export { move } from "./transfer/move.ts";
export type { ForkedTask } from "./submit/forked-job.ts";

const neverAborted = new AbortController().signal;

/** The job that is running on this thread. */
export interface JobScope {
  /**
   * Whether the caller cancelled this job or its time is over. Reads shared memory, so a busy loop sees it even though the
   * thread's event loop stands still. Costs a few nanoseconds. False again once the job has returned.
   */
  readonly isCancellationRequested: boolean;
  /**
   * The same as an AbortSignal, for jobs that await. Its event fires when the thread's event loop runs; a job that never
   * awaits must poll `isCancellationRequested`. Made at first use.
   */
  readonly signal: AbortSignal;
  /** @throws {JobCanceledError} when cancellation was requested; the caller's task rejected with the reason already. */
  throwIfCancellationRequested(): void;
  /**
   * Reports a value to the caller's `onProgress`; it arrives before the task settles. The value is copied, as structured clone does it.
   * Costs a message if the caller listens, two for an object, otherwise a few nanoseconds.
   * @throws DataCloneError for a value that cannot be cloned. One that the caller's thread cannot read, since it is nested too deeply for the
   * stack there, fails the job with NotCloneableError.
   */
  progress(value: unknown): void;
  /** `worker_threads.threadId` of this thread. */
  readonly threadId: number;
}

export const job: JobScope = Object.freeze({
  get isCancellationRequested(): boolean {
    return runningJob()?.isCancellationRequested ?? false;
  },

  get signal(): AbortSignal {
    const running = runningJob();
    if (running === null) return neverAborted;
    const { controller } = running;
    if (running.isCancellationRequested) controller.abort(new JobCanceledError());
    return controller.signal;
  },

  throwIfCancellationRequested(): void {
    if (job.isCancellationRequested) throw new JobCanceledError();
  },

  progress(value: unknown): void {
    runningJob()?.progress(value);
  },

  threadId,
});

/**
 * Offers a call to the pool and returns at once. A thread without work takes it, or this thread makes it in `join`. Arguments and result
 * cross by value. Costs a few hundred nanoseconds if nobody takes it, so fork pieces of some microseconds or more.
 *
 * @param fn A job handle, an exported function of a loaded job module, or an inline function, which captures nothing and is shipped
 * as its source.
 * @returns `join()` blocks this thread until the result is there, `await` does not. Outside a pool the call is made at once, and both
 * give its outcome.
 * @throws TypeError when `fn` is not a function, or one that cannot be shipped.
 * @throws NotCloneableError for arguments that cannot be copied. NotSupportedError in a job of a ProcessPool.
 * @example
 * export function sort(from: number, to: number, data: Int32Array): void {
 *   if (to - from < 2000) return void data.subarray(from, to).sort();
 *   const middle = (from + to) >> 1;
 *   const right = fork(sort, middle, to, data);
 *   sort(from, middle, data);
 *   right.join();
 *   merge(data, from, middle, to);
 * }
 * @see Blumofe, Leiserson, "Scheduling multithreaded computations by work stealing", 1999
 */
export function fork<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): ForkedTask<Awaited<R>> {
  if (typeof fn !== "function") throw argumentTypeError("fn", "a function", fn);
  const pool = currentPool();
  if (pool === null) {
    assertForks("`fork`");
    return new CalledTask<Awaited<R>>(loadedFunction(fn as (...args: unknown[]) => unknown), args);
  }
  return pool.forkJoin.fork(fn, args, fork) as ForkedTask<Awaited<R>>;
}

/** What `parallelFor` takes. */
export interface ParallelForOptions<A extends unknown[]> {
  /** The first number. An integer. */
  readonly from: number;
  /** The number after the last. An integer; if it is not above `from`, nothing is called. */
  readonly to: number;
  /** The length of a slice. An integer of at least 1. @default an eighth of each thread's share */
  readonly grain?: number | undefined;
  /** What `fn` gets after the bounds. @default none */
  readonly args?: A | undefined;
}

const optionNames: OptionNames<ParallelForOptions<unknown[]>> = {
  from: true,
  to: true,
  grain: true,
  args: true,
};

/** Slices per thread, by default: enough to even out slices that take longer than others. */
const SLICES_PER_THREAD = 8;

/**
 * Calls `fn(from, to, ...args)` on slices of a half-open range, on all threads of the pool, and returns when all are done. Blocks this
 * thread, which does its share. `fn` must not return a promise. The slices write their results into shared memory: give `args` typed arrays
 * over SharedArrayBuffers. Outside a pool this thread makes all calls.
 *
 * @throws TypeError or RangeError for a bad option, naming it. NotSupportedError in a job of a ProcessPool.
 * @throws the error of the first slice that failed, after all have ended.
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.parallel.for
 */
export function parallelFor<A extends unknown[] = []>(
  fn: (from: number, to: number, ...args: A) => void,
  options: ParallelForOptions<A>,
): void {
  if (typeof fn !== "function") throw argumentTypeError("fn", "a function", fn);
  const own = ownOptions<ParallelForOptions<A>>(options, optionNames);
  assertForks("`parallelFor`");
  const from = bound("from", own.from);
  const to = bound("to", own.to);
  const { args = [] as unknown as A } = own;
  if (!Array.isArray(args)) throw argumentTypeError("args", "an array", args);
  if (own.grain !== undefined && bound("grain", own.grain) < 1)
    throw argumentRangeError("grain", "an integer of at least 1", own.grain);
  if (to <= from) return;
  const threads = currentPool()?.places.maxThreads ?? 1;
  const grain = own.grain ?? Math.ceil((to - from) / (threads * SLICES_PER_THREAD));
  const slices: ForkedTask<void>[] = [];
  const failures: { readonly error: unknown }[] = [];
  try {
    for (let start = from + grain; start < to; start += grain) {
      slices.push(fork<[number, number, ...A], void>(fn, start, Math.min(to, start + grain), ...args));
    }
    const first: [number, number, ...A] = [from, Math.min(to, from + grain), ...args];
    // The first one is this thread's own. Calling a handle would submit a job.
    slices.push(
      sourceOfHandle(fn) === undefined
        ? new CalledTask<void>(fn as (...args: unknown[]) => unknown, first)
        : fork<[number, number, ...A], void>(fn, ...first),
    );
  } catch (error) {
    // What could not be forked: what was, ends first.
    failures.push({ error });
  }
  // Newest first: those are in this thread's cache, and on top of its deque.
  for (const slice of slices.toReversed()) {
    try {
      slice.join();
    } catch (error) {
      failures.unshift({ error });
    }
  }
  if (failures.length > 0) throw failures[0]!.error;
}

function bound(name: string, value: number | undefined): number {
  if (typeof value !== "number") throw argumentTypeError(name, "an integer", value);
  if (!Number.isSafeInteger(value)) throw argumentRangeError(name, "an integer", value);
  return value;
}
