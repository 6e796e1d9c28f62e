import { AsyncScope } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import { Task } from "@skein/scheduling";
import { PoolClosedError } from "../errors.ts";
import { Host } from "../host/host.ts";
import type { JobHistograms } from "../host/job-histogram.ts";
import type { PoolStats } from "../host/pool-stats.ts";
import type { ThreadHandle } from "../host/thread-handle.ts";
import { channels } from "../jobs/channels.ts";
import { refusalToStart, refusalWhileLoading } from "../jobs/module-loading.ts";
import type { FunctionEntry } from "../submit/function-registry.ts";
import { streamsIn } from "../codec/marked-streams.ts";
import { moveListOfArguments } from "../transfer/move.ts";
import { currentPool } from "../worker/current-pool.ts";
import { allOrErrors } from "./all-or-errors.ts";
import { BaseEngine, canceled, type JobEngine } from "./base-engine.ts";
import { everyCapability } from "./capabilities.ts";
import { type CloseOptions, resolveCloseOptions } from "./close-options.ts";
import { announceClosing } from "./closing.ts";
import { CurrentEngine } from "./current-engine.ts";
import type { Job, OnlyStreamed, Streamed, StreamJob, StreamOf } from "./job-module.ts";
import { checkArguments, integer } from "./option-values.ts";
import { checkListener, type PoolEvent } from "./pool-event.ts";
import { offerRecorder } from "./recorder.ts";
import { type ReadyOptions, resolveReadyOptions } from "./ready-options.ts";
import { refusedWith } from "./refused-call.ts";
import { resolvePoolOptions, threadCount, type ThreadPoolOptions } from "./pool-options.ts";
import { resolveStartOptions, type StartOptions } from "./start-options.ts";

/** Of `skein:pool:open`: a pool was made, on the thread of whoever made it. */
export interface PoolMessage {
  readonly pool: ThreadPool;
}

let readHost: (pool: object) => Host | null;

/**
 * Runs functions on worker threads. Jobs are queued in shared memory and pulled by the threads; the ambient context goes
 * along; each job settles exactly once. Threads start on demand, and idle ones never keep the process alive.
 *
 * @example
 * const pool = new ThreadPool();
 * try {
 *   const geo = pool.module<typeof import("./geo.jobs.ts")>(new URL("./geo.jobs.ts", import.meta.url));
 *   console.log(await geo.area(polygon));
 * } finally {
 *   await pool.close(); // or, from Node.js 24: await using pool = new ThreadPool()
 * }
 * @see https://learn.microsoft.com/dotnet/standard/threading/the-managed-thread-pool
 */
export class ThreadPool extends BaseEngine<FunctionEntry> {
  static #shared: ThreadPool | null = null;

