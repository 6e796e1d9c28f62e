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
import { AbortError, type AbortSignalAny, isAborted, reasonOf } from "./abort-signal.ts";
import { JobCancel } from "./job-cancel.ts";
import type { Places } from "./places.ts";
import type { QueuedTask } from "./task-info.ts";
import { OpenTasks } from "./open-tasks.ts";
import { FixedQueue, type TaskQueue } from "./task-queues.ts";
import { asPiscinaSays, mayGoElsewhere, type Threads } from "./threads.ts";
import type { WorkerRecord } from "./worker-record.ts";

export interface TaskFlowOptions extends FlowOptions {
  readonly threads: Pick<Threads, "add" | "records" | "run">;
  readonly places: Places;
}

export class TaskFlow implements Flow {
  completed = 0;
  readonly #options: TaskFlowOptions;
  readonly #held: TaskQueue;
  readonly #lined = new FixedQueue();
  readonly #open = new OpenTasks();
  /** Tasks that the pool has and that any thread may take, or has taken. */
  #shared = 0;

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
    const { places, threads, maxQueue } = this.#options;
    if (this.waiting > 0 || !places.hasPlace(info.isAbortable)) threads.add();
    const hasPlace = this.waiting === 0 && places.hasPlace(info.isAbortable);
    if (!hasPlace && this.waiting >= maxQueue) {
      info.reject(
        new Error(
          maxQueue === 0 ? "No task queue available and all Workers are busy" : "Task queue is at limit",
        ),
      );
    } else {
      this.#open.add(info);
      if (hasPlace) {
        this.#place(info);
        this.#send(info, this.#freeThread());
      } else if (this.#isHeld(info)) this.#held.push(info);
      else {
        this.#lined.push(info);
        info.cancel = new JobCancel();
        this.#send(info, null);
      }
      if (signal !== null && !info.isOver) this.#follow(info, signal);
    }
    this.#options.changed();
  }

  /** Gives the places that are free. */
  next(): void {
    const { places } = this.#options;
    for (const queue of [this.#lined, this.#held]) {
      while (queue.size > 0) {
        const info = queue.shift() as QueuedTask | null;
        if (info === null) break;
        if (info.isOver) continue;
        if (!places.hasPlace(info.isAbortable)) {
          if (queue.unshift === undefined) queue.push(info);
          else queue.unshift(info);
          return;
        }
        this.#place(info);
        // In the context of its call, whoever made room for it.
        if (queue === this.#held) info.runInAsyncScope(() => this.#send(info, this.#freeThread()));
      }
    }
  }

  /** Rejects what waits for a place. */
  rejectWaiting(error: () => Error): void {
    for (const info of this.#open) if (info.started === 0) this.#abort(info, error());
  }

  /** Rejects all; nothing waits for the threads any more. */
  rejectAll(error: () => Error): void {
    for (const info of this.#open) {
      if (info.started === 0) this.#abort(info, error());
      else info.reject(error());
    }
  }

  /** @returns resolves when no task is open, with true; with false after `timeoutMs`. */
  whenEmpty(timeoutMs: number): Promise<boolean> {
    return this.#open.whenEmpty(timeoutMs);
  }

  #isHeld(info: QueuedTask): boolean {
    if (this.#options.taskQueue !== null || this.#held.size > 0) return true;
    return info.isAbortable && this.#options.places.perThread > 1;
  }

  /** The program's own code ran since it was asked for: it may have fired the signal. */
  #follow(info: QueuedTask, signal: AbortSignalAny): void {
    const abort = (): void => this.#abort(info, new AbortError(reasonOf(signal)));
    info.listen(signal, abort);
    if (isAborted(signal)) abort();
  }

  #place(info: QueuedTask): void {
    const now = performance.now();
    info.started = now;
    this.#options.waitTimes?.record(now - info.created);
    this.#options.places.take(info.isAbortable);
  }

  /** The first thread that has nothing to do, if that is known. */
  #freeThread(): WorkerRecord | null {
    const { places, threads } = this.#options;
    if (this.#shared > 0 || places.perThread > 1) return null;
    const free = threads.records.filter(({ tasks }) => tasks.size === 0);
    return free.find(({ hasStarted }) => hasStarted) ?? free[0] ?? null;
  }

  /** @param record The thread that alone may run it; null: any. */
  #send(info: QueuedTask, record: WorkerRecord | null): void {
    if (info.isAbortable) info.cancel ??= new JobCancel();
    if (record === null) this.#shared++;
    else record.tasks.add(info);
    const failed = (error: unknown): void => {
      this.#returned(info, record);
      if (mayGoElsewhere(error, record) && !info.isOver) this.#send(info, null);
      else this.#ended(info, true, asPiscinaSays(error, record));
    };
    const ended = (result: unknown): void => {
      this.#returned(info, record);
      this.#ended(info, false, result);
    };
    try {
      this.#options.threads.run(info, record?.id).then(ended, failed);
    } catch (error) {
      failed(error);
    }
  }

  #returned(info: QueuedTask, record: WorkerRecord | null): void {
    if (record === null) this.#shared--;
    else record.tasks.delete(info);
  }

  #ended(info: QueuedTask, hasFailed: boolean, value: unknown): void {
    const { places, runTimes } = this.#options;
    if (info.started === 0) this.#lined.remove(info);
    else {
      places.give(info.isAbortable);
      runTimes?.record(performance.now() - info.started);
    }
    this.completed++;
    if (hasFailed) info.reject(value);
    else info.resolve(value);
    this.next();
    this.#open.remove(info);
    this.#options.changed();
  }

  #abort(info: QueuedTask, error: Error): void {
    info.reject(error);
    if (info.cancel !== null) {
      if (info.started === 0) this.#lined.remove(info);
      info.cancel.cancel();
    } else if (info.started === 0) {
      this.#held.remove(info);
      this.#open.remove(info);
    }
  }
}
