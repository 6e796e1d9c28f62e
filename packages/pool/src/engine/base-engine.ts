/** What all engines of this package have in common: the arguments are checked, then the job is the submitter's. */
import { argumentTypeError } from "@skein/context/errors";
import { Task, TaskCompletionSource } from "@skein/scheduling";
import type { Chunk } from "../codec/chunk.ts";
import {
  createJobModule,
  type Job,
  type JobHandle,
  jobHandle,
  type JobModule,
  jobDefaults,
  jobSource,
} from "./job-module.ts";
import { resolveJobUrl } from "../jobs/job-url.ts";
import { mapChunks } from "./map-chunks.ts";
import { mapItems } from "./map.ts";
import {
  type CloseOptions,
  type MapOptions,
  resolveMapOptions,
  resolveModuleOptions,
  resolveRunOptions,
  type RunOptions,
} from "./options.ts";
import type { FunctionEntry, FunctionRegistry } from "../submit/function-registry.ts";
import { defaultSubmitOptions, type SubmitOptions } from "../submit/submit-options.ts";

/** Jobs under way in `map`, per thread, by default: one runs, the others wait for it. */
const MAP_AHEAD = 4;

type AnyFunction = (...args: unknown[]) => unknown;

/** Where jobs go. */
export interface JobTarget {
  readonly functions: FunctionRegistry;
  maxThreads(): number;
  /** Why no job is taken any more, or null. */
  refusal(): Error | null;
  /** Where a plain function was exported from, if that is known here. */
  readonly exportOf: (fn: object) => { readonly url: string; readonly name: string } | undefined;
  submit(
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): Task<unknown>;
}

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

/** `module`, `run` and `map` over a target. */
export abstract class BaseEngine implements JobEngine {
  readonly #target: JobTarget;

  protected constructor(target: JobTarget) {
    this.#target = target;
  }

  abstract close(options?: CloseOptions): Task<void>;

  /** `close()`: `await using pool = new ThreadPool()` waits for its jobs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
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
    const options = resolveModuleOptions(defaults);
    return createJobModule<M>(resolveJobUrl(url), (source) => {
      const fn = this.#target.functions.ofExport(source.url, source.name);
      const handle = (...args: unknown[]): Task<unknown> => this.#submit(fn, args, options, handle);
      return jobHandle(handle, source, options);
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
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    return this.#run(job, args, options, this.run as AnyFunction);
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
    if (typeof job !== "function") throw argumentTypeError("job", "a job of a module, or a function", job);
    if (!isIterable(items)) throw argumentTypeError("items", "an iterable or an async iterable", items);
    const resolved = resolveMapOptions(options, this.#target.maxThreads() * MAP_AHEAD);
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    const below = this.map as AnyFunction;
    if (resolved.chunkSize === 1) {
      const run = (item: A, signal: AbortSignal): Task<Awaited<R>> =>
        this.#run(job, [item], { signal }, below) as Task<Awaited<R>>;
      return mapItems(items, run, resolved);
    }
    const { fn, defaults } = this.entryOf(job);
    const each = this.#target.functions.ofEach(fn);
    const submit = (chunk: Chunk, signal: AbortSignal): Task<unknown> =>
      this.#submit(each, [chunk], { ...defaults, signal }, below);
    return mapChunks(items, submit, resolved);
  }

  /** The function that a job stands for. */
  protected entryOf(job: unknown): { fn: FunctionEntry; defaults: SubmitOptions } {
    if (typeof job !== "function") throw argumentTypeError("job", "a job of a module, or a function", job);
    const { [jobSource]: source, [jobDefaults]: defaults } = job as Partial<JobHandle>;
    const { functions } = this.#target;
    const fn =
      source === undefined
        ? functions.ofFunction(job as AnyFunction, this.#target.exportOf)
        : functions.ofExport(source.url, source.name);
    return { fn, defaults: defaults ?? defaultSubmitOptions };
  }

  #run(job: unknown, args: unknown, options: RunOptions | undefined, below: AnyFunction): Task<unknown> {
    const { fn, defaults } = this.entryOf(job);
    if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
    return this.#submit(fn, args, resolveRunOptions(options, defaults), below);
  }

  #submit(fn: FunctionEntry, args: unknown[], options: SubmitOptions, below: AnyFunction): Task<unknown> {
    const refusal = this.#target.refusal();
    if (refusal !== null) return Task.fromError(refusal);
    const { signal } = options;
    if (signal?.aborted === true) return canceled(signal);
    try {
      return this.#target.submit(fn, args, options, below);
    } catch (error) {
      return Task.fromError(error);
    }
  }
}

function canceled(signal: AbortSignal): Task<unknown> {
  const source = new TaskCompletionSource<unknown>();
  source.trySetCanceled(signal);
  return source.task;
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}
