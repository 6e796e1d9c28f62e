/** The worker's side: takes jobs of its modules out of the store and runs them on a pool. */
import { AsyncScope } from "@skein/context";
import { ThreadCrashedError, ThreadPool } from "@skein/pool";
import { CallState, type JobModule, toWire } from "@skein/pool/engine";
import { type Job as StoredJob, QueueEvents, type QueueEventsListener, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { availableParallelism } from "node:os";
import { encodeText } from "./codec/text.ts";
import { connect, within } from "./connection.ts";
import { controlName, queueName, readRequest, type WireOutcome, type WireRequest } from "./wire.ts";
import { type ResolvedServeOptions, resolveServeOptions, type ServeOptions } from "./serve-options.ts";
import type * as Thread from "./thread.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

/** How many cancellations are remembered of jobs that this worker has not, or not yet. */
const REMEMBERED = 1000;
/** How often lost jobs are looked for, at least. With the lock of 5 s they run again within 8 s. */
const SCAN_MS = 2000;

const threadUrl = new URL(`./thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

interface ControlListener extends QueueEventsListener {
  cancel: (event: { readonly id: string }) => void;
}

/** What `serveJobs` gives. */
export interface JobServer extends AsyncDisposable {
  /**
   * Takes no more jobs, and waits for those that run, for up to `closeTimeoutMs`; what still runs then is left to other workers, if it has
   * `retries`. Every call returns the same promise.
   */
  close(): Promise<void>;
}

/**
 * Runs jobs of a cluster in this process, until it is closed. Jobs run on a ThreadPool, so that one that computes for long neither holds up the
 * others nor passes for lost.
 *
 * @returns when it takes jobs.
 * @throws TypeError or RangeError for a bad option, naming it. Rejects with ClusterUnavailableError when the server does not answer within
 * `connectTimeoutMs`.
 * @example
 * const server = await serveJobs({ modules: { geo: new URL("./geo.jobs.ts", import.meta.url) }, connection: "redis://localhost:6379" });
 * process.once("SIGTERM", () => void server.close());
 */
export async function serveJobs(options: ServeOptions): Promise<JobServer> {
  const resolved = resolveServeOptions(options);
  const server = new Server(resolved);
  try {
    await within(server.started, resolved.connectTimeoutMs, () => server.lastError);
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

class Server implements JobServer {
  readonly started: Promise<void>;
  lastError: Error | null = null;
  readonly #options: ResolvedServeOptions;
  readonly #pool: ThreadPool;
  readonly #thread: JobModule<typeof Thread>;
  readonly #connections: Redis[] = [];
  readonly #workers: Worker<unknown, WireOutcome>[];
  readonly #control: QueueEvents;
  readonly #running = new Map<string, CallState>();
  /** Jobs that are to stop, and are not here: what is said may come before the job. */
  readonly #early = new Set<string>();
  #closing: Promise<void> | null = null;

  constructor(options: ResolvedServeOptions) {
    this.#options = options;
    this.#pool = options.pool ?? new ThreadPool({ name: "cluster" });
    this.#thread = this.#pool.module<typeof Thread>(threadUrl, { flowContext: false });
    const concurrency = options.concurrency ?? availableParallelism();
    // Whatever serves outlives whoever called.
    const root = AsyncScope.root;
    this.#control = root.run(() => this.#listen());
    this.#workers = Array.from(options.modules, ([name, url]) =>
      root.run(() => this.#serve(name, url, concurrency)),
    );
    this.started = this.#start();
  }

  #connect(): Redis {
    const redis = connect(this.#options.connection, (error) => {
      this.lastError = error;
    });
    this.#connections.push(redis);
    return redis;
  }

  #listen(): QueueEvents {
    const control = new QueueEvents(controlName(this.#options.name), {
      connection: this.#connect(),
      autorun: false,
    });
    control.on("error", this.#options.onError);
    control.on<ControlListener, "cancel">("cancel", ({ id }) => this.#cancel(id));
    return control;
  }

  #serve(name: string, url: string, concurrency: number): Worker<unknown, WireOutcome> {
    const { lockMs, onError } = this.#options;
    const worker = new Worker<unknown, WireOutcome>(
      queueName(this.#options.name, name),
      (job) => this.#process(job, url),
      {
        connection: this.#connect(),
        autorun: false,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: Math.min(SCAN_MS, lockMs),
        // Lost workers are counted below, job by job.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        runRetryDelay: 500,
      },
    );
    worker.on("error", onError);
    return worker;
  }

  async #start(): Promise<void> {
    await this.#control.waitUntilReady();
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
    if (this.#closing !== null) return;
    AsyncScope.root.run(() => {
      for (const loop of [this.#control, ...this.#workers]) loop.run().catch(this.#options.onError);
    });
  }

  #cancel(id: string): void {
    const state = this.#running.get(id);
    if (state !== undefined) {
      state.giveUp();
      return;
    }
    this.#early.add(id);
    const [oldest] = this.#early;
    if (this.#early.size > REMEMBERED) this.#early.delete(oldest!);
  }

  async #process(job: StoredJob<unknown, WireOutcome>, url: string): Promise<WireOutcome> {
    const { maxPayloadBytes } = this.#options;
    let request: WireRequest;
    try {
      request = readRequest(job.data, maxPayloadBytes);
    } catch (error) {
      return errorOutcome(error);
    }
    if (job.stalledCounter > request.retries) return { kind: "lost", starts: job.stalledCounter };
    const id = job.id!;
    if (this.#early.delete(id)) return { kind: "withdrawn" };
    const state = new CallState();
    this.#running.set(id, state);
    let reported: Promise<unknown> = Promise.resolve();
    const onProgress = (text: unknown): void => {
      reported = reported.then(() => job.updateProgress({ text })).catch(this.#options.onError);
    };
    let outcome: WireOutcome;
    try {
      const { runWireJob } = this.#thread;
      outcome = await this.#pool.run(runWireJob, [url, request, state.words, maxPayloadBytes], {
        onProgress,
      });
    } catch (error) {
      outcome =
        error instanceof ThreadCrashedError
          ? { kind: "crashed", exitCode: error.exitCode ?? null }
          : errorOutcome(error);
    } finally {
      // A job that passed for lost may be here a second time.
      if (this.#running.get(id) === state) this.#running.delete(id);
    }
    await reported;
    return outcome;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { closeTimeoutMs, pool } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, closeTimeoutMs, "late");
    });
    const isConnected = this.#connections.every(({ status }) => status === "ready");
    const closed = isConnected ? Promise.all(this.#workers.map((worker) => worker.close())) : null;
    const isLate = closed === null || (await Promise.race([closed, deadline])) === "late";
    clearTimeout(timer);
    if (isLate) for (const worker of this.#workers) worker.close(true).catch(() => {});
    this.#control.close().catch(() => {});
    // First: that its pool is closed is no outcome of a job that still runs.
    for (const redis of this.#connections) redis.disconnect();
    if (pool === undefined) await this.#pool.close(isLate ? { drain: false, timeoutMs: 1 } : {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function errorOutcome(error: unknown): WireOutcome {
  return { kind: "error", text: encodeText(toWire(error), "error") };
}
