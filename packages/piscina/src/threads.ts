/**
 * The threads of a Piscina, as its program sees them: the pool that owns them, their `Worker` objects, what they post. After `destroy` the
 * next task makes another pool.
 *
 * | a thread | means                                                              | moves to                                          |
 * | -------- | ------------------------------------------------------------------ | ------------------------------------------------- |
 * | starting | is on the list                                                     | ready: it says so; the first ones count as ready at once; gone |
 * | ready    | was told by `workerCreate`                                         | gone: it ends, is about to leave, or is ended from here |
 * | gone     | is not on the list, and was told by `workerDestroy`; its tasks end | -                                                 |
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { isAbsolute } from "node:path";
import type { Transferable as NodeTransferable, Worker } from "node:worker_threads";
import {
  type Job,
  PoolClosedError,
  type RunOptions,
  ThreadCrashedError,
  ThreadGoneError,
  type ThreadHandle,
  type ThreadMessage,
  ThreadPool,
  type ThreadPoolOptions,
} from "@skein/pool";
import { watchWorkers, workerOf } from "./made-workers.ts";
import { bare, type FilledOptions } from "./options.ts";
import { STRAY } from "./stray-message.ts";
import type { TaskInfo } from "./task-info.ts";
import { queueMicrotask } from "./timers.ts";
import { type PiscinaWorker, WorkerRecord } from "./worker-record.ts";

export interface ThreadEvents {
  /** There are more threads, or fewer. */
  changed(count: number): void;
  created(worker: PiscinaWorker): void;
  destroyed(worker: PiscinaWorker): void;
  message(value: unknown): void;
  /** An error that came when its task had returned. */
  error(error: unknown): void;
}

interface RunnerModule {
  runTask(filename: string, name: string, task: unknown): unknown;
}

type Runner = Job<[filename: string, name: string, task: unknown], unknown>;

/** Of the pool. */
const MAX_JOBS = 65_536;
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

export class Threads {
  readonly maxThreads: number;
  readonly #options: FilledOptions;
  readonly #events: ThreadEvents;
  readonly #runnerUrl: URL;
  #open: OpenPool | null = null;
  #list: readonly WorkerRecord[] = [];
  /** While the first threads start. */
  #isFirst = true;

  constructor(options: FilledOptions, events: ThreadEvents) {
    this.maxThreads = Math.ceil(options.maxThreads);
    this.#options = options;
    this.#events = events;
    this.#runnerUrl = new URL(`./task-runner.${extension}`, import.meta.url);
    if (options.niceIncrement !== 0) this.#runnerUrl.searchParams.set("nice", String(options.niceIncrement));
    if (options.minThreads > 0) this.start(Math.ceil(options.minThreads));
    this.#isFirst = false;
  }

  get workers(): Worker[] {
    return this.records.map(({ worker }) => worker);
  }

  /** Those on the list. */
  get records(): readonly WorkerRecord[] {
    return this.#list;
  }

  /** Until there are this many. */
  start(count: number): void {
    const { filename } = this.#options;
    const modules = filename !== null && isAbsolute(filename) ? [filename] : [];
    const open = this.#opened();
    open.pool.start(Math.min(count, this.maxThreads), { modules });
    this.#look(open);
  }

  /** One more, if there may be. @returns whether there is. */
  add(): boolean {
    const count = this.#open?.records.size ?? 0;
    if (count >= this.maxThreads) return false;
    this.start(count + 1);
    return true;
  }

  /** One less, of those that have nothing to do. */
  release(): void {
    const open = this.#open;
    if (open === null) return;
    const { pool, records } = open;
    if (records.size > 1) {
      pool.setMaxThreads(records.size - 1);
      pool.setMaxThreads(this.maxThreads);
    } else for (const { id } of records.values()) void open.handles.get(id)!.terminate();
    this.#look(open);
  }

