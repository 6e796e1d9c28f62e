/**
 * A thread as users see it: what it costs, and messages to and from what they run on it. Our own messages go over another port.
 *
 * What the thread posts before it is ready is kept until then: whoever hears of a thread by `skein:thread:start` has not missed any.
 * Afterwards a message goes to those who listen at that moment.
 */
import type { HeapInfo } from "node:v8";
import type { EventLoopUtilization } from "node:perf_hooks";
import type { Transferable, Worker } from "node:worker_threads";
import { argumentTypeError, requireFunction, SkeinError } from "@skein/context/errors";
import { throwAside } from "../submit/throw-aside.ts";
import { refusal } from "../transfer/detach.ts";
import { checkedTransferList } from "../transfer/transfer-list.ts";
import { process } from "../shared/intrinsics.ts";

type Listener = (value: unknown) => void;
const events = ["message", "messageerror"] as const;
/** Of a ThreadHandle. */
export type ThreadEvent = (typeof events)[number];

/** What a handle asks of the thread. */
export interface ThreadSteps {
  readonly isLeaving: () => boolean;
  /** Ends it. @returns resolves when it has ended. */
  readonly terminate: () => Promise<void>;
}

/** What the pool does with a handle. */
export interface HandledThread {
  readonly handle: ThreadHandle;
  /** The thread has got ready, or has ended: messages that were kept are delivered. */
  open(): void;
}

/**
 * One thread of a pool, from `pool.threads`. The same object as long as the thread lives; it neither keeps the thread nor the process
 * alive. When the thread has ended, `postMessage` does nothing, and what is asked of the thread rejects.
 */
export class ThreadHandle {
  /** As `threadId` of `node:worker_threads` on the thread. */
  readonly threadId: number;
  /** The `name` of the pool. */
  readonly name: string;
  /** Its place in the pool, from 0: small, and given to another thread when this one has ended. */
  readonly index: number;
  readonly #worker: Worker;
  readonly #steps: ThreadSteps;
  /** Lists are replaced, not changed: a message goes to those who listened when it came. */
  readonly #listeners: Record<ThreadEvent, readonly Listener[]> = { message: [], messageerror: [] };
  /** Null: not kept any more. */
  #kept: { readonly event: ThreadEvent; readonly value: unknown }[] | null = [];

  private constructor(worker: Worker, name: string, index: number, steps: ThreadSteps) {
    this.#worker = worker;
    this.#steps = steps;
    this.threadId = worker.threadId;
    this.name = name;
    this.index = index;
  }

  /** @internal In the empty context: listeners run in the one in which those of the worker were added. */
  static of(this: void, worker: Worker, name: string, index: number, steps: ThreadSteps): HandledThread {
    const handle = new ThreadHandle(worker, name, index, steps);
    for (const event of events) worker.on(event, (value: unknown) => handle.#arrived(event, value));
    return { handle, open: () => handle.#open() };
  }

  /** Whether it takes no more jobs, and is about to end or has ended. */
  get isLeaving(): boolean {
    return this.#steps.isLeaving();
  }

  /**
   * Ends the thread at once, whatever it does; others start when jobs need them. What it runs rejects with ThreadCrashedError, or runs again, with
   * `retries`; a job with `thread` that waits for it rejects with ThreadGoneError. `dispose` of the `initialize` module is not called. A native call
   * cannot be ended: after two seconds the pool goes on without the thread, and what it runs rejects, whatever its `retries`.
   *
   * @returns resolves when it has ended; at once when it has already.
   */
  terminate(): Promise<void> {
    return this.#steps.terminate();
  }

  /**
   * `heapStatistics()` of `node:v8`, of the thread's own heap. The thread answers also while a job runs, unless it is in a native call.
   * Rejects with a SkeinError ERR_SKEIN_UNSUPPORTED before Node 22.16, and when the thread has ended.
   * @see https://nodejs.org/api/worker_threads.html#workergetheapstatistics
   */
  async heapStatistics(): Promise<HeapInfo> {
    if (typeof this.#worker.getHeapStatistics !== "function") throw unsupported("heapStatistics");
    return await this.#worker.getHeapStatistics();
  }

  /**
   * How busy its event loop is and was. A thread that spins, sleeps or runs a job counts as busy: `perThread` of `pool.stats()` knows jobs
   * from waiting. Zeros before the thread has started, and after it has ended.
   * @see https://nodejs.org/api/worker_threads.html#performanceeventlooputilizationutilization1-utilization2
   */
  eventLoopUtilization(later?: EventLoopUtilization, earlier?: EventLoopUtilization): EventLoopUtilization {
    return this.#worker.performance.eventLoopUtilization(later, earlier);
  }

  /**
   * CPU time of the thread in microseconds; with an earlier value, since then. Rejects with a SkeinError ERR_SKEIN_UNSUPPORTED where Node has no
   * `worker.cpuUsage`, and when the thread has ended.
   * @see https://nodejs.org/api/worker_threads.html#workercpuusageprev
   */
  async cpuUsage(previous?: NodeJS.CpuUsage): Promise<NodeJS.CpuUsage> {
    if (typeof this.#worker.cpuUsage !== "function") throw unsupported("cpuUsage");
    return await this.#worker.cpuUsage(previous);
  }

  /**
   * Posts a message to listeners of `parentPort.on("message")` on the thread, which hear it between two jobs, or while a job awaits. Copied
   * as in `worker.postMessage`.
   * @param transfer What is moved instead. @default nothing
   * @throws TypeError for a bad entry of `transfer`, naming it. NotCloneableError for what cannot be copied.
   */
  postMessage(value: unknown, transfer?: readonly Transferable[]): void {
    const list = transfer === undefined ? null : checkedTransferList("transfer", transfer);
    try {
      if (list === null) this.#worker.postMessage(value);
      else this.#worker.postMessage(value, list);
    } catch (error) {
      throw refusal(error, "message");
    }
  }

  /**
   * Listens to what code on the thread posts by `parentPort.postMessage`. Listeners are called in the order of their registration, each in
   * the empty context. What one throws is an uncaught exception; the others and the pool go on.
   * @param event "message"; or "messageerror", with what Node says of a message that cannot be read here.
   * @throws TypeError for a bad argument, naming it.
   */
  on(event: ThreadEvent, listener: (value: unknown) => void): this {
    checkListener(event, listener);
    this.#listeners[event] = [...this.#listeners[event], listener];
    return this;
  }

  /** Removes the newest registration of this listener, if there is one. */
  off(event: ThreadEvent, listener: (value: unknown) => void): this {
    checkListener(event, listener);
    const list = this.#listeners[event];
    const index = list.lastIndexOf(listener);
    if (index >= 0) this.#listeners[event] = list.toSpliced(index, 1);
    return this;
  }

  #open(): void {
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const { event, value } of kept) this.#deliver(event, value);
  }

  #arrived(event: ThreadEvent, value: unknown): void {
    if (this.#kept === null) this.#deliver(event, value);
    else this.#kept.push({ event, value });
  }

  #deliver(event: ThreadEvent, value: unknown): void {
    for (const listener of this.#listeners[event]) {
      try {
        listener(value);
      } catch (error) {
        throwAside(error);
      }
    }
  }
}

function checkListener(event: unknown, listener: unknown): void {
  if (event !== "message" && event !== "messageerror")
    throw argumentTypeError("event", '"message" or "messageerror"', event);
  requireFunction("listener", listener);
}

function unsupported(method: string): SkeinError {
  return new SkeinError(
    "ERR_SKEIN_UNSUPPORTED",
    `\`${method}\` of a thread needs a newer Node.js than ${process.version}`,
  );
}
