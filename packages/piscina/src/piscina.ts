/** The class `Piscina`: what its callers give is checked here, what they ask is answered. Tasks go their way in `task-flow.ts`. */
import { EventEmitterAsyncResource } from "node:events";
import type { Transferable as NodeTransferable, Worker } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import { AbortError, type AbortSignalAny, isAborted, reasonOf } from "./abort-signal.ts";
import { type PiscinaHistogram, Times } from "./histogram.ts";
import { Promise } from "./intrinsics.ts";
import { move, movedOf } from "./movable.ts";
import { BalancedFlow } from "./balanced-flow.ts";
import type { Flow } from "./flow.ts";
import { IdleThreads } from "./idle-threads.ts";
import { leastBusy } from "./load-balancer.ts";
import { bare, fillOptions, type FilledOptions, type PiscinaOptions, toPath } from "./options.ts";
import { Places } from "./places.ts";
import { kQueueOptions, kTransferable, kValue } from "./symbols.ts";
import { TaskFlow } from "./task-flow.ts";
import { type QueuedTask, type TaskDescription, TaskInfo } from "./task-info.ts";
import { ArrayTaskQueue, FixedQueue } from "./task-queues.ts";
import { dataOfThread, isPiscinaThread } from "./thread-mark.ts";
import { terminated, Threads } from "./threads.ts";
import { now, queueMicrotask } from "./timers.ts";

export interface RunOptions {
  /** Objects in the task that are moved instead of copied. @default none */
  transferList?: readonly NodeTransferable[];
  /** The file of this task. @default that of the pool */
  filename?: string | null;
  /** Aborts the task. One that runs ends its thread, which it has to itself. @default none */
  signal?: AbortSignalAny | null;
  /** The export of the file. @default that of the pool */
  name?: string | null;
}

export interface CloseOptions {
  /** Whether tasks that wait for a thread are rejected instead of run. @default false */
  force?: boolean;
}

const MAX_DELAY_MS = 2 ** 31 - 1;
/** Of calls without any. */
const noOptions: RunOptions = Object.freeze(bare({}));

const { construct } = Reflect;

/** Node's class keeps the context in which it is made. Here that is the empty one: a pool belongs to no request. */
const Emitter: typeof EventEmitterAsyncResource = new Proxy(EventEmitterAsyncResource, {
  construct: (Class, args, newTarget): object =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it makes
    AsyncScope.root.run(() => construct(Class, args, newTarget) as object),
});

