import { argumentTypeError } from "@skein/context/errors";
import { Task } from "@skein/scheduling";
import { BaseEngine, type JobEngine } from "./base-engine.ts";
import { CurrentEngine } from "./current-engine.ts";
import { currentPool } from "../worker/current-pool.ts";
import { PoolClosedError } from "../errors.ts";
import { Host } from "../host/host.ts";
import type { Job } from "./job-module.ts";
import {
  type CloseOptions,
  resolveCloseOptions,
  resolvePoolOptions,
  threadCount,
  type ThreadPoolOptions,
} from "./options.ts";
import type { PoolStats } from "../host/pool-stats.ts";
import { moveListOfArguments } from "../transfer/move.ts";

/**
 * Runs functions on worker threads. Jobs are queued in shared memory and pulled by the threads; the ambient context goes
 * along; each job settles exactly once. Threads start when jobs wait, and do not keep the process alive while idle.
 *
 * @example
 * await using pool = new ThreadPool();
 * const geo = pool.module<typeof import("./geo.jobs.ts")>(new URL("./geo.jobs.ts", import.meta.url));
 * const area = await geo.area(polygon);
 * @see https://learn.microsoft.com/dotnet/standard/threading/the-managed-thread-pool
 */
export class ThreadPool extends BaseEngine {
  static #shared: ThreadPool | null = null;

  /** One pool for the whole program, made at first use with default options. It lets the process exit. */
  static get shared(): ThreadPool {
    if (ThreadPool.#shared === null || ThreadPool.#shared.#closing !== null)
      ThreadPool.#shared = new ThreadPool();
    return ThreadPool.#shared;
  }

  /**
   * Inside a job: the pool that runs it, for jobs that submit jobs; elsewhere null. Results come straight back to the thread
   * that submitted, without the main thread. A job that awaits them lets its thread run other jobs meanwhile.
   */
  static get current(): JobEngine | null {
    const current = currentPool();
    if (current === null) return null;
    ThreadPool.#current ??= new CurrentEngine(current);
    return ThreadPool.#current;
  }

  static #current: CurrentEngine | null = null;

  readonly #host: Host;
  #closing: Task<void> | null = null;

  /**
   * @throws TypeError or RangeError for a bad option, naming it.
   * @throws SkeinError ERR_SKEIN_TRACE_FILE when `trace` names a file that cannot be written.
   */
  constructor(options?: ThreadPoolOptions) {
    const host = new Host(resolvePoolOptions(options));
    super({
      functions: host.functions,
      maxThreads: () => host.maxThreads,
      refusal: () => (host.isClosing ? new PoolClosedError() : null),
      exportOf: () => undefined,
      submit: (...job) => host.submit(...job),
    });
    this.#host = host;
  }

  /**
   * Runs a job once on every live thread, starting one if there is none, each when it looks for its next job.
   *
   * @returns the results, in no order. One failure rejects as itself, several as an AggregateError, after all have ended.
   * @throws TypeError for a bad argument, naming it.
   */
  broadcast<A extends unknown[], R>(job: Job<A, R> | ((...args: A) => R), args: A): Task<Awaited<R>[]> {
    const { fn, defaults } = this.entryOf(job);
    if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
    if (moveListOfArguments(args, null) !== null)
      throw argumentTypeError("args", "arguments that are copied, since each thread gets them", args);
    if (this.#closing !== null) return Task.fromError(new PoolClosedError());
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    const below = this.broadcast as (...args: never[]) => unknown;
    return Task.from(
      allOrErrors(() => this.#host.broadcast(fn, args, defaults, below) as Task<Awaited<R>>[]),
    );
  }

  /** How many threads start as soon as jobs wait, and stay. */
  get minThreads(): number {
    return this.#host.minThreads;
  }

  /** How many threads there are at most. */
  get maxThreads(): number {
    return this.#host.maxThreads;
  }

  /**
   * Changes `minThreads`; 0 means 1. While jobs wait, threads start at once.
   * @returns false, and nothing changes, when `count` is negative or above `maxThreads`.
   * @throws TypeError or RangeError when it is no integer.
   * @see https://learn.microsoft.com/dotnet/api/system.threading.threadpool.setminthreads
   */
  setMinThreads(count: number): boolean {
    return this.#host.setMinThreads(threadCount(count));
  }

  /**
   * Changes `maxThreads`. Threads that are too many take no more jobs, and end when they have finished theirs. The most that is possible
   * is four per core, or the `maxThreads` that the pool was made with if that is more; above it counts as that.
   *
   * @returns false, and nothing changes, when `count` is below `minThreads`.
   * @throws TypeError or RangeError when it is no integer.
   * @see https://learn.microsoft.com/dotnet/api/system.threading.threadpool.setmaxthreads
   */
  setMaxThreads(count: number): boolean {
    return this.#host.setMaxThreads(threadCount(count));
  }

  /** What the threads and the queues do at this moment, and what they have done. Costs microseconds, sends no message. */
  stats(): PoolStats {
    return this.#host.stats();
  }

  /**
   * Ends the pool: by default after all submitted jobs have settled. Every call returns the same task.
   * @throws TypeError or RangeError for a bad option.
   */
  override close(options?: CloseOptions): Task<void> {
    const { drain, timeoutMs } = resolveCloseOptions(options);
    this.#closing ??= Task.from(this.#host.close(drain, timeoutMs));
    return this.#closing;
  }
}

async function allOrErrors<R>(start: () => readonly Task<R>[]): Promise<R[]> {
  const outcomes = await Promise.allSettled(start());
  const errors: unknown[] = outcomes.filter((o) => o.status === "rejected").map((o) => o.reason);
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `The job failed on ${errors.length} threads`);
  return outcomes.map((o) => (o as PromiseFulfilledResult<R>).value);
}
