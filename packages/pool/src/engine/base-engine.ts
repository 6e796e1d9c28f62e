/** What all engines of this package have in common: the arguments are checked, then the job is the submitter's. */
import { AsyncScope, ExecutionContext } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import { Task, TaskCompletionSource } from "@skein/scheduling";
import { Chunk } from "../codec/chunk.ts";
import { resolveJobUrl } from "../jobs/job-url.ts";
import { letGo } from "../submit/argument-pumps.ts";
import { cancellationError, type CancelSignal } from "../submit/cancel-signal.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import { type EngineCapabilities, refusalOf } from "./capabilities.ts";
import type { CloseOptions } from "./close-options.ts";
import { type JobEntry, jobEntry } from "./job-entry.ts";
import type { FunctionSet, JobFunction } from "./job-functions.ts";
import {
  createJobModule,
  type Job,
  jobHandle,
  type ItemOf,
  type JobModule,
  type OnlyStreamed,
  type Streamed,
  type StreamJob,
  type StreamOf,
  type UntypedModule,
} from "./job-module.ts";
import { withJob } from "../codec/job-of-error.ts";
import { NotSupportedError } from "../errors.ts";
import { labelOf } from "../jobs/function-name.ts";
import { refusalWhileLoading } from "../jobs/module-loading.ts";
import type { ExportOf } from "../jobs/source-of-function.ts";
import { mapChunks } from "./map-chunks.ts";
import { type Iteration, mapItems } from "./map.ts";
import { MapResults } from "./map-results.ts";
import { someoneTracesMaps, traceMap } from "./map-tracing.ts";
import { type MapOptions, resolveMapOptions } from "./map-options.ts";
import { checkArguments } from "./option-values.ts";
import {
  type OwnRunOptions,
  resolveModuleOptions,
  resolveRunOptions,
  type RunOptions,
} from "./run-options.ts";
import { refusedWith } from "./refused-call.ts";
import { letTasksStream } from "./stream-call.ts";
import { AbortController } from "../shared/intrinsics.ts";

/** Jobs under way in `map`, per thread, by default: one runs, the others wait for it. */
const MAP_AHEAD = 4;

type AnyFunction = (...args: unknown[]) => unknown;

/** Where jobs go. @typeParam F What `functions` gives, and `submit` is given. */
export interface JobTarget<F extends JobFunction = JobFunction> {
  /** The class of the engine, for errors. */
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  readonly functions: FunctionSet<F>;
  /** How many jobs can run at once: `map` has four times as many under way by default. */
  maxThreads(): number;
  /** Why no job is taken any more, or null. */
  refusal(): Error | null;
  /** Where a plain function was exported from, if that is known here. */
  readonly exportOf: ExportOf;
  /** What its jobs can be told beside RunOptions. @default nothing */
  readonly runOptions?: OwnRunOptions;
  /**
   * Takes one job. Everything is checked, its signal has not fired, and the engine can do what the options say. What this throws, the job
   * rejects with.
   *
   * @param below The method that the caller has called: its frames and those above it are ours.
   */
  submit(
    fn: F,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): Task<unknown>;
}

