import type { Place } from "../continuation-policy.ts";
import type { Continuation } from "../task-state.ts";
import type { WorkItem } from "../work-item.ts";

/** Which wait has to suspend once, and what to run then: it has not completed before that ran (A8.3). */
export interface Yielding {
  hasYielded: boolean;
}

/** A continuation that marks its wait as having yielded when it runs, not when it is queued. */
export class ForcedYield implements Continuation {
  readonly policy: Place;
  readonly #wait: Yielding;
  readonly #work: WorkItem;

  constructor(wait: Yielding, work: WorkItem, policy: Place) {
    this.#wait = wait;
    this.#work = work;
    this.policy = policy;
  }

  get isAwait(): boolean {
    return true;
  }

  invoke(): void {
    this.#wait.hasYielded = true;
    this.#work.invoke();
  }

  fail(error: unknown): void {
    this.#wait.hasYielded = true;
    this.#work.fail(error);
  }
}
