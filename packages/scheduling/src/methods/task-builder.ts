import { noteErrorLeaves } from "../awaiting/async-frames.ts";
import type { CancellationSignal } from "../cancellation/cancellation-hook.ts";
import type { ContinuationPolicy } from "../continuation-policy.ts";
import { OperationCanceledError, cancellationBy } from "../errors.ts";
import { tryCancel, tryFault, trySucceed } from "../task-state.ts";
import type { TaskState } from "../task-state.ts";
import type { AsyncMethodBuilder } from "./method-builder.ts";

/** What makes a task, and one that is completed already. */
export interface TaskFactory<R extends TaskState<unknown>> {
  pending(policy: ContinuationPolicy): R;
  completed(result: unknown): R;
}

/** For methods that return a task: pending only if somebody asks before the method has completed (A9.2). */
export class TaskBuilder<R extends TaskState<unknown>> implements AsyncMethodBuilder<R> {
  readonly #factory: TaskFactory<R>;
  readonly #signal: CancellationSignal | undefined;
  #task: R | null = null;

  /** @param signal the method's own: an error that obeys it cancels too. */
  constructor(factory: TaskFactory<R>, signal?: CancellationSignal) {
    this.#factory = factory;
    this.#signal = signal;
  }

  get task(): R {
    this.#task ??= this.#factory.pending("inline");
    return this.#task;
  }

  setResult(value: unknown): void {
    if (this.#task === null) this.#task = this.#factory.completed(value);
    else trySucceed(this.#task, value);
  }

  setError(error: unknown): void {
    failTask(this.task, error, this.#signal);
  }
}

/** Any OperationCanceledError that leaves a method cancels it (0.9). */
export function failTask(task: TaskState<unknown>, error: unknown, signal?: CancellationSignal): void {
  noteErrorLeaves(error, task);
  const canceled = error instanceof OperationCanceledError ? error : cancellationBy(signal, error);
  if (canceled === undefined) tryFault(task, error);
  else tryCancel(task, canceled);
}
