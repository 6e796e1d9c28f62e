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
import { URL } from "node:url";
import type { Transferable as NodeTransferable, Worker } from "node:worker_threads";
import {
  PoolClosedError,
  ThreadCrashedError,
  ThreadGoneError,
  type ThreadHandle,
  type ThreadMessage,
  ThreadPool,
  type ThreadPoolOptions,
} from "@skein/pool";
import type { SentJob } from "@skein/pool/engine";
import { watchWorkers, workerOf } from "./made-workers.ts";
import { bare, type FilledOptions } from "./options.ts";
import { runnerUrl, TaskRunners } from "./task-runners.ts";
import { STRAY } from "./stray-message.ts";
import type { TaskInfo } from "./task-info.ts";
import { queueMicrotask } from "./timers.ts";
import { type PiscinaWorker, WorkerRecord } from "./worker-record.ts";

/** Who has the threads. */
export interface ThreadsOwner {
  /** The method that callers have called, for the stacks of errors. */
  readonly below: (...args: never[]) => unknown;
  /** There are more threads, or fewer. */
  changed(count: number): void;
  created(worker: PiscinaWorker): void;
  destroyed(worker: PiscinaWorker): void;
  message(value: unknown): void;
  /** An error that came when its task had returned. */
  error(error: unknown): void;
}

/** Of the pool. */
const MAX_JOBS = 65_536;
const MAX_THREADS = 1024;
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

export class Threads {
  readonly maxThreads: number;
  readonly #options: FilledOptions;
  readonly #owner: ThreadsOwner;
  #open: OpenPool | null = null;
  /** The last that was open, until its threads have ended: whoever comes meanwhile can hurry it. */
  #ending: ThreadPool | null = null;
  #list: readonly WorkerRecord[] = [];
  /** While the first threads start. */
  #isFirst = true;

  constructor(options: FilledOptions, owner: ThreadsOwner) {
    this.maxThreads = Math.min(Math.ceil(options.maxThreads), MAX_THREADS);
    this.#options = options;
    this.#owner = owner;
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
    const { filename, name } = this.#options;
    const modules = filename !== null && isAbsolute(filename) ? [runnerUrl(filename, name)] : [];
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
   * Gives a task to the pool, which tells it of the outcome.
   *
   * @param record The thread that alone may run it; null: any. @param isAlone Whether it has its thread to itself, and `cancel` ends that.
   * @throws what the pool refuses: it was given nothing then.
   */
  run(info: TaskInfo, record: WorkerRecord | null, isAlone: boolean): SentJob {
    const { runners } = this.#opened();
    const { filename, name, task, transfer } = info;
    const options =
      record === null && transfer === undefined
        ? undefined
        : { thread: record?.id, transfer: transfer as NodeTransferable[] | undefined };
    return runners.of(filename, name, isAlone).send([task], info, options, this.#owner.below);
  }

  /** Ends all threads. @param drainMs How long what they do may go on, such as jobs that tasks have forked; null: it ends at once. */
  async end(drainMs: number | null = null): Promise<void> {
    const how = drainMs === null ? { drain: false, timeoutMs: 1 } : { timeoutMs: drainMs };
    const open = this.#open;
    if (open === null) {
      await this.#ending?.close(how);
      return;
    }
    this.#open = null;
    this.#ending = open.pool;
    this.#list = [];
    open.stopListening();
    const closed = open.pool.close(how);
    this.#owner.changed(0);
    for (const record of open.records.values()) this.#gone(record);
    await closed;
    if (this.#ending === open.pool) this.#ending = null;
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
        minThreads: Math.min(Math.max(1, Math.ceil(o.minThreads)), this.maxThreads),
        maxThreads: this.maxThreads,
        // It is kept on this side, idle-threads.ts: timers of different threads do not agree on which is over first.
        idleTimeoutMs: Infinity,
        jobsPerThread: Math.min(Math.floor(o.concurrentTasksPerWorker), MAX_JOBS),
        maxQueueBytes: 2 ** 32,
        initialize: startUrl(o.niceIncrement),
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
      runners: new TaskRunners(pool),
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
      this.#owner.changed(open.records.size);
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
        this.#owner.created(record.view);
        if (this.#open === open) this.#owner.changed(open.records.size);
      });
    }
    worker.on("message", (message: unknown) => {
      if (typeof message === "object" && message !== null && STRAY in message)
        this.#owner.error(message[STRAY]);
      else this.#owner.message(message);
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
    try {
      this.#owner.created(record.view);
    } finally {
      // Whatever a listener throws: tasks wait for the thread.
      this.#owner.changed(this.#open?.records.size ?? 0);
    }
  }

  #gone(record: WorkerRecord): void {
    if (record.isDestroyed) return;
    record.isDestroyed = true;
    this.#owner.destroyed(record.view);
  }
}

interface OpenPool {
  readonly pool: ThreadPool;
  readonly runners: TaskRunners;
  /** By the id of the thread. */
  readonly records: Map<number, WorkerRecord>;
  /** Also of threads that are about to end. */
  readonly handles: Map<number, ThreadHandle>;
  readonly stopListening: () => void;
}

function startUrl(niceIncrement: number): URL {
  const url = new URL(`./thread-start.${extension}`, import.meta.url);
  if (niceIncrement !== 0) url.searchParams.set("nice", String(niceIncrement));
  return url;
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
