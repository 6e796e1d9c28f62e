/**
 * A worker process: one loop of BullMQ for each module, one pool, and the list of jobs that run.
 *
 * Slots      a loop has `concurrency` jobs at once, one more for each job of this process that waits for jobs of the cluster, since these have to
 *            run somewhere, and perhaps there is no other process; and some that are ahead of their turn (look-ahead.ts)
 */
import { URL } from "node:url";
import { AsyncScope } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import { showJobsAs, suppressTracing } from "@skein/pool/engine";
import { type IQueueBackend, type JobProgress, QueueEvents, type QueueEventsListener, Worker } from "bullmq";
import { availableParallelism } from "node:os";
import { backoffStrategy } from "./backoff.ts";
import { LookAhead } from "./look-ahead.ts";
import { Promise } from "./native-promise.ts";
import type { ResolvedServeOptions } from "./serve-options.ts";
import { Solitude } from "./solitude.ts";
import type { StoreConnection } from "./store.ts";
import { ThreadCalls } from "./thread-calls.ts";
import type * as Thread from "./thread.ts";
import { clearTimeout, setTimeout } from "./timers.ts";
import { controlName, queueName, type WireOutcome } from "./wire.ts";
import { type JobSurroundings, type StoredJob, WireJob } from "./wire-job.ts";

/** How many cancellations are remembered of jobs that this worker has not, or not yet. */
const REMEMBERED = 1000;
/** How often lost jobs are looked for, at least. With the lock of 5 s they run again within 8 s. */
const SCAN_MS = 2000;
/** Postgres has it in 32 bits. */
const MAX_INT32 = 2 ** 31 - 1;
/** Of a pool of its own: jobs that wait for the cluster share threads with those that they wait for. */
const JOBS_PER_THREAD = 1000;