  /**
   * One pool for the whole program, made at first use with default options, and anew after it was closed. Idle, it does not keep the
   * process alive, so it need not be closed.
   */
  static get shared(): ThreadPool {
    if (ThreadPool.#shared === null || ThreadPool.#shared.#host.isClosing)
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

  static {
    readHost = (pool) => (#host in pool ? pool.#host : null);
  }

  readonly #host: Host;
  #closing: Task<void> | null = null;

  /**
   * Starts no thread yet. The pool belongs to nobody: it keeps nothing of the context in which it is made.
   *
   * @throws TypeError or RangeError for a bad option, naming it.
   * @throws SkeinError ERR_SKEIN_TRACE_FILE when `trace` names a file that cannot be written.
   */
  constructor(options?: ThreadPoolOptions) {
    const resolved = resolvePoolOptions(options);
    const host = AsyncScope.root.run(() => new Host(resolved));
    super({
      name: "ThreadPool",
      capabilities: everyCapability,
      functions: host.functions,
      maxThreads: () => host.maxThreads,
      refusal: () => (host.isClosing ? new PoolClosedError() : null),
      exportOf: () => undefined,
      submit: (...job) => host.submit(...job),
    });
    this.#host = host;
    offerRecorder(this, (locals, slicesPerThread) => host.record(locals, slicesPerThread));
    if (channels.poolOpen.hasSubscribers) channels.poolOpen.publish({ pool: this } satisfies PoolMessage);
  }

  /**
   * Runs a job once on every live thread, on each when it looks for its next job; starts one thread if there is none.
   *
   * @param args The argument list, copied to each thread. @default none
   * @returns the results, in no order. One failure rejects as itself, several as an AggregateError, after all have ended.
   * @throws TypeError for a bad argument, naming it.
   */
  override broadcast<A extends unknown[], R extends Streamed>(
    job: StreamJob<A, R> | (((...args: A) => R) & OnlyStreamed<R>),
    args: A,
  ): Task<StreamOf<R>[]>;
  override broadcast<A extends unknown[], R>(
    job: Job<A, R> | ((...args: A) => R),
    args: A,
  ): Task<Awaited<R>[]>;
  override broadcast<R>(job: Job<[], R> | (() => R), args?: []): Task<Awaited<R>[]>;
  override broadcast(job: unknown, args: unknown = []): Task<unknown[]> {
    const { fn, defaults } = this.entryOf(job);
    checkArguments(args);
    let moved: readonly unknown[] | null;
    try {
      moved = moveListOfArguments(args, null);
    } catch (error) {
      // Of an accessor, or a Proxy, in place of a plain list.
      return Task.fromError(refusedWith(error, fn.source));
    }
    if (moved !== null || streamsIn(args).length > 0)
      throw argumentTypeError("args", "arguments that are copied, since each thread gets them", args);
    if (this.#host.isClosing) return Task.fromError(new PoolClosedError());
    if (defaults.signal !== undefined && defaults.signal.aborted) return canceled(defaults.signal, fn);
    const refusal = refusalWhileLoading(fn.source);
    if (refusal !== null) return Task.fromError(refusal);
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    const below = this.broadcast as (...args: never[]) => unknown;
    return Task.from(allOrErrors(() => this.#host.broadcast(fn, args, defaults, below), fn.source));
  }

  /**
   * Starts threads before there are jobs for them, until there are `count`, those that are there already included. Each loads
   * `initialize` and then `modules`. `ready()` waits for them. Those above `minThreads` leave after `idleTimeoutMs` without a job. Does not
   * keep the process alive.
   *
   * @param count 1 to `maxThreads`. @default `minThreads`
   * @throws TypeError or RangeError for a bad argument, naming it. PoolClosedError after `close`. SkeinError
   * ERR_SKEIN_POOL_IN_JOB_MODULE when a job module calls this while a pool thread loads it.
   * @example
   * pool.start(4, { modules: [new URL("./geo.jobs.ts", import.meta.url)] });
   * await pool.ready();
   */
  start(count?: number, options?: StartOptions): void {
    const threads = integer("count", count, 1, this.maxThreads) ?? this.minThreads;
    const modules = resolveStartOptions(options);
    if (this.#host.isClosing) throw new PoolClosedError();
    const refusal = refusalToStart(modules);
    if (refusal !== null) throw refusal;
    this.#host.start(threads, modules);
  }

  /**
   * Waits for the threads that `start` has started, and for those that were starting when it was called. It waits for no others: without
   * `start` it resolves at once. Until it settles it keeps the process alive, as a job does.
   *
   * Rejects with
   * - ThreadCrashedError when a thread has ended before it was ready, with what `initialize` threw as its cause;
   * - what a module threw that did not load. The pool works all the same: only jobs of that module reject;
   * - PoolClosedError when the pool closes first, or is closed.
   *
   * A failure is told by every call until `start` is called again.
   *
   * With `below` it waits for the queue instead: until threads have taken so many of the jobs that fewer than `below` wait, or those were
   * cancelled. For callers that push: they stay that far ahead of the threads, and no further. Rejects with PoolClosedError when the pool
   * closes first, or is closed. Several that wait may all go on at the same moment: each that then submits a burst adds to the queue.
   *
   * @throws TypeError or RangeError for a bad option, naming it.
   * @example
   * for await (const row of rows) {
   *   await pool.ready({ below: 1000 });
   *   void jobs.index(row).then(done, failed);
   * }
   */
  ready(options?: ReadyOptions): Task<void> {
    const { below } = resolveReadyOptions(options);
    if (this.#host.isClosing) return Task.fromError(new PoolClosedError());
    return Task.from(below === undefined ? this.#host.ready() : this.#host.queueWatch.below(below));
  }

  /**
   * Listens to `drain`: none of the jobs waits for a thread that were submitted here since it was told last. Told on this thread, at most
   * five milliseconds late, in the order of registration, in the empty context; what a listener throws is an uncaught exception. Jobs that jobs
   * submit are not counted. Keeps nothing alive.
   *
   * @throws TypeError for a bad argument, naming it.
   */
  on(event: PoolEvent, listener: () => void): this {
    checkListener(event, listener);
    this.#host.queueWatch.on(listener);
    return this;
  }

  /**
   * Removes the newest registration of this listener, if there is one.
   * @throws TypeError for a bad argument, naming it.
   */
  off(event: PoolEvent, listener: () => void): this {
    checkListener(event, listener);
    this.#host.queueWatch.off(listener);
    return this;
  }

  /** Names the pool in `skein:thread:*`: no other pool of this thread has it. From 1. */
  get id(): number {
    return this.#host.id;
  }

  /** As in the options: names the threads, and this pool to people. */
  get name(): string {
    return this.#host.name;
  }

  /** The number of threads that start on demand and are kept. */
  get minThreads(): number {
    return this.#host.minThreads;
  }

  /** The most threads at any time, but for those that exclusive jobs need (see ThreadPoolOptions). */
  get maxThreads(): number {
    return this.#host.maxThreads;
  }

  /**
   * Changes `minThreads`; 0 means 1. If jobs wait, threads start at once.
   * @returns false, and nothing changes, when `minThreads` is negative or above `maxThreads`.
   * @throws TypeError or RangeError when it is no integer.
   * @see https://learn.microsoft.com/dotnet/api/system.threading.threadpool.setminthreads
   */
  setMinThreads(minThreads: number): boolean {
    return this.#host.setMinThreads(threadCount("minThreads", minThreads));
  }

  /**
   * Changes `maxThreads`. Surplus threads take no more jobs and end when they have finished theirs. The limit is four per core, or the
   * `maxThreads` that the pool was made with if that is more; anything above counts as the limit.
   *
   * @returns false, and nothing changes, when `maxThreads` is below `minThreads`.
   * @throws TypeError or RangeError when it is no integer.
   * @see https://learn.microsoft.com/dotnet/api/system.threading.threadpool.setmaxthreads
   */
  setMaxThreads(maxThreads: number): boolean {
    return this.#host.setMaxThreads(threadCount("maxThreads", maxThreads));
  }

  /**
   * The threads that there are now, those that are still starting or about to leave included: a new array with each call, the same handle for a
   * thread as long as it lives.
   *
   * @example
   * for (const thread of pool.threads) console.log(thread.threadId, (await thread.heapStatistics()).used_heap_size);
   */
  get threads(): ThreadHandle[] {
    return this.#host.threads;
  }

  /** What the threads and the queues are doing now, and what they have done so far. Costs microseconds and sends no message. */
  stats(): PoolStats {
    return this.#host.stats();
  }

  /**
   * How long jobs waited and ran, with percentiles, and a `reset`.
   *
   * @example
   * pool.histograms.runMs.reset();
   * // …
   * console.log(pool.histograms.runMs.percentile(99.9));
   */
  get histograms(): JobHistograms {
    return this.#host.histograms;
  }

  /**
   * Ends the pool: by default after all submitted jobs have settled. Takes no more jobs from here on.
   *
   * Every call returns the same task, and a later call can only hurry it: `drain: false` stops what still runs or waits, and the
   * earliest deadline counts, each from its own call.
   *
   * @returns resolves when every job has settled and every thread has ended; rejects with ERR_SKEIN_TRACE_FILE when `trace` cannot be
   * written.
   * @throws TypeError or RangeError for a bad option, naming it.
   */
  override close(options?: CloseOptions): Task<void> {
    const { drain, timeoutMs } = resolveCloseOptions(options);
    const closing = this.#host.close(drain, timeoutMs);
    this.#closing ??= Task.from(closing);
    announceClosing(this);
    return this.#closing;
  }
}

/** For those who look inside. Null: it is no pool of this copy of the package. */
export function hostOf(pool: unknown): Host | null {
  return typeof pool === "object" && pool !== null ? readHost(pool) : null;
}
