/**
 * The way of a task whose thread is chosen on this side: by a `loadBalancer`, or as Piscina does, because `workerHistogram` has to know it.
 *
 * | state    | means                                                                    |
 * | -------- | ------------------------------------------------------------------------ |
 * | held     | in the queue of its kind: the balancer has given it no thread            |
 * | assigned | the pool has it, for one thread alone                                    |
 * | over     | settled, for its caller; open until the pool has settled it              |
 *
 * held → assigned: at the call if nobody waits, when a task has ended, when threads come. assigned → held: its thread takes no more, and the
 * task has not begun. Any → over. A task that is aborted when it has a thread ends that, begun or not.
 */
import type { AbortSignalAny } from "./abort-signal.ts";
import type { Flow, FlowOptions } from "./flow.ts";
import type { PiscinaLoadBalancer } from "./load-balancer.ts";
import { OpenTasks } from "./open-tasks.ts";
import { reportUncaught } from "./report-uncaught.ts";
import { kQueueOptions } from "./symbols.ts";
import { queueOptionsOf, type QueuedTask, type TaskSender } from "./task-info.ts";
import { FixedQueue, type PiscinaTask, takeOut, type TaskQueue } from "./task-queues.ts";
import { asPiscinaSays, mayGoElsewhere, terminated, type Threads } from "./threads.ts";
import { now, queueMicrotask, TurnClock } from "./timers.ts";
import { recordOf, type WorkerRecord } from "./worker-record.ts";

export interface BalancedFlowOptions extends FlowOptions {
  readonly threads: Pick<Threads, "add" | "end" | "run" | "records" | "destroy">;
  readonly balancer: PiscinaLoadBalancer;
  readonly perThread: number;
  /** Whether a task that the balancer refuses stays in front of the others. */
  readonly isStrict: boolean;
}

export class BalancedFlow implements Flow, TaskSender {
  completed = 0;
  readonly #options: BalancedFlowOptions;
  readonly #held: TaskQueue;
  /** Of tasks that can be aborted: they come first. */
  readonly #abortable = new FixedQueue();
  readonly #open = new OpenTasks();
  readonly #clock = new TurnClock();
  /** The program's own queue has thrown: it may hold tasks for which there are threads. */
  #hasStalled = false;

  constructor(options: BalancedFlowOptions) {
    this.#options = options;
    this.#held = options.taskQueue ?? new FixedQueue();
  }

  get waiting(): number {
    return Math.max(0, this.#queued - this.#startingPlaces());
  }

  /** Also those for which a thread starts. */
  get #queued(): number {
    return this.#held.size + this.#abortable.size;
  }

  get usage(): number {
    let usage = 0;
    for (const { currentUsage } of this.#options.threads.records)
      if (currentUsage !== Infinity) usage += currentUsage;
    return usage;
  }

  get idleThreads(): number {
    return this.#options.threads.records.filter(({ isReady, currentUsage }) => isReady && currentUsage === 0)
      .length;
  }

  submit(info: QueuedTask, signal: AbortSignalAny | null): void {
    const { threads, maxQueue } = this.#options;
    // First: the signal may be refused, as the task may be by the program's own balancer and queue.
    if (signal !== null && !info.follow(signal, this)) return;
    const isFirst = this.#queued === 0;
    const ready = threads.records.filter(({ isReady }) => isReady);
    if (isFirst && this.#assign(info, ready)) {
      // It has a thread.
    } else {
      const started = threads.add();
      const room = maxQueue + this.#startingPlaces();
      if (!started && this.#queued >= room) {
        info.reject(
          new Error(
            maxQueue === 0 ? "No task queue available and all Workers are busy" : "Task queue is at limit",
          ),
        );
        return;
      }
      this.#queueOf(info).push(info);
    }
    this.#open.add(info);
    if (this.#hasStalled) this.next();
    this.#options.changed();
  }

  /** The program's own queue may throw: those who have nothing to do with that go on. */
  next(): void {
    try {
      this.#hasStalled = false;
      this.#assignHeld();
    } catch (error) {
      this.#hasStalled = true;
      reportUncaught(error);
    }
  }

  #assignHeld(): void {
    const { threads } = this.#options;
    while (this.#queued > 0) {
      const queue = this.#abortable.size > 0 ? this.#abortable : this.#held;
      const info = queue.shift() as QueuedTask | null;
      if (info === null) return;
      if (info.isOver) {
        this.#open.remove(info);
        continue;
      }
      try {
        // In the context of its call, whoever made room for it.
        if (info.runInAsyncScope(() => this.#assign(info, threads.records))) continue;
      } catch (error) {
        info.reject(error);
        this.#open.remove(info);
        continue;
      }
      this.#giveBack(info);
      if (!threads.add()) return;
    }
  }

  rejectWaiting(error: () => Error): void {
    for (const info of this.#open.all()) {
      if (info.isOpen && info.started === 0) this.#rejectWaiting(info, error());
    }
  }

  rejectAll(error: () => Error): void {
    for (const info of this.#open.all()) {
      if (info.started !== 0) info.reject(error());
      else if (info.isOpen) this.#rejectWaiting(info, error());
    }
  }

  /** Not by its caller: it counts as completed. */
  #rejectWaiting(info: QueuedTask, error: Error): void {
    this.completed++;
    this.taskAborted(info, error);
  }

  whenEmpty(timeoutMs: number): Promise<boolean> {
    return this.#open.whenEmpty(timeoutMs);
  }

  #startingPlaces(): number {
    const starting = this.#options.threads.records.filter(({ isReady }) => !isReady);
    return starting.length * this.#options.perThread;
  }

  #queueOf(info: QueuedTask): TaskQueue {
    return info.isAbortable ? this.#abortable : this.#held;
  }

