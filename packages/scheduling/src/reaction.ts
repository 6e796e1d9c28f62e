import { AsyncScope } from "@skein/context";
import { rejectTask, resolveTask } from "./adopt.ts";
import { enqueueAsynchronous, isQueueIdle, runInMicrotask } from "./asynchronous-queue.ts";
import type { Place } from "./continuation-policy.ts";
import { swapContext } from "./contexts/synchronization-context.ts";
import { outcomeValue, tryCopyOutcome } from "./task-state.ts";
import type { Continuation, TaskState } from "./task-state.ts";

let react: (reaction: Reaction, callback: (value: unknown) => unknown) => void;

/** Takes whatever the task gives; written as a method, so that a callback for the task's own type fits. */
export type Callback = { call(value: unknown): unknown }["call"] | null | undefined;

/**
 * The callbacks of one `then`, and the task derived from them.
 *
 * It is itself the captured context: whatever was ambient where `then` was called is ambient in the callbacks (A5.8).
 */
export class Reaction extends AsyncScope implements Continuation {
  readonly policy: Place;
  readonly isAwait = true;
  readonly #antecedent: TaskState<unknown>;
  readonly #derived: TaskState<unknown>;
  #onFulfilled: Callback;
  #onRejected: Callback;

  constructor(
    antecedent: TaskState<unknown>,
    derived: TaskState<unknown>,
    onFulfilled: Callback,
    onRejected: Callback,
    policy: Place,
  ) {
    super();
    this.policy = policy;
    this.#antecedent = antecedent;
    this.#derived = derived;
    this.#onFulfilled = onFulfilled;
    this.#onRejected = onRejected;
  }

  invoke(): void {
    const antecedent = this.#antecedent;
    const callback = antecedent.status === "succeeded" ? this.#onFulfilled : this.#onRejected;
    if (typeof callback === "function") this.runOnce(react, this, callback);
    else tryCopyOutcome(this.#derived, antecedent);
  }

  /** The waiter learns of a scheduler's failure like of any other. */
  fail(error: unknown): void {
    const onRejected = this.#onRejected;
    const callback = (): unknown => {
      if (typeof onRejected === "function") return onRejected(error);
      throw error;
    };
    this.#onFulfilled = callback;
    this.#onRejected = callback;
    enqueueAsynchronous(this);
  }

  /**
   * Of no task, and always there: V8 lets a hidden class go with its last object, and with it all optimized code that has seen one.
   */
  static readonly kept: Reaction = AsyncScope.root.run(
    () => new Reaction(null as never, null as never, null, null, "asynchronous"),
  );

  static {
    react = (reaction, callback) => complete(reaction.#derived, callback, outcomeValue(reaction.#antecedent));
  }
}

/**
 * A Reaction without the object: for a task that has completed, and a callback that goes to the asynchronous queue. Native `await` of a
 * completed task comes this way.
 *
 * @returns false when only a Reaction keeps the order or the context.
 */
export function reactInMicrotask(
  antecedent: TaskState<unknown>,
  derived: TaskState<unknown>,
  callback: (value: unknown) => unknown,
): boolean {
  if (!isQueueIdle() || !AsyncScope.isNodeEnough) return false;
  const value = outcomeValue(antecedent);
  runInMicrotask(() => {
    const outside = swapContext(null);
    complete(derived, callback, value);
    swapContext(outside);
  });
  return true;
}

function complete(derived: TaskState<unknown>, callback: (value: unknown) => unknown, value: unknown): void {
  let returned: unknown;
  try {
    returned = callback(value);
  } catch (error) {
    rejectTask(derived, error);
    return;
  }
  resolveTask(derived, returned);
}
