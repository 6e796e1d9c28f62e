import { type CloseOptions, NotCloneableError, PoolClosedError } from "@skein/pool";
import {
  announceClosing,
  BaseEngine,
  type EngineCapabilities,
  EngineJobs,
  everyCapability,
  type Job,
  type JobFunction,
  JobFunctions,
  type JobModule,
  resolveCloseOptions,
  type UntypedModule,
} from "@skein/pool/engine";
import { Task, TaskCompletionSource } from "@skein/scheduling";
import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import { channel } from "node:diagnostics_channel";
import { type ClusterOptions, resolveClusterOptions } from "./cluster-options.ts";
import { type EncodedChild, encodeChildren, type FlowChild } from "./flow.ts";
import { RemoteJobs } from "./remote-jobs.ts";
import {
  checkKey,
  type ClusterRunOptions,
  defaultDelivery,
  type Delivery,
  runOptions,
} from "./run-options.ts";
import type { Submission } from "./submission.ts";
import { SUBMITTED, type Submitted } from "./thread-call.ts";

/** Code never comes from the network; nobody here has the worker's memory and threads. */
const capabilities: EngineCapabilities = Object.freeze({
  ...everyCapability,
  sharedMemory: false,
  inlineFunctions: false,
  terminate: false,
  exclusive: false,
  transfer: false,
  placement: false,
  broadcast: false,
  streams: false,
  streamArguments: false,
  timeline: false,
});

/** `map` has four times as many jobs under way by default. Nobody here knows how many threads there are. */
const MAP_THREADS = 16;

const submitted = channel(SUBMITTED);

/** A continuation that is not for faults leaves them unobserved, and is cancelled then. */
function overOf(task: Task<unknown>): Task<void> {
  return task.continueWith(() => {}, { on: "success" });
}

/** Those that concern the wait for a job alone. */
export type AttachOptions = Pick<ClusterRunOptions, "signal" | "timeoutMs" | "continuations" | "onProgress">;

const attachNames: OptionNames<AttachOptions> = {
  signal: true,
  timeoutMs: true,
  continuations: true,
  onProgress: true,
};

/**
 * Runs jobs on other machines: they wait in a Redis, Valkey or Postgres server, in queues of BullMQ, until a worker takes them (`serveJobs`). The caller's
 * context as far as its reach is "wire", policies, progress, deadlines and errors are as on a ThreadPool.
 *
 * A job names a module that workers have on their own list; it waits until one comes that serves it. A job that waits is removed when it is
 * cancelled; one that runs is asked to stop. Its connections keep the process alive until `close`.
 *
 * Delivery is at least once: a job whose worker was lost (its process died, or could not reach the server) runs again, as its `retries` say,
 * and may have run to its end before. What must not run twice has `retries: 0`; then it rejects with WorkerLostError. With a `key` a caller that
 * was started anew finds its job again.
 *
 * @example
 * const cluster = new Cluster({ connection: "redis://localhost:6379" });
 * const geo = cluster.module<typeof import("./geo.jobs.ts")>(new URL("./geo.jobs.ts", import.meta.url));
 * const area = await geo.area(polygon);
 * @see https://docs.bullmq.io
 */
export class Cluster extends BaseEngine<JobFunction, ClusterRunOptions> {
  readonly #jobs: EngineJobs;
  readonly #remote: RemoteJobs;
  #closed: TaskCompletionSource<void> | null = null;

  /** Connects when the first job is submitted. @throws TypeError or RangeError for a bad option, naming it. */
  constructor(options?: ClusterOptions) {
    const remote = new RemoteJobs(resolveClusterOptions(options));
    const jobs = new EngineJobs(remote);
    super({
      name: "Cluster",
      capabilities,
      functions: new JobFunctions(),
      maxThreads: () => MAP_THREADS,
      refusal: () => (jobs.isClosed ? new PoolClosedError() : null),
      exportOf: () => undefined,
      runOptions,
      submit(...job) {
        const task = jobs.submit(...job);
        // A worker's job that waits for this one gives up its slot.
        if (submitted.hasSubscribers) submitted.publish({ over: overOf(task) } satisfies Submitted);
        return task;
      },
    });
    this.#jobs = jobs;
    this.#remote = remote;
  }

