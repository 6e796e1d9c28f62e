/** Jobs on the calling thread. */
import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import type { Task } from "@skein/scheduling";
import { TaskScheduler } from "@skein/scheduling/internal";
import { EngineJobs } from "../adapter/engine-jobs.ts";
import { PoolClosedError } from "../errors.ts";
import { BaseEngine } from "./base-engine.ts";
import type { EngineCapabilities } from "./capabilities.ts";
import { type CloseOptions, resolveCloseOptions } from "./close-options.ts";
import { announceClosing } from "./closing.ts";
import { InlineQueue } from "./inline-queue.ts";
import type { Job, OnlyStreamed, Streamed, StreamJob, StreamOf } from "./job-module.ts";
import { JobFunctions } from "./job-functions.ts";
import { integer } from "./option-values.ts";

export interface InlineEngineOptions {
  /**
   * Begins the jobs: each is an item of its own. With a ManualScheduler nothing begins before the test says so. What a job does after its
   * first await is not the scheduler's. @default TaskScheduler.default
   */
  readonly scheduler?: TaskScheduler | undefined;
  /**
   * How many jobs may be under way at once; the others wait. A job that a job of the thread submits is not counted, so a job may wait for it.
   * 1 to 65 536. @default 1
   */
  readonly jobsPerThread?: number | undefined;
}

const names: OptionNames<InlineEngineOptions> = { scheduler: true, jobsPerThread: true };

/** Its thread is not its own: nothing of the program can be kept off it, nor can it be ended. */
const capabilities: EngineCapabilities = Object.freeze({
  parallel: false,
  sharedMemory: true,
  inlineFunctions: true,
  priorities: true,
  terminate: false,
  exclusive: false,
  retries: true,
  progress: true,
  runTimeouts: true,
  transfer: true,
  placement: false,
  broadcast: true,
  forkJoin: true,
  streams: true,
  streamArguments: true,
  timeline: false,
});

/**
 * Runs jobs on the thread that calls, for tests and debugging: a breakpoint in a job stops, and a stack trace is whole. All else is as with
 * threads: arguments, results, errors and progress are copied, or moved; a job sees only the context that flows, and leaves none behind; it
 * begins after `run` has returned; inline functions capture nothing. A job that computes holds up the caller, and a deadline or
 * signal that depends on the event loop with it.
 *
 * Its module is loaded once per thread, shared with whoever imports it. `ThreadPool.current` is null in its jobs, and `fork` calls at once.
 * No thread can die here, so `retries` has nothing to do.
 *
 * @example
 * const scheduler = new ManualScheduler();
 * const engine = new InlineEngine({ scheduler });
 * const area = engine.run((w: number, h: number) => w * h, [2, 3]);
 * scheduler.runUntil(area); // 6
 * await engine.close();
 */
export class InlineEngine extends BaseEngine {
  readonly #jobs: EngineJobs;

  /** @throws TypeError or RangeError for a bad option, naming it. */
  constructor(options?: InlineEngineOptions) {
    const own = ownOptions(options, names);
    const { scheduler = TaskScheduler.default } = own;
    if (!TaskScheduler.isTaskScheduler(scheduler))
      throw argumentTypeError("scheduler", "a TaskScheduler", scheduler);
    const jobs = new EngineJobs(
      new InlineQueue(scheduler, integer("jobsPerThread", own.jobsPerThread, 1, 65_536) ?? 1),
    );
    super({
      name: "InlineEngine",
      capabilities,
      functions: new JobFunctions(),
      maxThreads: () => 1,
      refusal: () => (jobs.isClosed ? new PoolClosedError() : null),
      exportOf: () => undefined,
      submit: (...job) => jobs.submit(...job),
    });
    this.#jobs = jobs;
  }

  /**
   * Runs the job once: there is one thread.
   *
   * @returns its result alone in an array.
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
    return this.run(job as () => unknown, args as []).then((result) => [result]);
  }

  /**
   * Takes no more jobs, and resolves when all have settled and none runs. `drain: false` rejects those that have not begun and asks the
   * others to stop. At the deadline what still runs rejects with PoolClosedError; it cannot be ended, and goes on.
   *
   * @throws TypeError or RangeError for a bad option, naming it.
   */
  override close(options?: CloseOptions): Task<void> {
    const { drain, timeoutMs } = resolveCloseOptions(options);
    const closing = this.#jobs.close(drain, timeoutMs);
    announceClosing(this);
    return closing;
  }
}
