/** A forked call that nobody else will make: it is made at once. */
import { Task } from "@skein/scheduling";
import type { ForkedTask } from "../submit/forked-job.ts";
import { rejectionOf } from "../submit/pending-job.ts";
import { waitsForItself } from "./join-errors.ts";
import { isThenable } from "../jobs/thenable.ts";

/** Ends as a job would: `join` throws what the call threw, and `await` rejects with what a task can end with. */
export class CalledTask<T> implements ForkedTask<T> {
  readonly #task: Task<T>;
  /** Null: the call returned. */
  readonly #thrown: { readonly error: unknown } | null = null;

  constructor(fn: (...args: unknown[]) => unknown, args: readonly unknown[]) {
    try {
      const returned = fn(...args);
      this.#task = isThenable(returned)
        ? Task.from(settledLater(returned) as Promise<T>)
        : Task.fromResult(returned as T);
    } catch (error) {
      this.#thrown = { error };
      this.#task = failed(error);
    }
  }

  join(): T {
    if (!this.#task.isCompleted) throw waitsForItself();
    if (this.#thrown === null) return this.#task.result;
    // Observed: it is thrown here.
    void this.#task.error;
    throw this.#thrown.error;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is awaited
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    return this.#task.then(onFulfilled, onRejected);
  }
}

function failed<T>(error: unknown): Task<T> {
  return Task.fromError(error ?? rejectionOf(error));
}

async function settledLater(returned: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await returned;
  } catch (error) {
    throw error ?? rejectionOf(error);
  }
}
