/** Tasks that are on their way, oldest first, and who waits until there is none. The tasks themselves are the list. */
import { Promise } from "./intrinsics.ts";
import type { QueuedTask, TaskInfo } from "./task-info.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

export class OpenTasks {
  #first: TaskInfo | null = null;
  #last: TaskInfo | null = null;
  #onEmpty: (() => void)[] = [];

  add(task: TaskInfo): void {
    task.isOpen = true;
    task.before = this.#last;
    if (this.#last === null) this.#first = task;
    else this.#last.after = task;
    this.#last = task;
  }

  /** Nothing happens when it is not in the list. */
  remove(task: TaskInfo): void {
    if (!task.isOpen) return;
    const { before, after } = task;
    task.isOpen = false;
    task.before = null;
    task.after = null;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    if (this.#first !== null) return;
    for (const callback of this.#onEmpty.splice(0)) callback();
  }

  /** Those of now. */
  all(): QueuedTask[] {
    const tasks: QueuedTask[] = [];
    for (let task = this.#first; task !== null; task = task.after) tasks.push(task as QueuedTask);
    return tasks;
  }

  /** @returns resolves when there is none, with true; with false after `timeoutMs`. */
  whenEmpty(timeoutMs: number): Promise<boolean> {
    if (this.#first === null) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs, false).unref();
      this.#onEmpty.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
