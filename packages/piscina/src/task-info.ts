/** A task between its call and its end. An AsyncResource, so that tools see what led to it and what follows from it. */
import { AsyncResource } from "node:async_hooks";
import { type AbortSignalAny, onAbort } from "./abort-signal.ts";
import type { JobCancel } from "./job-cancel.ts";
import { kQueueOptions } from "./symbols.ts";
import type { Task } from "./task-queues.ts";

let lastId = 0;

export class TaskInfo extends AsyncResource {
  readonly taskId: number = lastId++;
  readonly task: unknown;
  readonly filename: string;
  readonly name: string;
  readonly transfer: readonly unknown[] | undefined;
  readonly isAbortable: boolean;
  readonly created: number = performance.now();
  readonly promise: Promise<unknown>;
  /** When it had a place on a thread; 0: it waits. */
  started = 0;
  isOver = false;
  /** Of a task that may have to be taken back from the pool. */
  cancel: JobCancel | null = null;
  #stopListening: (() => void) | null = null;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(
    what: Pick<TaskInfo, "task" | "filename" | "name" | "transfer" | "isAbortable">,
    triggerAsyncId: number,
  ) {
    super("Piscina.Task", { requireManualDestroy: true, triggerAsyncId });
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

  listen(signal: AbortSignalAny, listener: () => void): void {
    this.#stopListening = onAbort(signal, listener);
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
    this.#stopListening?.();
    this.runInAsyncScope(settle, null, value);
    this.emitDestroy();
  }
}

/** As queues see it: with its queue options. */
export type QueuedTask = TaskInfo & Task;

/** What the caller has put on a task for its queue. */
export function queueOptionsOf(task: unknown): Task[typeof kQueueOptions] {
  const isHolder = typeof task === "object" && task !== null;
  return (isHolder ? (task as Partial<Task>)[kQueueOptions] : null) ?? null;
}
