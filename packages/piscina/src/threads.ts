/**
 * The threads of a Piscina, as its program sees them: the pool that owns them, their `Worker` objects, what they post. After `destroy` the
 * next task makes another pool.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { isAbsolute } from "node:path";
import type { Transferable as NodeTransferable, Worker } from "node:worker_threads";
import {
  type Job,
  PoolClosedError,
  type RunOptions,
  ThreadCrashedError,
  type ThreadMessage,
  ThreadPool,
  type ThreadPoolOptions,
} from "@skein/pool";
import { watchWorkers, workerOf } from "./made-workers.ts";
import { bare, type FilledOptions } from "./options.ts";
import { STRAY } from "./stray-message.ts";
import type { TaskInfo } from "./task-info.ts";

export interface ThreadEvents {
  /** There are more threads, or fewer. */
  changed(count: number): void;
  created(id: number): void;
  destroyed(id: number): void;
  message(value: unknown): void;
  /** An error that came when its task had returned. */
  error(error: unknown): void;
}

interface RunnerModule {
  runTask(filename: string, name: string, task: unknown): unknown;
}

type Runner = Job<[filename: string, name: string, task: unknown], unknown>;

/** Of the pool. */
const MAX_DELAY_MS = 2 ** 31 - 1;
const MAX_JOBS = 65_536;
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

export class Threads {
  readonly maxThreads: number;
  readonly #options: FilledOptions;
  readonly #events: ThreadEvents;
  readonly #runnerUrl: URL;
  #open: OpenPool | null = null;

  constructor(options: FilledOptions, events: ThreadEvents) {
    this.maxThreads = Math.ceil(options.maxThreads);
    this.#options = options;
    this.#events = events;
    this.#runnerUrl = new URL(`./task-runner.${extension}`, import.meta.url);
    if (options.niceIncrement !== 0) this.#runnerUrl.searchParams.set("nice", String(options.niceIncrement));
    if (options.minThreads > 0) this.start(Math.ceil(options.minThreads));
  }

  get workers(): Worker[] {
    return [...(this.#open?.workers.values() ?? [])];
  }

  /** Until there are this many. */
  start(count: number): void {
    const { filename } = this.#options;
    const modules = filename !== null && isAbsolute(filename) ? [filename] : [];
    const open = this.#opened();
    open.pool.start(Math.min(count, this.maxThreads), { modules });
    this.#look(open);
  }

  /** One more, if there may be. */
  add(): void {
    const count = this.#open?.workers.size ?? 0;
    if (count < this.maxThreads) this.start(count + 1);
  }

  /** @throws TypeError for a bad transfer list. */
  run(info: TaskInfo): PromiseLike<unknown> {
    const { pool, sharing, alone } = this.#opened();
    const options: RunOptions = {
      ...(info.transfer !== undefined && { transfer: info.transfer as NodeTransferable[] }),
      ...(info.cancel !== null && { signal: info.cancel as unknown as AbortSignal }),
    };
    return pool.run(info.isAbortable ? alone : sharing, [info.filename, info.name, info.task], options);
  }

  /** Ends all threads at once, whatever they do. */
  async end(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    open.stopListening();
    const closed = open.pool.close({ drain: false, timeoutMs: 1 });
    this.#events.changed(0);
    for (const id of open.workers.keys()) this.#events.destroyed(id);
    await closed;
  }

  #opened(): OpenPool {
    return (this.#open ??= this.#openPool());
  }

  #openPool(): OpenPool {
    watchWorkers();
    const o = this.#options;
    const pool = new ThreadPool(
      bare<ThreadPoolOptions>({
        name: "piscina",
        minThreads: Math.max(1, Math.ceil(o.minThreads)),
        maxThreads: this.maxThreads,
        idleTimeoutMs:
          o.idleTimeout === Infinity
            ? Infinity
            : Math.min(Math.max(1, Math.ceil(o.idleTimeout)), MAX_DELAY_MS),
        jobsPerThread: Math.min(Math.floor(o.concurrentTasksPerWorker), MAX_JOBS),
        maxQueueBytes: 2 ** 32,
        initialize: this.#runnerUrl,
        env: o.env,
        workerData: o.workerData,
        argv: o.argv,
        execArgv: o.execArgv,
        resourceLimits: o.resourceLimits,
      }),
    );
    const onStart = (message: unknown): void => {
      const { poolId, threadId } = message as ThreadMessage;
      if (poolId !== pool.id) return;
      open.ready.add(threadId);
      this.#look(open);
      this.#events.created(threadId);
    };
    const open: OpenPool = {
      pool,
      sharing: pool.module<RunnerModule>(this.#runnerUrl).runTask,
      alone: pool.module<RunnerModule>(this.#runnerUrl, {
        onCancel: "terminate",
        graceMs: 0,
      }).runTask,
      workers: new Map(),
      ready: new Set(),
      stopListening: () => unsubscribe("skein:thread:start", onStart),
    };
    subscribe("skein:thread:start", onStart);
    return open;
  }

  /** Threads that the pool has started, also by itself in the place of one that ended. */
  #look(open: OpenPool): void {
    for (const { threadId } of open.pool.threads) {
      const worker = open.workers.has(threadId) ? undefined : workerOf(threadId);
      if (worker !== undefined) this.#adopt(open, worker, threadId);
    }
    if (this.#open === open) this.#events.changed(open.workers.size);
  }

  #adopt(open: OpenPool, worker: Worker, threadId: number): void {
    open.workers.set(threadId, worker);
    worker.on("message", (message: unknown) => {
      if (typeof message === "object" && message !== null && STRAY in message)
        this.#events.error(message[STRAY]);
      else this.#events.message(message);
    });
    worker.once("exit", () => {
      open.workers.delete(threadId);
      if (this.#open !== open) return;
      this.#look(open);
      this.#events.destroyed(threadId);
      const { minThreads } = this.#options;
      // One that could not even start has no successor before there is a task: it would end in the same way.
      const hasStarted = open.ready.delete(threadId);
      if (hasStarted && this.#open === open && open.workers.size < minThreads)
        this.start(Math.ceil(minThreads));
    });
    // A listener for messages keeps the process alive.
    worker.unref();
  }
}

interface OpenPool {
  readonly pool: ThreadPool;
  readonly sharing: Runner;
  /** The same for tasks that can be aborted. */
  readonly alone: Runner;
  readonly workers: Map<number, Worker>;
  /** Ids of those that have started. */
  readonly ready: Set<number>;
  readonly stopListening: () => void;
}

/** What Piscina would reject with. */
export function asPiscinaSays(error: unknown): unknown {
  if (error instanceof PoolClosedError) return terminated();
  if (error instanceof ThreadCrashedError)
    return error.cause ?? new Error(`worker exited with code: ${error.exitCode}`);
  return error;
}

/** Of tasks whose thread is ended. */
export function terminated(): Error {
  return new Error("Terminating worker thread");
}
