import { argumentTypeError } from "@skein/context/errors";
import { Task, TaskCompletionSource } from "@skein/scheduling";
import { PoolClosedError } from "./errors.ts";
import { Host } from "./host/host.ts";
import type { SubmitOptions } from "./host/submission.ts";
import { createJobModule, type Job, type JobModule, jobSource } from "./job-module.ts";
import { resolveJobUrl } from "./jobs/job-url.ts";
import {
  type CloseOptions,
  defaultSubmitOptions,
  resolveCloseOptions,
  resolvePoolOptions,
  resolveRunOptions,
  type RunOptions,
  type ThreadPoolOptions,
} from "./options.ts";

/** What runs jobs: a ThreadPool, or another engine with the same job modules. */
export interface JobEngine extends AsyncDisposable {
  module<M>(url: URL | string, defaults?: RunOptions): JobModule<M>;
  run<A extends unknown[], R>(job: Job<A, R>, args: A, options?: RunOptions): Task<Awaited<R>>;
  run<A extends unknown[], R>(fn: (...args: A) => R, args: A, options?: RunOptions): Task<Awaited<R>>;
  close(options?: CloseOptions): Task<void>;
}

type AnyFunction = (...args: unknown[]) => unknown;

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

  readonly #host: Host;
  #closing: Task<void> | null = null;

  /** @throws TypeError or RangeError for a bad option, naming it. */
  constructor(options?: ThreadPoolOptions) {
    this.#host = new Host(resolvePoolOptions(options));
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
    const options = resolveRunOptions(defaults, defaultSubmitOptions);
    return createJobModule<M>(resolveJobUrl(url), (source) => {
      const id = this.#host.functions.idOfExport(source.url, source.name);
      const handle = (...args: unknown[]): Task<unknown> =>
        this.#submit(id, args, options, handle);
      return Object.assign(handle, { [jobSource]: source, [jobDefaults]: options });
    });
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
    if (typeof job !== "function") throw argumentTypeError("job", "a job of a module, or a function", job);
    if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
    const handle = job as Partial<JobHandle>;
    const source = handle[jobSource];
    const id =
      source === undefined
        ? this.#host.functions.idOfInline(job as AnyFunction)
        : this.#host.functions.idOfExport(source.url, source.name);
    const resolved = resolveRunOptions(options, handle[jobDefaults] ?? defaultSubmitOptions);
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    return this.#submit(id, args, resolved, this.run as AnyFunction);
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

  #submit(id: number, args: unknown[], options: SubmitOptions, below: AnyFunction): Task<unknown> {
    if (this.#closing !== null) return Task.fromError(new PoolClosedError());
    const { signal } = options;
    if (signal?.aborted === true) return canceled(signal);
    try {
      return this.#host.submit(id, args, options, below);
    } catch (error) {
      return Task.fromError(error);
    }
  }
}

const jobDefaults: unique symbol = Symbol("job defaults");

interface JobHandle extends Job<unknown[], unknown> {
  readonly [jobDefaults]: SubmitOptions;
}

function canceled(signal: AbortSignal): Task<unknown> {
  const source = new TaskCompletionSource<unknown>();
  source.trySetCanceled(signal);
  return source.task;
}
