/** A task between its call and its end. An AsyncResource, so that tools see what led to it and what follows from it. */
import { AsyncResource, type AsyncResourceOptions } from "node:async_hooks";
import { AsyncScope } from "@skein/context";
import { SkeinError } from "@skein/context/errors";
import type { JobReceiver, SentJob } from "@skein/pool/engine";
import { AbortError, type AbortSignalAny, isAborted, onAbort, reasonOf } from "./abort-signal.ts";
import { Promise } from "./intrinsics.ts";
import { kQueueOptions } from "./symbols.ts";
import { reportUncaught } from "./report-uncaught.ts";
import type { Task } from "./task-queues.ts";
import { now, queueMicrotask } from "./timers.ts";
import type { WorkerRecord } from "./worker-record.ts";

/** The first task of a caller has 0. */
let lastId = -1;

/** What a caller asks for. */
export type TaskDescription = Pick<TaskInfo, "task" | "filename" | "name" | "transfer" | "isAbortable">;

/** Who gives tasks to the pool, and hears what became of them there. */
export interface TaskSender {
  taskCompleted(info: TaskInfo, result: unknown): void;
  taskFailed(info: TaskInfo, error: unknown): void;
  taskAborted(info: TaskInfo, error: Error): void;
}

export class TaskInfo extends AsyncResource implements JobReceiver {
  /**
   * Of no caller, and always there. V8 lets a hidden class go with its last object, and with it all optimized code that has seen one: after a
   * collection while there is no task, the next ones would begin in the interpreter.
   */
  static readonly kept: TaskInfo = AsyncScope.root.run(
    () =>
      new TaskInfo(
        { task: undefined, filename: "", name: "", transfer: undefined, isAbortable: false },
        { requireManualDestroy: true },
      ),
  );
  static {
    // A number with a fraction: of the hidden class that tasks have once they have run.
    this.kept.started = 0.5;
  }

  readonly taskId: number = lastId++;
  readonly task: unknown;
  readonly filename: string;
  readonly name: string;
  readonly transfer: readonly unknown[] | undefined;
  readonly isAbortable: boolean;
  readonly created: number = now();
  readonly promise: Promise<unknown>;
  /** When it had a place on a thread; 0: it waits. */
  started = 0;
  isOver = false;
  /** Null: the pool has never had it. */
  job: SentJob | null = null;
  sender: TaskSender | null = null;
  /** The thread that alone may run it; null: any. */
  record: WorkerRecord | null = null;
  // The list of open tasks: open-tasks.ts.
  isOpen = false;
  before: TaskInfo | null = null;
  after: TaskInfo | null = null;
  #stopListening: (() => void) | null = null;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(what: TaskDescription, resource: AsyncResourceOptions) {
    super("Piscina.Task", resource);
    const { task } = what;
    this.task = task;
    // Not declared: the name of a class member that is computed cannot be in a declaration file here.
    (this as { [kQueueOptions]?: object | null })[kQueueOptions] = queueOptionsOf(task);
    this.filename = what.filename;
    this.name = what.name;
    this.transfer = what.transfer;
    this.isAbortable = what.isAbortable;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /**
   * Aborts the task when the signal fires, or at once: the program's own code ran since it was asked for, which may have fired it.
   *
   * @returns whether the task goes on. @throws what the signal throws, which may be anything of the program's.
   */
  follow(signal: AbortSignalAny, sender: TaskSender): boolean {
    const fired = (): void => sender.taskAborted(this, new AbortError(reasonOf(signal)));
    this.#stopListening = onAbort(signal, fired);
    if (isAborted(signal)) fired();
    if (this.isOver) this.#forgetSignal();
    return !this.isOver;
  }

  completed(result: unknown): void {
    this.sender!.taskCompleted(this, result);
  }

  failed(error: unknown): void {
    // The pool's own errors are told while it still sees to a thread: who listens to the threads has to hear of that first.
    if (error instanceof SkeinError) queueMicrotask(() => this.sender!.taskFailed(this, error));
    else this.sender!.taskFailed(this, error);
  }

  resolve(result: unknown): void {
    this.#end(this.#resolve, result);
  }

  reject(error: unknown): void {
    this.#end(this.#reject, error);
  }

  /** Once; later calls have no effect. */
  #end(settle: (value: unknown) => void, value: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.runInAsyncScope(settle, null, value);
    this.emitDestroy();
    if (this.#stopListening !== null) this.#forgetSignal();
  }

  #forgetSignal(): void {
    try {
      this.#stopListening?.();
    } catch (error) {
      reportUncaught(error);
    }
  }
}

/** As queues see it: with its queue options. */
export type QueuedTask = TaskInfo & Task;

/** What the caller has put on a task for its queue. */
export function queueOptionsOf(task: unknown): Task[typeof kQueueOptions] {
  const isHolder = typeof task === "object" && task !== null;
  return (isHolder ? (task as Partial<Task>)[kQueueOptions] : null) ?? null;
}
