import { AsyncScope } from "@skein/context";
import { rejectTask, resolveTask } from "./adopt.ts";
import { enqueueAsynchronous } from "./asynchronous-queue.ts";
import type { Place } from "./continuation-policy.ts";
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

  static {
    react = (reaction, callback) => {
      const derived = reaction.#derived;
      let value: unknown;
      try {
        value = callback(outcomeValue(reaction.#antecedent));
      } catch (error) {
        rejectTask(derived, error);
        return;
      }
      resolveTask(derived, value);
    };
  }
}