/**
 * Piscina's class on Skein's pool. Tasks go straight into the queues of the pool; the ambient context goes along with each.
 *
 * Events: `message` (what a task file posts to `parentPort`), `error` (thrown after a task had returned; `close` took longer than
 * `closeTimeout`), `drain` and `needsDrain`, `workerCreate` and `workerDestroy`, `close`.
 *
 * @typeParam T What `run` is given.
 * @typeParam R What it resolves with.
 * @example
 * const piscina = new Piscina({ filename: new URL("./worker.mjs", import.meta.url).href });
 * const sum = await piscina.run({ a: 4, b: 6 });
 * @see https://piscinajs.dev/api-reference/class
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the defaults of Piscina's own declarations
export class Piscina<T = any, R = any> extends Emitter {
  readonly options: FilledOptions;
  readonly #start = now();
  readonly #runTimes: Times | null;
  readonly #waitTimes: Times | null;
  readonly #places: Places;
  readonly #threads: Threads;
  readonly #flow: Flow;
  readonly #idle: IdleThreads;
  readonly #histogram: PiscinaHistogram;
  /** Of each task, as an AsyncResource. */
  readonly #resource = { requireManualDestroy: true, triggerAsyncId: this.asyncId };
  #isClosing = false;
  /** Calls of `destroy` that have not settled. */
  #destroying = 0;
  #needsDrain = false;
  #willTellDrain = false;

  /**
   * Starts `minThreads` threads.
   *
   * @throws TypeError or RangeError for a bad option, naming it, with Piscina's words.
   */
  constructor(options: PiscinaOptions = {}) {
    super(bare({ name: "Piscina" }));
    this.options = fillOptions(options);
    const { recordTiming, taskQueue = null, maxQueue, concurrentTasksPerWorker, minThreads } = this.options;
    const { loadBalancer, workerHistogram = false, stricterFIFO = false, idleTimeout } = this.options;
    this.#runTimes = recordTiming ? new Times() : null;
    this.#waitTimes = recordTiming ? new Times() : null;
    this.#histogram = histogramOf(this.#runTimes, this.#waitTimes);
    this.#places = new Places(concurrentTasksPerWorker);
    this.#threads = new Threads(this.options, {
      // oxlint-disable-next-line typescript/unbound-method -- only names the frame; it is not called
      below: this.run,
      changed: (count) => {
        this.#places.threads = count;
        this.#flow?.next();
        this.#countIdle();
      },
      created: (worker) => this.emit("workerCreate", worker),
      destroyed: (worker) => this.emit("workerDestroy", worker),
      message: (value) => this.emit("message", value),
      error: (error) => this.emit("error", error),
    });
    const parts = {
      threads: this.#threads,
      taskQueue,
      maxQueue,
      runTimes: this.#runTimes,
      waitTimes: this.#waitTimes,
      changed: () => {
        this.#countIdle();
        this.#tellDrainSoon();
      },
    };
    this.#flow =
      loadBalancer !== undefined || workerHistogram
        ? new BalancedFlow({
            ...parts,
            balancer: loadBalancer ?? leastBusy(concurrentTasksPerWorker),
            perThread: concurrentTasksPerWorker,
            isStrict: stricterFIFO,
          })
        : new TaskFlow({ ...parts, places: this.#places });
    this.#idle = new IdleThreads({
      timeoutMs: idleTimeout,
      minThreads,
      release: () => this.#threads.release(),
    });
  }

  /**
   * Runs a task: the function that the file exports under `name`, with the task as its only argument. The task is copied before this returns,
   * or, if it waits on the calling thread, when it gets a thread: with a `taskQueue`, a `loadBalancer` or `workerHistogram`, and beside tasks
   * with a signal where several share a thread. Leave it unchanged until then.
   *
   * Rejects with what the function threw; with a TypeError for a bad option; with an AbortError when the signal fires, or while the pool closes;
   * when `maxQueue` tasks wait; when the thread ends, with its uncaught error if there is one.
   */
  run(task: T, options: RunOptions = noOptions): Promise<R> {
    const { filename, name } = this.options;
    // As most calls are.
    if (options === noOptions)
      return this.#submit({ task, filename, name, transfer: undefined, isAbortable: false }, null);
    if (options === null || typeof options !== "object") return refuse("options must be an object");
    const { transferList: transfer, signal = null, filename: ownFile, name: ownName } = bare(options);
    if (transfer !== undefined && !Array.isArray(transfer))
      return refuse("transferList argument must be an Array");
    if (!isTextOrNone(ownFile)) return refuse("filename argument must be a string");
    if (!isTextOrNone(ownName)) return refuse("name argument must be a string");
    if (signal !== null && typeof signal !== "object") return refuse("signal argument must be an object");
    const file = ownFile === undefined || ownFile === null ? filename : toPath(ownFile);
    const isAbortable = signal !== null;
    return this.#submit({ task, filename: file, name: ownName ?? name, transfer, isAbortable }, signal);
  }

  #submit(what: AskedTask, signal: AbortSignalAny | null): Promise<R> {
    if (!hasFile(what))
      return Promise.reject(new Error("filename must be provided to run() or in options object"));
    if (this.#isClosing || this.#destroying > 0)
      return Promise.reject(new AbortError("queue is being terminated"));
    if (signal !== null && isAborted(signal)) return Promise.reject(new AbortError(reasonOf(signal)));
    const moved = movedOf(what.task);
    const asMoved =
      moved === null
        ? what
        : { ...what, task: moved.value, transfer: [...(what.transfer ?? []), ...moved.list] };
    const info = new TaskInfo(asMoved, this.#resource) as QueuedTask;
    try {
      this.#flow.submit(info, signal);
    } catch (error) {
      info.reject(error);
    }
    return info.promise as Promise<R>;
  }

  /**
   * Ends all threads at once and rejects all tasks. Until then `run` rejects; afterwards the pool can be used again.
   * @returns resolves when the threads have ended.
   */
  async destroy(): Promise<void> {
    await this.#end(null);
  }

  /** @param drainMs How long jobs that tasks have forked and not joined may go on; null: they end at once. */
  async #end(drainMs: number | null): Promise<void> {
    this.#destroying++;
    try {
      this.#flow.rejectAll(terminated);
      await this.#threads.end(drainMs);
    } finally {
      this.#destroying--;
    }
  }

  /**
   * Waits for all tasks, and the jobs that they have forked, `closeTimeout` milliseconds at most, and ends the threads. Until then `run` rejects.
   *
   * @throws TypeError for a bad option, as a rejection.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    if (options === null || typeof options !== "object") throw new TypeError("options must be an object");
    const { force = false } = bare(options);
    if (typeof force !== "boolean") throw new TypeError("force argument must be a boolean");
    this.#isClosing = true;
    if (force) this.#flow.rejectWaiting(() => new AbortError("pool is closed"));
    const timeoutMs = Math.min(this.options.closeTimeout, MAX_DELAY_MS);
    const begunAt = now();
    let drainMs: number | null = null;
    try {
      if (await this.#flow.whenEmpty(timeoutMs))
        drainMs = Math.max(1, Math.ceil(timeoutMs - (now() - begunAt)));
      else this.emit("error", new Error("Close operation timed out"));
    } finally {
      // Without a listener for it, `emit` throws that error.
      try {
        await this.#end(drainMs);
        this.emit("close");
      } finally {
        this.#isClosing = false;
      }
    }
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Once, however much changes in this turn. */
  #tellDrainSoon(): void {
    if (this.#willTellDrain) return;
    this.#willTellDrain = true;
    queueMicrotask(this.#tellDrain);
  }

  readonly #tellDrain = (): void => {
    this.#willTellDrain = false;
    const { usage } = this.#flow;
    const capacity = this.#threads.maxThreads * this.#places.perThread;
    if (usage === capacity) {
      this.#needsDrain = true;
      queueMicrotask(() => this.emit("needsDrain"));
    } else if (this.#needsDrain) {
      this.#needsDrain = false;
      queueMicrotask(() => this.emit("drain"));
    }
  };

  #countIdle(): void {
    this.#idle?.count(this.#flow.idleThreads, this.#threads.records.length);
  }

  get maxThreads(): number {
    return this.options.maxThreads;
  }

  get minThreads(): number {
    return this.options.minThreads;
  }

  get threads(): Worker[] {
    return this.#threads.workers;
  }

  /** Threads without a task. */
  get idleThreads(): number {
    return this.#flow.idleThreads;
  }

  /** Tasks that wait for a thread. */
  get queueSize(): number {
    return this.#flow.waiting;
  }

  get completed(): number {
    return this.#flow.completed;
  }

  /** Of tasks, in milliseconds; empty with `recordTiming: false`. A task waits until there is a place for it, as far as is known here. */
  get histogram(): PiscinaHistogram {
    return this.#histogram;
  }

  /** The time that tasks ran, as a part of the time that `maxThreads` threads had since the pool was made. */
  get utilization(): number {
    const times = this.#runTimes;
    if (times === null || times.count === 0) return 0;
    return (times.meanMs * times.count) / (this.duration * this.maxThreads);
  }

  /** Milliseconds since the pool was made. */
  get duration(): number {
    return now() - this.#start;
  }

  /** Whether every thread has as many tasks as it takes. */
  get needsDrain(): boolean {
    return this.#needsDrain;
  }

  static get isWorkerThread(): boolean {
    return isPiscinaThread();
  }

  static get workerData(): unknown {
    return dataOfThread();
  }

  /** Of Piscina, whose behaviour this is. */
  static get version(): string {
    return "5.3.2";
  }

  static get Piscina(): typeof Piscina {
    return Piscina;
  }

  static get FixedQueue(): typeof FixedQueue {
    return FixedQueue;
  }

  static get ArrayTaskQueue(): typeof ArrayTaskQueue {
    return ArrayTaskQueue;
  }

  static get transferableSymbol(): symbol {
    return kTransferable;
  }

  static get valueSymbol(): symbol {
    return kValue;
  }

  static get queueOptionsSymbol(): symbol {
    return kQueueOptions;
  }

  /** As the export `move`. */
  static move<V>(value: V): V {
    return move(value);
  }
}

type AskedTask = Omit<TaskDescription, "filename"> & { readonly filename: string | null };

function hasFile(what: AskedTask): what is TaskDescription {
  return what.filename !== null;
}

function isTextOrNone(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === "string";
}

function refuse(message: string): Promise<never> {
  return Promise.reject(new TypeError(message));
}

/** Always the same object, as Piscina's. */
function histogramOf(run: Times | null, wait: Times | null): PiscinaHistogram {
  return {
    get runTime() {
      return run?.summary() as PiscinaHistogram["runTime"];
    },
    get waitTime() {
      return wait?.summary() as PiscinaHistogram["waitTime"];
    },
    resetRunTime: () => run?.reset(),
    resetWaitTime: () => wait?.reset(),
  };
}
