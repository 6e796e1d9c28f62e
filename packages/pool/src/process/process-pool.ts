import { AsyncScope } from "@skein/context";
import { Task, TaskCompletionSource } from "@skein/scheduling";
import { EngineJobs } from "../adapter/engine-jobs.ts";
import { allOrErrors } from "../engine/all-or-errors.ts";
import { BaseEngine, canceled } from "../engine/base-engine.ts";
import { type EngineCapabilities, everyCapability } from "../engine/capabilities.ts";
import { type CloseOptions, resolveCloseOptions } from "../engine/close-options.ts";
import { announceClosing } from "../engine/closing.ts";
import { type JobFunction, JobFunctions } from "../engine/job-functions.ts";
import type { Job } from "../engine/job-module.ts";
import { checkArguments, integer } from "../engine/option-values.ts";
import { checkListener, type PoolEvent } from "../engine/pool-event.ts";
import { type ReadyOptions, resolveReadyOptions } from "../engine/ready-options.ts";
import { resolveStartOptions, type StartOptions } from "../engine/start-options.ts";
import { NotSupportedError, PoolClosedError } from "../errors.ts";
import type { JobHistograms } from "../host/job-histogram.ts";
import { newPoolId } from "../host/pool-id.ts";
import type { PoolStats } from "../host/pool-stats.ts";
import { channels, type ThreadMessage } from "../jobs/channels.ts";
import { refusalToStart, refusalWhileLoading } from "../jobs/module-loading.ts";
import { clearInterval, setInterval, setTimeout } from "../shared/timers.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import type { PoolProcess } from "./pool-process.ts";
import { ProcessJobs } from "./process-jobs.ts";
import {
  type ProcessPoolOptions,
  type ProcessPoolSettings,
  resolveProcessOptions,
} from "./process-options.ts";
import { readProcessStats } from "./process-stats.ts";

/** Only bytes go from one process to another, and none can help another. */
const capabilities: EngineCapabilities = Object.freeze({
  ...everyCapability,
  sharedMemory: false,
  transfer: false,
  placement: false,
  streams: false,
  streamArguments: false,
  forkJoin: false,
  timeline: false,
});

const LONGEST_MS = 2 ** 31 - 1;

/**
 * Runs jobs in child processes: for native addons that may take the process down, and for what only a main thread can do. Otherwise as a
 * ThreadPool, and with its names: each process is one thread of the pool, which runs jobs on its main thread. A process that dies takes
 * along the jobs that it had begun, and no others: they reject with ThreadCrashedError, whose `signal` or `exitCode` says how.
 *
 * Jobs go over pipes. SharedArrayBuffers, and what only a message can carry, are refused by their path; what `move` marks is copied; `fork`
 * and `parallelFor` throw NotSupportedError in a job. A job that computes sees that it is cancelled, as on a thread.
 *
 * Processes start on demand. Idle ones do not keep the program alive, and all end when it does, also when it is killed. Their output goes
 * where that of the program goes.
 *
 * @example
 * const pool = new ProcessPool({ maxThreads: 2 });
 * try {
 *   const scans = pool.module<typeof import("./scans.jobs.ts")>(new URL("./scans.jobs.ts", import.meta.url));
 *   console.log(await scans.barcodes(picture));
 * } finally {
 *   await pool.close();
 * }
 */
export class ProcessPool extends BaseEngine {
  /** Names the pool in `skein:thread:*`: no other pool of this thread has it. From 1. */
  readonly id: number = newPoolId();
  readonly #settings: ProcessPoolSettings;
  readonly #jobs: EngineJobs;
  readonly #processes: ProcessJobs;
  /** Keeps the program alive, or not. */
  readonly #alive: NodeJS.Timeout;
  #isAlive = false;
  #closed: TaskCompletionSource<void> | null = null;
  #isEnding = false;

