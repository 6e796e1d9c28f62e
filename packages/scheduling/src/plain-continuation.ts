import { enqueueAsynchronous } from "./asynchronous-queue.ts";
import type { WorkItem } from "./work-item.ts";

/** A function and its state, to be called where the task says, in whatever context. */
export class PlainContinuation implements WorkItem {
  readonly #callback: (state: unknown) => void;
  readonly #state: unknown;

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: PlainContinuation = new PlainContinuation(() => {}, null);

  constructor(callback: (state: unknown) => void, state: unknown) {
    this.#callback = callback;
    this.#state = state;
  }

  get policy(): "inline" {
    return "inline";
  }

  get isAwait(): boolean {
    return true;
  }

  invoke(): void {
    (0, this.#callback)(this.#state);
  }

  /** The scheduler failed; whoever waits is resumed all the same, by the queue that never fails. */
  fail(): void {
    enqueueAsynchronous(this);
  }
}
