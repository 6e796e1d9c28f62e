import { current, replace } from "./ambient.ts";
import { matchAcrossCopies } from "./class-marks.ts";
import { InvalidOperationError } from "./errors.ts";

/**
 * Ends a suppression of flow: what `ExecutionContext.suppressFlow()` returns.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.threading.asyncflowcontrol
 */
export class AsyncFlowControl implements Disposable {
  static {
    matchAcrossCopies(this, "AsyncFlowControl");
  }

  #isActive: boolean;

  /** @internal Made by `ExecutionContext.suppressFlow()`; inactive when flow was suppressed already. */
  constructor(isActive: boolean) {
    this.#isActive = isActive;
  }

  /**
   * Lets the context flow again. Does nothing the second time, or if this control did not begin the suppression.
   * @throws InvalidOperationError if flow is not suppressed where it is called, for example inside a `run`.
   */
  undo(): void {
    if (!this.#isActive) return;
    restoreFlow();
    this.#isActive = false;
  }

  [Symbol.dispose](): void {
    this.undo();
  }
}

/** @throws InvalidOperationError if flow is not suppressed. */
export function restoreFlow(): void {
  const { unsuppressed } = current();
  if (unsuppressed === null)
    throw new InvalidOperationError("The flow of the context is not suppressed here");
  replace(unsuppressed);
}
