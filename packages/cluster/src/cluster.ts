import { type CloseOptions, PoolClosedError } from "@skein/pool";
import {
  BaseEngine,
  type EngineCapabilities,
  EngineJobs,
  everyCapability,
  JobFunctions,
  resolveCloseOptions,
} from "@skein/pool/engine";
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import { type ClusterOptions, resolveClusterOptions } from "./cluster-options.ts";
import { RemoteJobs } from "./remote-jobs.ts";

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
});

/** `map` has four times as many jobs under way by default. Nobody here knows how many threads there are. */
const MAP_THREADS = 16;

/**
 * Runs jobs on other machines: they wait in a Redis or Valkey server, in queues of BullMQ, until a worker takes them (`serveJobs`). The caller's
 * context as far as its reach is "wire", policies, progress, deadlines and errors are as on a ThreadPool.
 *
 * A job names a module that workers have on their own list; it waits until one comes that serves it. A job that waits is removed when it is
 * cancelled; one that runs is asked to stop. Its connections keep the process alive until `close`.
 *
 * A job whose worker was lost (its process died, or could not reach the server) rejects with WorkerLostError, or runs again if it has
 * `retries`: it may have run to its end. What can run twice must be able to.
 *
 * @example
 * const cluster = new Cluster({ connection: "redis://localhost:6379" });
 * const geo = cluster.module<typeof import("./geo.jobs.ts")>(new URL("./geo.jobs.ts", import.meta.url));
 * const area = await geo.area(polygon);
 * @see https://docs.bullmq.io
 */
export class Cluster extends BaseEngine {
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
      submit: (...job) => jobs.submit(...job),
    });
    this.#jobs = jobs;
    this.#remote = remote;
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
    return this.#closed.task;
  }

  async #disconnect(ended: Task<void>, closed: TaskCompletionSource<void>): Promise<void> {
    await ended;
    await this.#remote.close();
    closed.trySetResult();
  }
}
