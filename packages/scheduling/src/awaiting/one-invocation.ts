import { InvalidOperationError } from "@skein/context/errors";
import { reportUncaught } from "../uncaught.ts";

/** The guard against an awaiter that calls back twice (A8.2): the second caller is told. */
export class OneInvocation {
  #action: (() => void) | undefined;

  constructor(action: () => void) {
    this.#action = action;
  }

  /** @throws InvalidOperationError the second time. */
  invoke(): void {
    const action = this.#action;
    if (action === undefined) throw new InvalidOperationError("A continuation was invoked twice");
    this.#action = undefined;
    action();
  }

  /**
   * The awaiter has thrown: it may not call back any more. If it has done so before, the wait is over, and the error is uncaught.
   *
   * @throws the error, when it has not called back.
   */
  refuse(error: unknown): void {
    if (this.#action === undefined) {
      reportUncaught(error);
      return;
    }
    this.#action = undefined;
    throw error;
  }
}

/** What is handed out; a guard is its state. */
export function invokeOnce(once: OneInvocation): void {
  once.invoke();
}
