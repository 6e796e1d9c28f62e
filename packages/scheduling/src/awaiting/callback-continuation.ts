import type { AsyncScope } from "@skein/context";
import { enqueueAsynchronous } from "../asynchronous-queue.ts";
import type { Place } from "../continuation-policy.ts";
import type { Continuation } from "../task-state.ts";

/** A continuation that came through the public awaiter pattern: a function, its state, and the context to call it in. */
export class CallbackContinuation<S> implements Continuation {
  readonly policy: Place;
  readonly #callback: (state: S) => void;
  readonly #state: S;
  readonly #scope: AsyncScope | null;

  constructor(callback: (state: S) => void, state: S, policy: Place, scope: AsyncScope | null) {
    this.policy = policy;
    this.#callback = callback;
    this.#state = state;
    this.#scope = scope;
  }

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: CallbackContinuation<null> = new CallbackContinuation(
    () => {},
    null,
    "asynchronous",
    null,
  );

  get isAwait(): boolean {
    return true;
  }

  invoke(): void {
    if (this.#scope === null) (0, this.#callback)(this.#state);
    else this.#scope.runOnce(this.#callback, this.#state);
  }

  /** The scheduler failed; whoever waits is resumed all the same, by the queue that never fails. */
  fail(): void {
    enqueueAsynchronous(this);
  }
}