  /**
   * Starts no process yet. The pool belongs to nobody: it keeps nothing of the context in which it is made.
   *
   * @throws TypeError or RangeError for a bad option, naming it. NotCloneableError for `workerData` that a process cannot be sent.
   * NotSupportedError for `trace`.
   */
  constructor(options?: ProcessPoolOptions) {
    const settings = resolveProcessOptions(options);
    const processes = new ProcessJobs(settings, {
      started: (process) => this.#publish("threadStart", process, {}),
      ended: (process, { exitCode, signal, cause }, lostJobs) => {
        this.#endWhenEmpty();
        this.#publish("threadExit", process, { exitCode, signal, cause, lostJobs });
      },
      changed: () => this.#keepAlive(),
    });
    const jobs = new EngineJobs(processes);
    super({
      name: "ProcessPool",
      capabilities,
      functions: new JobFunctions(),
      maxThreads: () => settings.maxThreads,
      refusal: () => (jobs.isClosed ? new PoolClosedError() : null),
      exportOf: () => undefined,
      submit: (...job) => jobs.submit(...job),
    });
    this.#settings = settings;
    this.#jobs = jobs;
    this.#processes = processes;
    this.#alive = AsyncScope.root.run(setInterval, () => {}, LONGEST_MS).unref();
  }

