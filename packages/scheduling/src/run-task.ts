import { AsyncScope } from "@skein/context";
import { rejectTask, resolveTask } from "./adopt.ts";
import { enqueueAsynchronous } from "./asynchronous-queue.ts";
import { isCanceled } from "./cancellation/cancellation-hook.ts";
import type { CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { cancellationError } from "./errors.ts";
import { tryCancel, tryFault } from "./task-state.ts";
import type { TaskState } from "./task-state.ts";
import type { WorkItem } from "./work-item.ts";

/** Queues `fn`, which runs in the context of this call; `target` ends as it does. */
export function runTask(
  target: TaskState<unknown>,
  fn: () => unknown,
  signal: CancellationSignal | undefined,
): void {
  enqueueAsynchronous(new TaskBody(target, fn, signal));
}

class TaskBody extends AsyncScope implements WorkItem {
  readonly #target: TaskState<unknown>;
  readonly #fn: () => unknown;
  readonly #signal: CancellationSignal | undefined;

  constructor(target: TaskState<unknown>, fn: () => unknown, signal: CancellationSignal | undefined) {
    super();
    this.#target = target;
    this.#fn = fn;
    this.#signal = signal;
  }

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: TaskBody = AsyncScope.root.run(
    () => new TaskBody(null as never, () => {}, undefined),
  );

  invoke(): void {
    // Cancelled before it started: the body never runs (A10.6).
    if (isCanceled(this.#signal)) tryCancel(this.#target, cancellationError(this.#signal));
    else this.runOnce(TaskBody.#call, this);
  }

  fail(error: unknown): void {
    tryFault(this.#target, error);
  }

  static #call(this: void, body: TaskBody): void {
    let value: unknown;
    try {
      value = (0, body.#fn)();
    } catch (error) {
      rejectTask(body.#target, error, body.#signal);
      return;
    }
    resolveTask(body.#target, value, body.#signal);
  }
}
