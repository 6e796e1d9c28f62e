import { argumentTypeError } from "@skein/context/errors";
import { checkArguments } from "./option-values.ts";
import { withJob } from "../codec/job-of-error.ts";
import { JobError, PoolClosedError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { labelOf } from "../jobs/function-name.ts";
import { refusalWhileLoading } from "../jobs/module-loading.ts";
import { letGo } from "../submit/argument-pumps.ts";
import { CallbackJob, type JobReceiver } from "../submit/callback-job.ts";
import { cancellationError } from "../submit/cancel-signal.ts";
import type { FunctionEntry } from "../submit/function-registry.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import { jobEntry } from "./job-entry.ts";
import type { Job } from "./job-module.ts";
import { resolveModuleOptions, resolveRunOptions, type RunOptions } from "./run-options.ts";
import { hostOf, type ThreadPool } from "./thread-pool.ts";

/** A job that was sent. */
export interface SentJob {
  /**
   * Takes the job back. One that waits never runs; one that runs is asked to stop, or ended with its thread if its `onCancel` says so. Its
   * receiver hears of a JobCanceledError, as a rule before this returns. Nothing happens when its outcome is known already.
   */
  cancel(reason?: unknown): void;
}

/**
 * Sends jobs of one function to a ThreadPool, for engines and adapters that keep an object of their own for each call. A job costs the caller
 * less than one of `run`: options are checked once, the outcome is called back instead of settling a Task, and it is cancelled without a
 * signal. `continuations` has no effect, and a job that is a generator fails.
 *
 * @example
 * const sender = new JobSender(pool, jobs.area);
 * const area = await new Promise((completed, failed) => sender.send([polygon], { completed, failed }));
 */
export class JobSender<A extends unknown[] = unknown[]> {
  readonly #host: Host;
  readonly #fn: FunctionEntry;
  readonly #options: SubmitOptions;

  /**
   * @param options Of every job that `send` does not replace; everything but `transfer`.
   * @throws TypeError or RangeError for a bad argument or option, naming it.
   */
  constructor(pool: ThreadPool, job: Job<A, unknown> | ((...args: A) => unknown), options?: RunOptions) {
    const host = hostOf(pool);
    if (host === null) throw argumentTypeError("pool", "a ThreadPool", pool);
    const { fn, defaults } = jobEntry(job, host.functions, () => undefined);
    this.#host = host;
    this.#fn = fn;
    this.#options = withoutStreams(resolveModuleOptions(options, undefined, defaults));
  }

  /**
   * Sends one job, in the context of this call. The arguments are copied before it returns.
   *
   * @param options Of this job alone. They are checked each time: a sender of its own for each set of options costs less.
   * @param below The frames of this function and those above it are left out of the stacks of errors. Null: none of the caller's
   * are taken, which costs less. @default `send`
   * @throws what `run` throws or would reject with at once: TypeError, RangeError, NotCloneableError, QueueFullError, PoolClosedError,
   * ThreadGoneError, the reason of a signal that has fired. Nothing was sent then, and `receiver` hears nothing.
   */
  send(
    args: A,
    receiver: JobReceiver,
    options?: RunOptions,
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    below: ((...args: never[]) => unknown) | null = this.send,
  ): SentJob {
    checkArguments(args);
    if (!isReceiver(receiver))
      throw argumentTypeError("receiver", "an object with the methods `completed` and `failed`", receiver);
    const resolved =
      options === undefined ? this.#options : withoutStreams(resolveRunOptions(options, this.#options));
    const host = this.#host;
    const { source } = this.#fn;
    const { signal } = resolved;
    const refusal =
      (host.isClosing ? new PoolClosedError() : refusalWhileLoading(source)) ??
      (signal !== undefined && signal.aborted ? cancellationError(signal, source) : null);
    if (refusal !== null) {
      letGo(args);
      throw refusal;
    }
    const job = new CallbackJob(this.#fn, resolved, receiver, host.cancel);
    try {
      host.send(job, args, below);
    } catch (error) {
      letGo(args);
      throw error instanceof JobError ? withJob(error, labelOf(source)) : error;
    }
    return job;
  }
}

function withoutStreams(options: SubmitOptions): SubmitOptions {
  return options.highWaterMark === 0 ? options : { ...options, highWaterMark: 0 };
}

function isReceiver(receiver: unknown): receiver is JobReceiver {
  if (typeof receiver !== "object" || receiver === null) return false;
  const { completed, failed } = receiver as Partial<JobReceiver>;
  return typeof completed === "function" && typeof failed === "function";
}
