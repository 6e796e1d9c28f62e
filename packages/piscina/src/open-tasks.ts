/** Tasks that are on their way, and who waits until there is none. */
import type { QueuedTask } from "./task-info.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

export class OpenTasks {
  readonly #tasks = new Set<QueuedTask>();
  #onEmpty: (() => void)[] = [];

  add(task: QueuedTask): void {
    this.#tasks.add(task);
  }

  remove(task: QueuedTask): void {
    if (!this.#tasks.delete(task) || this.#tasks.size > 0) return;
    for (const callback of this.#onEmpty.splice(0)) callback();
  }

  [Symbol.iterator](): Iterator<QueuedTask> {
    return this.#tasks.values();
  }

  /** @returns resolves when there is none, with true; with false after `timeoutMs`. */
  whenEmpty(timeoutMs: number): Promise<boolean> {
    if (this.#tasks.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs, false).unref();
      this.#onEmpty.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
