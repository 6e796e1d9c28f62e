/**
 * The way of a task.
 *
 * | state  | means                                                                                                           |
 * | ------ | --------------------------------------------------------------------------------------------------------------- |
 * | held   | in a queue on this side: the program's own `taskQueue`, or ours behind an abortable task that waits for a thread |
 * | lined  | the pool has it, and all threads are taken as far as is known here                                              |
 * | placed | the pool has it, and it has a place on a thread: `started` is not 0                                             |
 * | over   | settled, for its caller; one that was lined or placed is in the counts until the pool has settled it            |
 *
 * While no task is in the queues of the pool, or was taken from there, this side knows which threads are free: then a task gets the first of
 * them, as in Piscina. It waits for no other, since that one has nothing to do.
 *
 * held → placed, lined → placed, and any → over. Threads take lined tasks in their order, without asking here, so that places are given in
 * the same order as results come back. Where several tasks share a thread, one that needs a thread for itself is held, and whatever comes
 * after it: the pool would let the later ones overtake it.
 */
import type { Flow, FlowOptions } from "./flow.ts";
import type { AbortSignalAny } from "./abort-signal.ts";
import type { Places } from "./places.ts";
import type { QueuedTask, TaskSender } from "./task-info.ts";
import { OpenTasks } from "./open-tasks.ts";
import { reportUncaught } from "./report-uncaught.ts";
import { FixedQueue, takeOut, type TaskQueue } from "./task-queues.ts";
import { asPiscinaSays, mayGoElsewhere, type Threads } from "./threads.ts";
import { now, queueMicrotask, TurnClock } from "./timers.ts";
import type { WorkerRecord } from "./worker-record.ts";

export interface TaskFlowOptions extends FlowOptions {
  readonly threads: Pick<Threads, "add" | "records" | "run">;
  readonly places: Places;
}

export class TaskFlow implements Flow, TaskSender {
  completed = 0;
  readonly #options: TaskFlowOptions;
  readonly #held: TaskQueue;
  readonly #lined = new FixedQueue();
  readonly #open = new OpenTasks();
  readonly #clock = new TurnClock();
  /** Tasks that the pool has and that any thread may take, or has taken. */
  #shared = 0;
  /** The program's own queue has thrown: it may hold tasks for which there are places. */
  #hasStalled = false;

  constructor(options: TaskFlowOptions) {
    this.#options = options;
    this.#held = options.taskQueue ?? new FixedQueue();
  }

  get usage(): number {
    return this.#options.places.usage;
  }

  get idleThreads(): number {
    return this.#options.places.idleThreads;
  }

  /** Tasks that have no place. */
  get waiting(): number {
    return this.#held.size + this.#lined.size;
  }

  submit(info: QueuedTask, signal: AbortSignalAny | null): void {
    const { threads, maxQueue } = this.#options;
    // First: the signal may be refused.
    if (signal !== null && !info.follow(signal, this)) return;
    let hasPlace = this.#hasPlace(info);
    if (!hasPlace && threads.add()) hasPlace = this.#hasPlace(info);
    if (!hasPlace && this.waiting >= maxQueue) {
      info.reject(
        new Error(
          maxQueue === 0 ? "No task queue available and all Workers are busy" : "Task queue is at limit",
        ),
      );
    } else {
      const isHeld = !hasPlace && this.#isHeld(info);
      // First: the program's own queue may refuse it.
      if (isHeld) this.#held.push(info);
      this.#open.add(info);
      if (hasPlace) {
        this.#place(info, info.created);
        this.#send(info, this.#freeThread());
      } else if (!isHeld) {
        this.#lined.push(info);
        this.#send(info, null);
      } else if (this.#hasStalled) this.next();
    }
    this.#options.changed();
  }

  /** Gives the places that are free. */
  next(): void {
    this.#next(null);
  }

  /** Rejects what waits for a place. */
  rejectWaiting(error: () => Error): void {
    for (const info of this.#open.all()) {
      if (info.isOpen && info.started === 0) this.#rejectWaiting(info, error());
    }
  }

  /** Rejects all; nothing waits for the threads any more. */
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

  /** @returns resolves when no task is open, with true; with false after `timeoutMs`. */
  whenEmpty(timeoutMs: number): Promise<boolean> {
    return this.#open.whenEmpty(timeoutMs);
  }

  #isHeld(info: QueuedTask): boolean {
    if (this.#options.taskQueue !== null || this.#held.size > 0) return true;
    return info.isAbortable && this.#options.places.perThread > 1;
  }

  /** @param at What the clock says; null: it is read. */
  #next(at: number | null): void {
    this.#giveTo(this.#lined, at);
    if (this.#lined.size > 0) return;
    if (this.#options.taskQueue === null) this.#giveTo(this.#held, at);
    else this.#giveToHeld(at);
  }

  /** The program's own queue may throw: those who have nothing to do with that go on. */
  #giveToHeld(at: number | null): void {
    try {
      this.#hasStalled = false;
      this.#giveTo(this.#held, at);
    } catch (error) {
      this.#hasStalled = true;
      reportUncaught(error);
    }
  }

  #giveTo(queue: TaskQueue, at: number | null): void {
    const { places } = this.#options;
    // Where there is none for a task that shares, there is none for another.
    while (queue.size > 0 && places.hasPlace(false)) {
      const info = queue.shift() as QueuedTask | null;
      if (info === null) return;
      if (info.isOver) {
        this.#open.remove(info);
        continue;
      }
      if (!places.hasPlace(info.isAbortable)) {
        this.#putBack(info, queue);
        return;
      }
      this.#place(info, at ?? now());
      // In the context of its call, whoever made room for it.
      if (queue === this.#held) info.runInAsyncScope(() => this.#send(info, this.#freeThread()));
    }
  }

  /** A queue that does not take it back refuses it. */
  #putBack(info: QueuedTask, queue: TaskQueue): void {
    try {
      if (queue.unshift === undefined) queue.push(info);
      else queue.unshift(info);
    } catch (error) {
      this.#open.remove(info);
      info.reject(error);
    }
  }

