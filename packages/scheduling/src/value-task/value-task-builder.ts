import type { AsyncMethodBuilder } from "../methods/method-builder.ts";
import { failTask } from "../methods/task-builder.ts";
import { trySucceed } from "../task-state.ts";
import { createTask } from "../task.ts";
import type { Task } from "../task.ts";
import type { ValueTaskSource } from "./value-task-source.ts";

/** How a builder makes what it returns. */
export interface ValueTaskFactory<R> {
  ofResult(result: unknown): R;
  ofTask(task: Task<never>): R;
  ofSource(source: ValueTaskSource<unknown>, token: number): R;
}

/** A task only when the method has to wait, or fails. */
export class ValueTaskBuilder<R> implements AsyncMethodBuilder<R> {
  readonly #factory: ValueTaskFactory<R>;
  #task: Task<never> | null = null;
  #result: unknown;
  #hasResult = false;

  constructor(factory: ValueTaskFactory<R>) {
    this.#factory = factory;
  }

  get task(): R {
    if (this.#hasResult) return this.#factory.ofResult(this.#result);
    return this.#factory.ofTask(this.#pending());
  }

  setResult(value: unknown): void {
    if (this.#task !== null) {
      trySucceed(this.#task, value);
      return;
    }
    this.#hasResult = true;
    this.#result = value;
  }

  setError(error: unknown): void {
    failTask(this.#pending(), error);
  }

  #pending(): Task<never> {
    return (this.#task ??= createTask<never>("inline"));
  }
}