  /**
   * Runs a job once in every process, in each when it comes to it; starts one if there is none.
   *
   * @param args The argument list, copied to each process. @default none
   * @returns the results, in no order. One failure rejects as itself, several as an AggregateError, after all have ended.
   * @throws TypeError for a bad argument, naming it.
   */
  override broadcast<A extends unknown[], R>(
    job: Job<A, R> | ((...args: A) => R),
    args: A,
  ): Task<Awaited<R>[]>;
  override broadcast<R>(job: Job<[], R> | (() => R), args?: []): Task<Awaited<R>[]>;
  override broadcast(job: unknown, args: unknown = []): Task<unknown[]> {
    const { fn, defaults } = this.entryOf(job);
    checkArguments(args);
    if (this.#closed !== null) return Task.fromError(new PoolClosedError());
    if (defaults.signal !== undefined && defaults.signal.aborted) return canceled(defaults.signal, fn);
    const refusal = refusalWhileLoading(fn.source);
    if (refusal !== null) return Task.fromError(refusal);
    return Task.from(allOrErrors(() => this.#submitToAll(fn, args, defaults), fn.source));
  }

  #submitToAll(fn: JobFunction, args: readonly unknown[], defaults: SubmitOptions): Task<unknown>[] {
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    const below = this.broadcast as (...args: never[]) => unknown;
    const processes = [...this.#processes.supply.all].filter(
      ({ isLeaving, isSpare }) => !isLeaving && !isSpare,
    );
    if (processes.length === 0) return [this.#jobs.submit(fn, args, defaults, below)];
    return processes.map((process) => {
      const options = { ...defaults };
      this.#processes.target(options, process);
      return this.#jobs.submit(fn, args, options, below);
    });
  }

  /**
   * Starts processes before there are jobs for them, until there are `count`, those that are there already included. Each loads
   * `initialize` and then `modules`. `ready()` waits for them. Does not keep the program alive.
   *
   * @param count 1 to `maxThreads`. @default `minThreads`
   * @throws TypeError or RangeError for a bad argument, naming it. PoolClosedError after `close`. SkeinError
   * ERR_SKEIN_POOL_IN_JOB_MODULE when a job module calls this while a process loads it.
   */
  start(count?: number, options?: StartOptions): void {
    const wanted = integer("count", count, 1, this.maxThreads) ?? this.minThreads;
    const modules = resolveStartOptions(options);
    if (this.#closed !== null) throw new PoolClosedError();
    const refusal = refusalToStart(modules);
    if (refusal !== null) throw refusal;
    this.#processes.supply.begin(wanted, modules);
  }

  /**
   * As `ThreadPool.ready`: waits for the processes that `start` has started, or with `below` until fewer jobs wait. Rejects with
   * ThreadCrashedError when one has ended before it was ready, with what a module threw that did not load, and with PoolClosedError.
   *
   * @throws TypeError or RangeError for a bad option, naming it.
   */
  ready(options?: ReadyOptions): Task<void> {
    const { below } = resolveReadyOptions(options);
    if (this.#closed !== null) return Task.fromError(new PoolClosedError());
    const { supply, watch } = this.#processes;
    return Task.from(below === undefined ? supply.starts.ready() : watch.below(below));
  }

  /**
   * Listens to `drain`, as of a ThreadPool: none of the jobs waits any more that were submitted since it was told last.
   * @throws TypeError for a bad argument, naming it.
   */
  on(event: PoolEvent, listener: () => void): this {
    checkListener(event, listener);
    this.#processes.watch.on(listener);
    return this;
  }

  /**
   * Removes the newest registration of this listener, if there is one.
   * @throws TypeError for a bad argument, naming it.
   */
  off(event: PoolEvent, listener: () => void): this {
    checkListener(event, listener);
    this.#processes.watch.off(listener);
    return this;
  }

  /** The option `name`. */
  get name(): string {
    return this.#settings.name;
  }

  /**
   * Not here: a process is no thread that could be named, or sent messages.
   * @throws NotSupportedError, with the capability `placement`.
   */
  get threads(): never {
    throw new NotSupportedError("placement", "ProcessPool", "`threads`");
  }

  /** The number of processes that are kept once they have started. */
  get minThreads(): number {
    return this.#settings.minThreads;
  }

  /** The most processes at any time. */
  get maxThreads(): number {
    return this.#settings.maxThreads;
  }

  /**
   * What the processes and the queues are doing now, and what they have done so far: as of a ThreadPool, with the id of the process as `threadId`.
   * Nothing is ever `stolen` or `local`. Asks no process.
   */
  stats(): PoolStats {
    return readProcessStats(this.#jobs, this.#processes);
  }

  /** How long jobs waited and ran, with percentiles, and a `reset`. Every job counts when its outcome is here. */
  get histograms(): JobHistograms {
    return this.#processes.times.histograms;
  }

  /**
   * Ends the pool: by default after all submitted jobs have settled. Takes no more jobs from here on. At the deadline what still runs is killed.
   * Every call returns the same task, and a later call can only hurry it.
   *
   * @returns resolves when every job has settled and every process has ended.
   * @throws TypeError or RangeError for a bad option, naming it.
   */
  override close(options?: CloseOptions): Task<void> {
    const { drain, timeoutMs } = resolveCloseOptions(options);
    const settled = this.#jobs.close(drain, timeoutMs);
    // After that of the jobs, which have settled by then.
    if (timeoutMs !== undefined) AsyncScope.root.run(setTimeout, this.#killAll, timeoutMs).unref();
    if (this.#closed === null) {
      this.#closed = new TaskCompletionSource<void>();
      this.#keepAlive();
      this.#processes.watch.close(new PoolClosedError());
      this.#processes.supply.starts.close(new PoolClosedError());
      void AsyncScope.root.run(() => this.#end(settled));
    }
    announceClosing(this);
    return this.#closed.task;
  }

  async #end(settled: Task<void>): Promise<void> {
    await settled;
    this.#isEnding = true;
    this.#processes.close();
    this.#endWhenEmpty();
  }

  readonly #killAll = (): void => {
    for (const process of this.#processes.supply.all) process.kill();
  };

  #endWhenEmpty(): void {
    if (!this.#isEnding || this.#processes.supply.all.size > 0) return;
    clearInterval(this.#alive);
    this.#closed!.trySetResult();
  }

  /** Jobs, `ready` and `close` keep the program alive. */
  #keepAlive(): void {
    const { outstanding, supply } = this.#processes;
    const isAlive = outstanding > 0 || this.#closed !== null || supply.starts.isAwaited;
    if (isAlive === this.#isAlive) return;
    this.#isAlive = isAlive;
    if (isAlive) this.#alive.ref();
    else this.#alive.unref();
  }

  #publish(
    event: "threadStart" | "threadExit",
    { pid }: PoolProcess,
    details: Omit<ThreadMessage, "pool" | "poolId" | "threadId">,
  ): void {
    const target = channels[event];
    if (!target.hasSubscribers) return;
    target.publish({
      pool: this.#settings.name,
      poolId: this.id,
      threadId: pid,
      ...details,
    } satisfies ThreadMessage);
  }
}