  override module<M = UntypedModule>(url: URL | string, defaults?: ClusterRunOptions): JobModule<M> {
    if (defaults?.key !== undefined)
      throw argumentTypeError("key", "given with a call: it names that call", defaults.key);
    return super.module<M>(url, defaults);
  }

  /**
   * The outcome of a job that was submitted with this key, by whoever; it may be long over. Rejects with KeyNotFoundError if there is none, or
   * none any more. Its progress is heard from now on.
   *
   * @throws TypeError or RangeError for a bad argument or option, naming it.
   * @example
   * await cluster.run(geo.area, [polygon], { key: order.id }); // and after a restart:
   * await cluster.attach(geo.area, order.id);
   */
  attach<A extends unknown[], R>(job: Job<A, R>, key: string, options?: AttachOptions): Task<Awaited<R>> {
    const own = { key: checkKey(key), isAttached: true };
    const submission = (delivery: unknown): Submission => ({ ...(delivery as Delivery), ...own });
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    const below = this.attach;
    return this.submitJob(job, [], ownOptions(options, attachNames), below, submission) as Task<Awaited<R>>;
  }

  /**
   * Runs `children` first, on whatever workers, and then the job, whose last argument is the list of their results, in their order. What waits is in
   * the store: no worker is kept meanwhile. When a child fails, the job does not run, and the task rejects with the child's own error, the
   * first in their order; the other children still run. The options hold for each job, and where they say nothing those of its own module; all see the
   * same context.
   *
   * @throws TypeError or RangeError for a bad argument or option, naming it.
   * @example
   * const children = pages.map((page) => ({ job: jobs.render, args: [page] }));
   * const book = await cluster.flow(jobs.bind, ["My book"], children); // runs bind("My book", [page, page, …])
   * @see https://docs.bullmq.io/guide/flows
   */
  flow<A extends unknown[], C, R>(
    job: Job<[...A, C[]], R>,
    args: A,
    children: readonly FlowChild<C>[],
    options?: ClusterRunOptions,
  ): Task<Awaited<R>> {
    if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
    // Read once, for all its jobs.
    const its = typeof options === "object" && options !== null ? { ...options } : options;
    if (its?.key !== undefined) throw argumentTypeError("key", "left out: a flow has none", its.key);
    let encoded: readonly EncodedChild[];
    try {
      encoded = encodeChildren(children, (child) => {
        const entry = this.entryOf(child);
        return { source: entry.fn.source, options: this.optionsOf(entry, its) };
      });
    } catch (error) {
      if (error instanceof NotCloneableError) return Task.fromError(error);
      throw error;
    }
    const submission = (delivery: unknown): Submission => ({
      ...((delivery as Delivery | undefined) ?? defaultDelivery),
      children: encoded,
    });
    // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
    return this.submitJob(job, args, its, this.flow, submission) as Task<Awaited<R>>;
  }

  /**
   * Ends as `JobEngine.close` says, then disconnects. At the deadline jobs that wait are removed from the store, and those that run are asked to
   * stop, and left behind.
   *
   * @throws TypeError or RangeError for a bad option, naming it.
   */
  override close(options?: CloseOptions): Task<void> {
    const { drain, timeoutMs } = resolveCloseOptions(options);
    const ended = this.#jobs.close(drain, timeoutMs);
    if (this.#closed === null) {
      this.#closed = new TaskCompletionSource<void>();
      void this.#disconnect(ended, this.#closed);
    }
    announceClosing(this);
    return this.#closed.task;
  }

  async #disconnect(ended: Task<void>, closed: TaskCompletionSource<void>): Promise<void> {
    await ended;
    await this.#remote.close();
    closed.trySetResult();
  }
}
