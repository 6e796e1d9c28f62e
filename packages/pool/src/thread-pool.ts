import { argumentTypeError, InvalidOperationError } from "@skein/context/errors";
import { Task } from "@skein/scheduling";
import { PoolClosedError } from "./errors.ts";
import { Host } from "./host/host.ts";
import { type AnyFunction, JobFront } from "./job-front.ts";
import type { Job, JobModule } from "./job-module.ts";
import type { MapOptions } from "./map.ts";
import {
  type CloseOptions,
  resolveCloseOptions,
  resolvePoolOptions,
  type RunOptions,
  type ThreadPoolOptions,
} from "./options.ts";
import type { PoolStats } from "./pool-stats.ts";
import { currentPool } from "./current-pool.ts";

/** What runs jobs: a ThreadPool, or another engine with the same job modules. */
export interface JobEngine extends AsyncDisposable {
  module<M>(url: URL | string, defaults?: RunOptions): JobModule<M>;
  run<A extends unknown[], R>(job: Job<A, R>, args: A, options?: RunOptions): Task<Awaited<R>>;
  run<A extends unknown[], R>(fn: (...args: A) => R, args: A, options?: RunOptions): Task<Awaited<R>>;
  map<A, R>(
    job: Job<[A], R> | ((item: A) => R),
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterableIterator<Awaited<R>>;
  close(options?: CloseOptions): Task<void>;
}

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
export class ThreadPool implements JobEngine {
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
    ThreadPool.#current ??= new CurrentPool(
      new JobFront({
        functions: current.submitter.functions,
        maxThreads: current.maxThreads,
        refusal: () => null,
        exportOf: current.functions.lookUpExport,
        submit: (...job) => current.submitter.submit(...job).task,
      }),
    );
    return ThreadPool.#current;
  }

  static #current: CurrentPool | null = null;

  readonly #host: Host;
  readonly #front: JobFront;
  #closing: Task<void> | null = null;

  /** @throws TypeError or RangeError for a bad option, naming it. */
  constructor(options?: ThreadPoolOptions) {
    const host = (this.#host = new Host(resolvePoolOptions(options)));
    this.#front = new JobFront({
      functions: host.functions,
      maxThreads: host.maxThreads,
      refusal: () => (this.#closing === null ? null : new PoolClosedError()),
      exportOf: () => undefined,
      submit: (...job) => host.submit(...job),
    });
  }

  /**
   * The functions that a module exports, as jobs. The module is imported by each thread when it runs a job of it first;
   * TypeScript too: erasable syntax natively, the rest through `tsx` if the module can resolve it.
   *
   * @param url A file URL or an absolute path: `new URL("./geo.jobs.ts", import.meta.url)`.
   * @param defaults Options of every job of this module that do not say otherwise.
   * @throws TypeError for a relative path or another protocol: code never comes from the network.
   */
  module<M>(url: URL | string, defaults?: RunOptions): JobModule<M> {
    return this.#front.module<M>(url, defaults);
  }

  /**
   * Runs a job: one of a module, or a function of this file, which is shipped as its source text and captures nothing.
   *
   * The arguments are copied before this returns. The task rejects with what the job threw (same class if it is built in or
   * registered, with code, properties, cause and the caller's frames), NotCloneableError, JobCanceledError or the signal's
   * reason, JobTimeoutError, ThreadCrashedError, PoolClosedError, JobNotFoundError or JobModuleError.
   *
   * @throws TypeError or RangeError for a bad argument, naming it.
   */
  run<A extends unknown[], R>(job: Job<A, R>, args: A, options?: RunOptions): Task<Awaited<R>>;
  run<A extends unknown[], R>(fn: (...args: A) => R, args: A, options?: RunOptions): Task<Awaited<R>>;
  run(job: unknown, args: unknown, options?: RunOptions): Task<unknown> {
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    return this.#front.run(job, args, options, this.run as AnyFunction);
  }

  /**
   * Runs a job for each item, with the item as its only argument, a bounded number at once. Lazy: nothing starts before the first
   * result is asked for, and the items are read only as far ahead as `concurrency`. Breaking off cancels what is under way and
   * closes the source. The iteration throws the first error, of a job or of the source.
   *
   * @throws TypeError or RangeError for a bad argument, naming it.
   * @example
   * for await (const page of pool.map(jobs.render, documents, { ordered: false })) await store(page);
   */
  map<A, R>(
    job: Job<[A], R> | ((item: A) => R),
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    return this.#front.map(job, items, options, this.map as AnyFunction);
  }

  /**
   * Runs a job once on every live thread, starting one if there is none, each when it looks for its next job.
   *
   * @returns the results, in no order. One failure rejects as itself, several as an AggregateError, after all have ended.
   * @throws TypeError for a bad argument, naming it.
   */
  broadcast<A extends unknown[], R>(job: Job<A, R> | ((...args: A) => R), args: A): Task<Awaited<R>[]> {
    const { fn, defaults } = this.#front.entryOf(job);
    if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
    if (this.#closing !== null) return Task.fromError(new PoolClosedError());
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    const below = this.broadcast as AnyFunction;
    return Task.from(
      allOrErrors(() => this.#host.broadcast(fn, args, defaults, below) as Task<Awaited<R>>[]),
    );
  }

  /** What the threads and the queues do at this moment, and what they have done. Costs microseconds, sends no message. */
  stats(): PoolStats {
    return this.#host.stats();
  }

  /**
   * Ends the pool: by default after all submitted jobs have settled. Every call returns the same task.
   * @throws TypeError or RangeError for a bad option.
   */
  close(options?: CloseOptions): Task<void> {
    const { drain, timeoutMs } = resolveCloseOptions(options);
    this.#closing ??= Task.from(this.#host.close(drain, timeoutMs));
    return this.#closing;
  }

  /** `close()`: `await using pool = new ThreadPool()` waits for its jobs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function allOrErrors<R>(start: () => readonly Task<R>[]): Promise<R[]> {
  const outcomes = await Promise.allSettled(start());
  const errors: unknown[] = outcomes.filter((o) => o.status === "rejected").map((o) => o.reason);
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `The job failed on ${errors.length} threads`);
  return outcomes.map((o) => (o as PromiseFulfilledResult<R>).value);
}

/** The pool as a job of it sees it. */
class CurrentPool implements JobEngine {
  readonly #front: JobFront;

  constructor(front: JobFront) {
    this.#front = front;
  }

  module<M>(url: URL | string, defaults?: RunOptions): JobModule<M> {
    return this.#front.module<M>(url, defaults);
  }

  run<A extends unknown[], R>(job: Job<A, R>, args: A, options?: RunOptions): Task<Awaited<R>>;
  run<A extends unknown[], R>(fn: (...args: A) => R, args: A, options?: RunOptions): Task<Awaited<R>>;
  run(job: unknown, args: unknown, options?: RunOptions): Task<unknown> {
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    return this.#front.run(job, args, options, this.run as AnyFunction);
  }

  map<A, R>(
    job: Job<[A], R> | ((item: A) => R),
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    return this.#front.map(job, items, options, this.map as AnyFunction);
  }

  close(): Task<void> {
    return Task.fromError(
      new InvalidOperationError("A job cannot close the pool that runs it; close it where it was made"),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