  /** A queue that does not take it back refuses it. */
  #giveBack(info: QueuedTask): void {
    const queue = this.#queueOf(info);
    try {
      if (this.#options.isStrict && queue.unshift !== undefined) queue.unshift(info);
      else queue.push(info);
    } catch (error) {
      this.#open.remove(info);
      info.reject(error);
    }
  }

  /** @returns false when the balancer gives it no thread. */
  #assign(info: QueuedTask, records: readonly WorkerRecord[]): boolean {
    const { balancer, waitTimes } = this.#options;
    const record = recordOf(
      balancer(
        taskOf(info),
        records.map(({ view }) => view),
      ),
    );
    if (record === undefined || record.isDestroyed) return false;
    info.started = now();
    waitTimes?.record(info.started - info.created);
    this.#send(info, record);
    return true;
  }

  #send(info: QueuedTask, record: WorkerRecord): void {
    info.sender = this;
    info.record = record;
    record.tasks.add(info);
    try {
      this.#options.threads.run(info, record, false);
    } catch (error) {
      queueMicrotask(() => this.taskFailed(info, error));
    }
  }

  taskCompleted(info: QueuedTask, result: unknown): void {
    this.#ended(info, false, result);
  }

  taskFailed(info: QueuedTask, error: unknown): void {
    const { record } = info;
    if (mayGoElsewhere(error, record) && !info.isOver) this.#again(info);
    else this.#ended(info, true, asPiscinaSays(error, record));
  }

  #again(info: QueuedTask): void {
    info.record!.tasks.delete(info);
    info.started = 0;
    this.#giveBack(info);
    this.next();
  }

  #ended(info: QueuedTask, hasFailed: boolean, value: unknown): void {
    const { record } = info;
    const ms = this.#clock.now() - info.started;
    this.#options.runTimes?.record(ms);
    record!.times?.record(ms);
    record!.tasks.delete(info);
    this.completed++;
    if (hasFailed) info.reject(value);
    else info.resolve(value);
    this.next();
    this.#open.remove(info);
    this.#options.changed();
  }

  taskAborted(info: QueuedTask, error: Error): void {
    info.reject(error);
    const record = this.#options.threads.records.find(({ tasks }) => tasks.has(info));
    if (record !== undefined) {
      for (const other of record.tasks) other.reject(terminated());
      this.#options.threads.destroy(record);
    } else if (info.started === 0 && info.isOpen) {
      this.#open.remove(info);
      takeOut(this.#queueOf(info), info);
    }
  }
}

/** As load balancers see it. */
function taskOf(info: QueuedTask): PiscinaTask {
  const { taskId, filename, name, created, isAbortable, task } = info;
  return { taskId, filename, name, created, isAbortable, [kQueueOptions]: queueOptionsOf(task) };
}
