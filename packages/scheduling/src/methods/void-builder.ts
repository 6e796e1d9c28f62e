import type { SynchronizationContext } from "../contexts/synchronization-context.ts";
import { capturedContext } from "../contexts/synchronization-context.ts";
import { reportUncaught } from "../uncaught.ts";
import type { AsyncMethodBuilder } from "./method-builder.ts";

/** Fire and forget: the context where the call was made counts it as an operation and is given its error (A9.6). */
export class VoidBuilder implements AsyncMethodBuilder<void> {
  readonly #context: SynchronizationContext | null = capturedContext();
  readonly task: void = undefined;

  constructor() {
    this.#context?.operationStarted();
  }

  setResult(): void {
    this.#context?.operationCompleted();
  }

  setError(error: unknown): void {
    const context = this.#context;
    if (context === null) {
      reportUncaught(error);
      return;
    }
    try {
      context.post(rethrow, error);
    } catch {
      reportUncaught(error);
    } finally {
      context.operationCompleted();
    }
  }
}

function rethrow(error: unknown): never {
  throw error;
}
