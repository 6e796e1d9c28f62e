/**
 * Who waits for the threads that `start` has started, in `ready`.
 *
 * | state   | means                                                          | `ready` gives  | moves to                                     |
 * | ------- | -------------------------------------------------------------- | -------------- | -------------------------------------------- |
 * | settled | no such thread is starting, and none has failed since `start`  | nothing        | pending: by `add`; failed: by `fail`         |
 * | pending | some are starting                                              | when it is over | settled: all are ready; failed: one is not  |
 * | failed  | one did not start, or could not load what it was to load       | its error      | pending or settled: by `begin`, the next `start` |
 *
 * Threads that start for jobs do not count: their jobs tell what became of them.
 */
import type { PoolThread } from "./pool-thread.ts";
import { Promise } from "../shared/intrinsics.ts";

interface Waiting {
  readonly over: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

export class ThreadStarts<T = PoolThread> {
  readonly #starting = new Set<T>();
  readonly #onChange: () => void;
  #failure: { readonly error: unknown } | null = null;
  #waiting: Waiting | null = null;

  /** @param onChange Somebody waits, or nobody does any more. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return this.#waiting !== null;
  }

  /** `start` was called: what failed before is over. */
  begin(): void {
    this.#failure = null;
  }

  add(thread: T): void {
    this.#starting.add(thread);
  }

  /** The thread got ready, or has ended without. */
  remove(thread: T, failure: { readonly error: unknown } | null): void {
    if (!this.#starting.delete(thread)) return;
    if (failure !== null) this.fail(failure.error);
    else if (this.#starting.size === 0) this.#settle((waiting) => waiting.resolve());
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#settle((waiting) => waiting.reject(error));
  }

  /** Whoever waits now waits no more. */
  close(error: unknown): void {
    this.#settle((waiting) => waiting.reject(error));
  }

  async ready(): Promise<void> {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#starting.size === 0) return;
    if (this.#waiting === null) {
      this.#waiting = createWaiting();
      this.#onChange();
    }
    await this.#waiting.over;
  }

  #settle(how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    how(waiting);
    this.#onChange();
  }
}

function createWaiting(): Waiting {
  let settle!: Omit<Waiting, "over">;
  const over = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { over, ...settle };
}