/** What runs jobs: a ThreadPool, or another engine with the same job modules. */
export interface JobEngine extends AsyncDisposable {
  /** What it can do; frozen. */
  readonly capabilities: EngineCapabilities;
  module<M = UntypedModule>(url: URL | string, defaults?: RunOptions): JobModule<M>;
  run<A extends unknown[], R extends Streamed>(
    job: StreamJob<A, R> | (((...args: A) => R) & OnlyStreamed<R>),
    args: A,
    options?: RunOptions,
  ): Task<StreamOf<R>>;
  run<A extends unknown[], R>(job: Job<A, R>, args: A, options?: RunOptions): Task<Awaited<R>>;
  run<A extends unknown[], R>(fn: (...args: A) => R, args: A, options?: RunOptions): Task<Awaited<R>>;
  run<R>(job: Job<[], R> | (() => R), args?: [], options?: RunOptions): Task<Awaited<R>>;
  map<A, R extends Streamed>(
    job: StreamJob<[A], R> | (((item: A) => R) & OnlyStreamed<R>),
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterableIterator<ItemOf<R>>;
  map<A, R>(
    job: Job<[A], R> | ((item: A) => R),
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterableIterator<Awaited<R>>;
  broadcast<A extends unknown[], R extends Streamed>(
    job: StreamJob<A, R> | (((...args: A) => R) & OnlyStreamed<R>),
    args: A,
  ): Task<StreamOf<R>[]>;
  broadcast<A extends unknown[], R>(job: Job<A, R> | ((...args: A) => R), args: A): Task<Awaited<R>[]>;
  broadcast<R>(job: Job<[], R> | (() => R), args?: []): Task<Awaited<R>[]>;
  close(options?: CloseOptions): Task<void>;
}

/** `module`, `run` and `map` over a target. @typeParam O What jobs can be told: RunOptions, and what `JobTarget.runOptions` names. */
export abstract class BaseEngine<
  F extends JobFunction = JobFunction,
  O extends RunOptions = RunOptions,
> implements JobEngine {
  readonly #target: JobTarget<F>;

  protected constructor(target: JobTarget<F>) {
    this.#target = target;
    letTasksStream();
  }

  get capabilities(): EngineCapabilities {
    return this.#target.capabilities;
  }

  abstract close(options?: CloseOptions): Task<void>;

  /** `close()`: from Node.js 24 `await using pool = new ThreadPool()` waits for its jobs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The functions that a module exports, as jobs. Each thread imports the module when it first runs one of them. TypeScript works:
   * erasable syntax natively, the rest through `tsx` if the module can resolve it. Nothing is loaded here, so a name that the module
   * does not export is found by the job, which rejects with JobNotFoundError.
   *
   * The module object answers `await`, JSON, `String()` and test runners with its URL and starts no job for them. Exports named
   * `then`, `toJSON`, `asymmetricMatch`, `hasAttribute`, `nodeType`, or like a method of `Object.prototype`, are not reachable.
   *
   * @param url A file URL or an absolute path: `new URL("./geo.jobs.ts", import.meta.url)`.
   * @param defaults Options of every job of this module that a call does not replace; everything but `transfer`.
   * @throws TypeError for a relative path or another protocol: code never comes from the network. TypeError or RangeError for a
   * bad default, naming it.
   */
  module<M = UntypedModule>(url: URL | string, defaults?: O): JobModule<M> {
    const href = resolveJobUrl(url);
    const options = resolveModuleOptions(defaults, this.#target.runOptions);
    return createJobModule<M>(href, (source) => {
      const fn = this.#target.functions.ofExport(source.url, source.name);
      const handle = (...args: unknown[]): Task<unknown> => this.#submit(fn, args, options, handle);
      return jobHandle(handle, source, options);
    });
  }

  /**
   * Runs a job: a function of a module, or an inline function, which is shipped as its source text and captures nothing.
   *
   * The arguments are copied before this returns. The task rejects with
   * - what the job threw: same class if it is built in or registered, with code, properties, cause and the caller's frames;
   * - NotCloneableError when an argument or the result cannot be copied;
   * - the reason of the signal when that is an Error, otherwise JobCanceledError with `reason`, whether it fires while the job waits or
   *   runs or had fired before the call;
   * - JobTimeoutError after `timeoutMs`, or `runTimeoutMs`;
   * - ThreadCrashedError when its thread dies, PoolClosedError when the pool closes first, QueueFullError when too much waits;
   * - JobNotFoundError or JobModuleError when the module has no such export or does not load.
   *
   * @param args The argument list. @default none
   * @throws TypeError or RangeError for a bad argument or option, naming it. Nothing was submitted then.
   */
  run<A extends unknown[], R extends Streamed>(
    job: StreamJob<A, R> | (((...args: A) => R) & OnlyStreamed<R>),
    args: A,
    options?: O,
  ): Task<StreamOf<R>>;
  run<A extends unknown[], R>(job: Job<A, R>, args: A, options?: O): Task<Awaited<R>>;
  run<A extends unknown[], R>(fn: (...args: A) => R, args: A, options?: O): Task<Awaited<R>>;
  run<R>(job: Job<[], R> | (() => R), args?: [], options?: O): Task<Awaited<R>>;
  run(job: unknown, args: unknown = [], options?: O): Task<unknown> {
    checkArguments(args);
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    return this.submitJob(job, args, options, this.run);
  }

  /**
   * As `run`, for other methods of an engine.
   * @param below The method that the caller has called. @param more What it says of the job beside the options: `SubmitOptions.own`.
   */
  protected submitJob(
    job: unknown,
    args: unknown[],
    options: O | undefined,
    below: (...args: never[]) => unknown,
    more?: (own: unknown) => unknown,
  ): Task<unknown> {
    const entry = this.entryOf(job);
    const resolved = this.optionsOf(entry, options);
    const complete = more === undefined ? resolved : { ...resolved, own: more(resolved.own) };
    return this.#submit(entry.fn, args, complete, below as AnyFunction);
  }

  /**
   * Runs a job for each item, with the item as its only argument, and yields the results. Never more than `concurrency` jobs are under
   * way. Lazy: nothing is read or started before the first result is asked for, and the source is read only as far ahead of the consumer
   * as `concurrency` says. Leaving the loop cancels what is under way and closes the source. Of a job that is a generator it yields the items:
   * one stream after the other, or, unordered, as they come.
   *
   * The source (its `next` and `return`) and the jobs see the context of this call, whoever iterates, and wherever.
   *
   * The iteration throws the first error, of a job or of the source, in the order of the results. When the signal fires it throws as
   * `run` rejects: the signal's reason when that is an Error, otherwise JobCanceledError with `reason`.
   *
   * @throws TypeError or RangeError for a bad argument or option, naming it.
   * @example
   * for await (const page of pool.map(jobs.render, documents, { ordered: false })) await store(page);
   */
  map<A, R extends Streamed>(
    job: StreamJob<[A], R> | (((item: A) => R) & OnlyStreamed<R>),
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterableIterator<ItemOf<R>>;
  map<A, R>(
    job: Job<[A], R> | ((item: A) => R),
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterableIterator<Awaited<R>>;
  map<A, R>(
    job: unknown,
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    const { fn, defaults } = this.entryOf(job);
    if (!isIterable(items)) throw argumentTypeError("items", "an iterable or an async iterable", items);
    const resolved = resolveMapOptions(options, this.#target.maxThreads() * MAP_AHEAD, defaults.signal);
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    const below = this.map as AnyFunction;
    // The jobs are called later, where flow is not suppressed any more.
    const flowContext = defaults.flowContext && !ExecutionContext.isFlowSuppressed();
    let own: SubmitOptions | undefined;
    const submit = (entry: F, item: unknown, signal: CancelSignal): Task<unknown> =>
      this.#submit(entry, [item], (own ??= { ...defaults, flowContext, signal, ofMap: true }), below);
    const controller = new AbortController();
    const iteration = { options: resolved, source: fn.source, scope: AsyncScope.capture(), controller };
    type Results = AsyncGenerator<Awaited<R>, void, undefined>;
    const begin = (iterate: (each: Iteration) => Results): MapResults<Awaited<R>> =>
      new MapResults(someoneTracesMaps() ? traceMap(iteration, iterate) : iterate(iteration), controller);
    if (resolved.chunkSize > 1) {
      const each = this.#target.functions.ofEach(fn);
      const send = (chunk: Chunk, signal: AbortSignal): Task<unknown> => submit(each, chunk, signal);
      return begin((each) => mapChunks<A, Awaited<R>>(items, send, each));
    }
    const run = (item: A, signal: AbortSignal): Task<Awaited<R>> =>
      submit(fn, item, signal) as Task<Awaited<R>>;
    return begin((each) => mapItems(items, run, each));
  }

  /**
   * Runs a job once on every thread; an engine without the capability `broadcast` rejects with NotSupportedError.
   *
   * @throws TypeError for a bad argument, naming it.
   */
  broadcast<A extends unknown[], R extends Streamed>(
    job: StreamJob<A, R> | (((...args: A) => R) & OnlyStreamed<R>),
    args: A,
  ): Task<StreamOf<R>[]>;
  broadcast<A extends unknown[], R>(job: Job<A, R> | ((...args: A) => R), args: A): Task<Awaited<R>[]>;
  broadcast<R>(job: Job<[], R> | (() => R), args?: []): Task<Awaited<R>[]>;
  broadcast(job: unknown, args: unknown = []): Task<unknown[]> {
    this.entryOf(job);
    checkArguments(args);
    return Task.fromError(new NotSupportedError("broadcast", this.#target.name, "`broadcast`"));
  }

  /** The function that a job stands for. */
  protected entryOf(job: unknown): JobEntry<F> {
    return jobEntry(job, this.#target.functions, this.#target.exportOf);
  }

  /** Those of one call of it. @throws TypeError or RangeError for a bad option, naming it. */
  protected optionsOf({ defaults }: JobEntry<F>, options: O | undefined): SubmitOptions {
    return resolveRunOptions(options, defaults, this.#target.runOptions);
  }

  #submit(fn: F, args: unknown[], options: SubmitOptions, below: AnyFunction): Task<unknown> {
    const refused = this.#refused(fn, args, options);
    if (refused !== null) {
      letGo(args);
      return refused;
    }
    try {
      return this.#target.submit(fn, args, options, below);
    } catch (error) {
      // Of a chunk, `map` sends those items again that are before the one at fault.
      if (!options.ofMap || !(args[0] instanceof Chunk)) letGo(args);
      return Task.fromError(refusedWith(error, fn.source));
    }
  }

  /** Before anything is done for a job. Null: it may be submitted. */
  #refused(fn: F, args: readonly unknown[], options: SubmitOptions): Task<unknown> | null {
    const refusal = this.#target.refusal() ?? refusalWhileLoading(fn.source);
    if (refusal !== null) return Task.fromError(refusal);
    const { name, capabilities } = this.#target;
    const missing = refusalOf(name, capabilities, fn.source, args, options);
    if (missing !== null) return Task.fromError(withJob(missing, labelOf(fn.source)));
    const { signal } = options;
    return signal !== undefined && signal.aborted ? canceled(signal, fn) : null;
  }
}

/** As a task that is cancelled later. */
export function canceled<T>(signal: CancelSignal, fn: JobFunction): Task<T> {
  const source = new TaskCompletionSource<T>();
  source.trySetCanceled(cancellationError(signal, fn.source));
  return source.task;
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}
