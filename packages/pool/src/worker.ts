/**
 * `@skein/pool/worker`: what a job can ask about itself. Every member also works outside a job, on any thread, where nothing
 * is ever cancelled: a job module runs unchanged when it is called directly.
 */
import { threadId } from "node:worker_threads";
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { Task } from "@skein/scheduling";
import { currentPool } from "./worker/current-pool.ts";
import { JobCanceledError } from "./errors.ts";
import { runningJob } from "./worker/current-job.ts";
import type { ForkedTask } from "./submit/forked-job.ts";

export { registerError } from "./codec/error-registry.ts";
export { move } from "./transfer/move.ts";
export type { ForkedTask } from "./submit/forked-job.ts";

const neverAborted = new AbortController().signal;

/** The job that is running on this thread. */
export interface JobScope {
  /**
   * Whether the caller cancelled this job or its time is over. Reads shared memory, so a busy loop sees it although the
   * thread's event loop stands still. Costs a few nanoseconds. Valid until the job has returned.
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
   * Reports a value to the caller's `onProgress`; it arrives before the task settles. By value, as structured clone copies it. Costs
   * a message when somebody listens, a few nanoseconds when nobody does.
   * @throws DataCloneError for a value that cannot be cloned.
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
 * Offers a call to the pool and goes on: whoever has no work takes it, or this thread does in `join`. Arguments and result cross by
 * value. Costs a few hundred nanoseconds when nobody takes it, so fork pieces of some microseconds and more.
 *
 * @param fn An exported function of a loaded job module, or a function that captures nothing and is shipped as its source.
 * @returns what `join()` or `await` turns into the result. Outside a pool the call is made at once.
 * @throws TypeError when `fn` is not a function, or one that cannot be shipped.
 * @throws NotCloneableError for arguments that cannot cross.
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
  if (pool === null) return new CalledTask(callNow(fn, args));
  return pool.forkJoin.fork(fn, args, fork) as ForkedTask<Awaited<R>>;
}

/** What `fork` gives for a call that was made at once. */
class CalledTask<T> implements ForkedTask<T> {
  readonly #task: Task<T>;

  constructor(task: Task<T>) {
    this.#task = task;
  }

  join(): T {
    return this.#task.result;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is awaited
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    return this.#task.then(onFulfilled, onRejected);
  }
}

function callNow<A extends unknown[], R>(fn: (...args: A) => R, args: A): Task<Awaited<R>> {
  let task: Task<Awaited<R>>;
  try {
    const returned = fn(...args);
    const isPending = typeof (returned as { then?: unknown } | null | undefined)?.then === "function";
    task = isPending ? Task.from(Promise.resolve(returned)) : Task.fromResult(returned as Awaited<R>);
  } catch (error) {
    task = Task.fromError(error);
  }
  return task;
}

/** What `parallelFor` takes. */
export interface ParallelForOptions<A extends unknown[]> {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Length of a slice. @default an eighth of each thread's share */
  readonly grain?: number | undefined;
  /** What `fn` gets after the bounds. @default none */
  readonly args?: A | undefined;
}

/** Slices per thread, by default: enough to even out slices that take longer than others. */
const SLICES_PER_THREAD = 8;

/**
 * Calls `fn(from, to, ...args)` on slices of a range, half-open, on all threads of the pool, and returns when all are done. Blocks this
 * thread, which takes its share. The slices write their results into shared memory: `args` with typed arrays over SharedArrayBuffers.
 *
 * @throws TypeError, RangeError for bad options, naming them.
 * @throws the error of the first slice that failed, after all have ended.
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.parallel.for
 */
export function parallelFor<A extends unknown[] = []>(
  fn: (from: number, to: number, ...args: A) => void,
  options: ParallelForOptions<A>,
): void {
  if (typeof fn !== "function") throw argumentTypeError("fn", "a function", fn);
  if (typeof options !== "object" || options === null)
    throw argumentTypeError("options", "an object", options);
  const from = bound("from", options.from);
  const to = bound("to", options.to);
  const args = options.args ?? ([] as unknown as A);
  if (!Array.isArray(args)) throw argumentTypeError("args", "an array", args);
  if (to <= from) return;
  const threads = currentPool()?.places.maxThreads ?? 1;
  const grain =
    options.grain === undefined
      ? Math.ceil((to - from) / (threads * SLICES_PER_THREAD))
      : bound("grain", options.grain);
  if (grain < 1) throw argumentRangeError("grain", "an integer of at least 1", grain);
  const slices: ForkedTask<void>[] = [];
  for (let start = from + grain; start < to; start += grain) {
    slices.push(fork<[number, number, ...A], void>(fn, start, Math.min(to, start + grain), ...args));
  }
  // The first one is this thread's own.
  const first: [number, number, ...A] = [from, Math.min(to, from + grain), ...args];
  slices.push(new CalledTask<void>(callNow<[number, number, ...A], void>(fn, first)));
  const failures: unknown[] = [];
  // Newest first: those are in this thread's cache, and on top of its deque.
  for (const slice of slices.toReversed()) {
    try {
      slice.join();
    } catch (error) {
      failures.unshift(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function bound(name: string, value: number): number {
  if (typeof value !== "number") throw argumentTypeError(name, "an integer", value);
  if (!Number.isSafeInteger(value)) throw argumentRangeError(name, "an integer", value);
  return value;
}