  #hasPlace(info: QueuedTask): boolean {
    return this.waiting === 0 && this.#options.places.hasPlace(info.isAbortable);
  }

  #place(info: QueuedTask, at: number): void {
    info.started = at;
    this.#options.waitTimes?.record(at - info.created);
    this.#options.places.take(info.isAbortable);
  }

  /** The first thread that has nothing to do, if that is known. */
  #freeThread(): WorkerRecord | null {
    const { places, threads } = this.#options;
    if (this.#shared > 0 || places.perThread > 1) return null;
    let free: WorkerRecord | null = null;
    for (const record of threads.records) {
      if (record.tasks.size > 0 || record.mayEnd) continue;
      if (record.hasStarted) return record;
      free ??= record;
    }
    return free;
  }

  /** @param record The thread that alone may run it; null: any. */
  #send(info: QueuedTask, record: WorkerRecord | null): void {
    info.sender = this;
    info.record = record;
    if (record === null) this.#shared++;
    else record.tasks.add(info);
    try {
      info.job = this.#options.threads.run(info, record, info.isAbortable);
    } catch (error) {
      // Not on this stack: what follows may send another task, that may fail.
      queueMicrotask(() => this.taskFailed(info, error));
      return;
    }
    // A getter of the task may have aborted it.
    if (info.isOver) info.job.cancel();
  }

  taskCompleted(info: QueuedTask, result: unknown): void {
    this.#returned(info);
    this.#ended(info, false, result);
  }

  taskFailed(info: QueuedTask, error: unknown): void {
    const { record } = info;
    this.#returned(info);
    if (mayGoElsewhere(error, record) && !info.isOver) this.#send(info, null);
    else this.#ended(info, true, asPiscinaSays(error, record));
  }

  #returned(info: QueuedTask): void {
    if (info.record === null) this.#shared--;
    else info.record.tasks.delete(info);
  }

  #ended(info: QueuedTask, hasFailed: boolean, value: unknown): void {
    const { places, runTimes } = this.#options;
    const at = this.#clock.now();
    // One that was aborted before it had a place has been counted, or is not.
    if (info.started !== 0 || !info.isOver) this.completed++;
    if (info.started === 0) this.#lined.remove(info);
    else {
      places.give(info.isAbortable);
      runTimes?.record(at - info.started);
    }
    if (hasFailed) info.reject(value);
    else info.resolve(value);
    this.#next(at);
    this.#open.remove(info);
    this.#options.changed();
  }

  taskAborted(info: QueuedTask, error: Error): void {
    info.reject(error);
    if (info.job !== null) {
      if (info.started === 0) this.#lined.remove(info);
      // Where any thread may have taken it, only the pool knows which has.
      for (const record of info.record === null ? this.#options.threads.records : [info.record])
        record.mayEnd = true;
      info.job.cancel();
    } else if (info.sender === null && info.started === 0 && info.isOpen) {
      this.#open.remove(info);
      takeOut(this.#held, info);
    }
  }
}
