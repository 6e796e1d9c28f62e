import { InvalidOperationError } from "@skein/context/errors";
import { Task } from "@skein/scheduling";
import { PoolClosedError } from "./errors.ts";
import { Host } from "./host/host.ts";
import { type AnyFunction, JobFront } from "./job-front.ts";
import type { Job, JobModule } from "./job-module.ts";
import {
  type CloseOptions,
  resolveCloseOptions,
  resolvePoolOptions,
  type RunOptions,
  type ThreadPoolOptions,
} from "./options.ts";
import { currentPool } from "./current-pool.ts";

/** What runs jobs: a ThreadPool, or another engine with the same job modules. */
export interface JobEngine extends AsyncDisposable {
  module<M>(url: URL | string, defaults?: RunOptions): JobModule<M>;
  run<A extends unknown[], R>(job: Job<A, R>, args: A, options?: RunOptions): Task<Awaited<R>>;
  run<A extends unknown[], R>(fn: (...args: A) => R, args: A, options?: RunOptions): Task<Awaited<R>>;
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

  close(): Task<void> {
    return Task.fromError(
      new InvalidOperationError("A job cannot close the pool that runs it; close it where it was made"),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