  /** Ends a thread with all that it runs. Another one takes its place, if there are fewer than `minThreads`. */
  destroy({ id }: WorkerRecord): void {
    const open = this.#open;
    if (open === null) return;
    void open.handles.get(id)?.terminate();
    this.#look(open);
    if (open.records.size < this.#options.minThreads) this.start(Math.ceil(this.#options.minThreads));
  }

  /**
   * @param thread The id of the one that alone may run it; null: any.
   * @throws TypeError for a bad transfer list.
   */
  run(info: TaskInfo, thread: number | null = null): PromiseLike<unknown> {
    const { pool, sharing, alone } = this.#opened();
    const options: RunOptions = {
      ...(thread !== null && { thread }),
      ...(info.transfer !== undefined && { transfer: info.transfer as NodeTransferable[] }),
      ...(info.cancel !== null && { signal: info.cancel as unknown as AbortSignal }),
    };
    return pool.run(
      info.isAbortable && info.cancel !== null ? alone : sharing,
      [info.filename, info.name, info.task],
      options,
    );
  }

  /** Ends all threads at once, whatever they do. */
  async end(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    this.#list = [];
    open.stopListening();
    const closed = open.pool.close({ drain: false, timeoutMs: 1 });
    this.#events.changed(0);
    for (const record of open.records.values()) this.#gone(record);
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
        // It is kept on this side, idle-threads.ts: timers of different threads do not agree on which is over first.
        idleTimeoutMs: Infinity,
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
      this.#look(open);
      const record = open.records.get(threadId);
      if (record === undefined) return;
      record.hasStarted = true;
      this.#ready(record);
    };
    const open: OpenPool = {
      pool,
      sharing: pool.module<RunnerModule>(this.#runnerUrl).runTask,
      alone: pool.module<RunnerModule>(this.#runnerUrl, {
        onCancel: "terminate",
        graceMs: 0,
      }).runTask,
      records: new Map(),
      handles: new Map(),
      stopListening: () => unsubscribe("skein:thread:start", onStart),
    };
    subscribe("skein:thread:start", onStart);
    return open;
  }

  /** Threads that the pool has started, also by itself in the place of one that ended; and those that are to leave. */
  #look(open: OpenPool): void {
    let isChanged = false;
    for (const handle of open.pool.threads) {
      const { threadId, isLeaving } = handle;
      const worker = isLeaving || open.records.has(threadId) ? undefined : workerOf(threadId);
      if (worker === undefined) continue;
      this.#adopt(open, worker, handle);
      isChanged = true;
    }
    const gone = [...open.records.values()].filter(({ id }) => open.handles.get(id)!.isLeaving);
    for (const { id } of gone) open.records.delete(id);
    if (this.#open === open && (isChanged || gone.length > 0)) {
      this.#list = [...open.records.values()];
      this.#events.changed(open.records.size);
    }
    for (const record of gone) this.#gone(record);
  }

  #adopt(open: OpenPool, worker: Worker, handle: ThreadHandle): void {
    const { threadId } = handle;
    const record = new WorkerRecord(worker, threadId, this.#options.workerHistogram === true);
    open.records.set(threadId, record);
    open.handles.set(threadId, handle);
    if (this.#isFirst) {
      record.isReady = true;
      // Who made the pool can listen now.
      queueMicrotask(() => {
        this.#events.created(record.view);
        if (this.#open === open) this.#events.changed(open.records.size);
      });
    }
    worker.on("message", (message: unknown) => {
      if (typeof message === "object" && message !== null && STRAY in message)
        this.#events.error(message[STRAY]);
      else this.#events.message(message);
    });
    worker.on("error", (error: Error) => {
      record.failure = error;
    });
    worker.once("exit", (code) => {
      record.failure ??= new Error(`worker exited with code: ${code}`);
      const wasThere = open.records.has(threadId);
      this.#look(open);
      open.handles.delete(threadId);
      if (this.#open !== open || !wasThere) return;
      const { minThreads } = this.#options;
      // One that could not even start has no successor before there is a task: it would end in the same way.
      if (record.hasStarted && open.records.size < minThreads) this.start(Math.ceil(minThreads));
    });
    // A listener for messages keeps the process alive.
    worker.unref();
  }

  #ready(record: WorkerRecord): void {
    if (record.isReady) return;
    record.isReady = true;
    this.#events.created(record.view);
    this.#events.changed(this.#open?.records.size ?? 0);
  }

  #gone(record: WorkerRecord): void {
    if (record.isDestroyed) return;
    record.isDestroyed = true;
    this.#events.destroyed(record.view);
  }
}

interface OpenPool {
  readonly pool: ThreadPool;
  readonly sharing: Runner;
  /** The same for tasks that can be aborted. */
  readonly alone: Runner;
  /** By the id of the thread. */
  readonly records: Map<number, WorkerRecord>;
  /** Also of threads that are about to end. */
  readonly handles: Map<number, ThreadHandle>;
  readonly stopListening: () => void;
}

/** Whether a task has not begun because the thread that alone was to run it takes no more, and has not ended either: another may. */
export function mayGoElsewhere(error: unknown, record: WorkerRecord | null): boolean {
  return error instanceof ThreadGoneError && record !== null && record.failure === null;
}

/** What Piscina would reject with. @param record The thread that was to run the task, if one was. */
export function asPiscinaSays(error: unknown, record: WorkerRecord | null): unknown {
  if (error instanceof ThreadGoneError && record !== null) return record.failure;
  if (error instanceof PoolClosedError) return terminated();
  if (error instanceof ThreadCrashedError)
    return error.cause ?? new Error(`worker exited with code: ${error.exitCode}`);
  return error;
}

/** Of tasks whose thread is ended. */
export function terminated(): Error {
  return new Error("Terminating worker thread");
}