const threadUrl = new URL(`./thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
// What it runs is traced: the job of the cluster.
suppressTracing(threadUrl);
showJobsAs(threadUrl, { url: threadUrl.href, name: "cluster job" });

type Loop = Worker<unknown, WireOutcome, string, IQueueBackend, JobProgress, never>;

/** What takes the jobs of one module. */
interface Intake {
  readonly loop: Loop;
  readonly lookAhead: LookAhead;
}

interface ControlListener extends QueueEventsListener {
  cancel: (event: { readonly id: string }) => void;
}

export class Server {
  readonly started: Promise<void>;
  lastError: Error | null = null;
  readonly #options: ResolvedServeOptions;
  readonly #pool: ThreadPool;
  readonly #calls: ThreadCalls;
  readonly #concurrency: number;
  readonly #connections: StoreConnection[] = [];
  readonly #intakes: Intake[];
  readonly #control: QueueEvents<unknown, IQueueBackend, never>;
  readonly #running = new Map<string, WireJob>();
  readonly #waiting = new Set<WireJob>();
  /** Jobs that are to stop, and are not here: what is said may come before the job. */
  readonly #early = new Set<string>();
  readonly #solitude = new Solitude({
    close: () => {
      for (const loop of this.#loops) loop.pause(true).catch(this.#options.onError);
    },
    open: () => this.#resume(),
  });
  #closing: Promise<void> | null = null;
  #isDisconnected = false;

  constructor(options: ResolvedServeOptions) {
    this.#options = options;
    this.#pool = options.pool ?? new ThreadPool({ name: "cluster", jobsPerThread: JOBS_PER_THREAD });
    const thread = this.#pool.module<typeof Thread>(threadUrl, { flowContext: false });
    this.#calls = new ThreadCalls(this.#pool, thread);
    this.#concurrency = options.concurrency ?? availableParallelism();
    // Whatever serves outlives whoever called.
    const root = AsyncScope.root;
    this.#control = root.run(() => this.#listen());
    this.#intakes = Array.from(options.modules, ([name, url]) => root.run(() => this.#serve(name, url)));
    this.started = this.#start();
  }

  get #loops(): Loop[] {
    return this.#intakes.map(({ loop }) => loop);
  }

  #connect(): StoreConnection {
    const connection = this.#options.store.connect((error) => {
      this.lastError = error;
    });
    this.#connections.push(connection);
    return connection;
  }

  #listen(): QueueEvents<unknown, IQueueBackend, never> {
    const { name, store, onError } = this.#options;
    const control = new QueueEvents<unknown, IQueueBackend, never>(
      controlName(name),
      { connection: this.#connect().client, autorun: false },
      store.backend,
    );
    control.on("error", onError);
    control.on<ControlListener, "cancel">("cancel", ({ id }) => this.#cancel(id));
    return control;
  }

  #serve(module: string, url: string): Intake {
    const { name, store, lockMs, maxPayloadBytes, skewMs, onError } = this.#options;
    const lookAhead = new LookAhead({
      concurrency: this.#concurrency,
      waiting: () => this.#waiting.size,
      maxThreads: () => this.#pool.maxThreads,
      unlike: () => {
        for (const each of this.#intakes) each.lookAhead.reset();
      },
      hasLong: () => this.#intakes.some((each) => each.lookAhead.hasLong),
      changed: () => this.#resize(intake),
    });
    const around: JobSurroundings = {
      url,
      maxPayloadBytes,
      skewMs,
      solitude: this.#solitude,
      lookAhead,
      calls: this.#calls,
      onError,
      isDisconnected: () => this.#isDisconnected,
      waits: (job, isWaiting) => this.#setWaiting(job, isWaiting),
    };
    const loop: Loop = new Worker<unknown, WireOutcome, string, IQueueBackend, JobProgress, never>(
      queueName(name, module),
      (job: StoredJob) => this.#process(job, around),
      {
        connection: this.#connect().client,
        autorun: false,
        concurrency: this.#concurrency,
        lockDuration: lockMs,
        stalledInterval: Math.min(SCAN_MS, lockMs),
        // Lost workers are counted by WireJob, job by job.
        maxStalledCount: MAX_INT32,
        runRetryDelay: 500,
        settings: { backoffStrategy },
      },
      store.backend,
    );
    loop.on("error", onError);
    loop.on("drained", () => lookAhead.drained());
    const intake: Intake = { loop, lookAhead };
    return intake;
  }

  #resize({ loop, lookAhead }: Intake): void {
    loop.concurrency = this.#concurrency + this.#waiting.size + lookAhead.ahead;
  }

  async #start(): Promise<void> {
    await this.#control.waitUntilReady();
    await Promise.all(this.#loops.map((loop) => loop.waitUntilReady()));
    if (this.#closing !== null) return;
    AsyncScope.root.run(() => {
      for (const loop of [this.#control, ...this.#loops]) loop.run().catch(this.#options.onError);
    });
  }

  #cancel(id: string): void {
    const job = this.#running.get(id);
    if (job !== undefined) {
      job.stop();
      return;
    }
    this.#early.add(id);
    const [oldest] = this.#early;
    if (this.#early.size > REMEMBERED) this.#early.delete(oldest!);
  }

  async #process(stored: StoredJob, around: JobSurroundings): Promise<WireOutcome> {
    const id = stored.id!;
    if (this.#early.delete(id)) return { kind: "withdrawn" };
    const job = new WireJob(stored, around);
    this.#running.set(id, job);
    try {
      return await job.run();
    } finally {
      // A job that passed for lost may be here a second time.
      if (this.#running.get(id) === job) this.#running.delete(id);
    }
  }

  #setWaiting(job: WireJob, isWaiting: boolean): void {
    if (isWaiting) this.#waiting.add(job);
    else this.#waiting.delete(job);
    for (const intake of this.#intakes) this.#resize(intake);
    if (!isWaiting || !this.#solitude.isOpen) return;
    // A loop that has all its jobs waits for one to end, and looks at its concurrency afterwards: this makes it look.
    for (const loop of this.#loops) loop.pause(true).catch(this.#options.onError);
    this.#resume();
  }

  #resume(): void {
    if (this.#closing !== null) return;
    AsyncScope.root.run(() => {
      for (const loop of this.#loops) void loop.resume();
    });
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
    const isConnected = this.#connections.every(({ isReady }) => isReady);
    const closed = isConnected ? Promise.all(this.#loops.map((loop) => loop.close())) : null;
    const isLate = closed === null || (await Promise.race([closed, deadline])) === "late";
    clearTimeout(timer);
    if (isLate) for (const loop of this.#loops) loop.close(true).catch(() => {});
    this.#control.close().catch(() => {});
    // First: that its pool is closed is no outcome of a job that still runs.
    this.#isDisconnected = true;
    for (const connection of this.#connections) connection.disconnect();
    if (pool === undefined) await this.#pool.close(isLate ? { drain: false, timeoutMs: 1 } : {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
