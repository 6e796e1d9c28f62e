/** Generator methods over sources that are used again and again (A9.8). */

import { noteErrorLeaves } from "../awaiting/async-frames.ts";
import type { AsyncMethodBuilder } from "../methods/method-builder.ts";
import { ManualResetCore } from "./manual-reset-core.ts";
import type { ValueTaskFactory } from "./value-task-builder.ts";

/** How many sources wait for their next method. */
const MAX_POOLED = 64;

const pool: PooledSource[] = [];

/** Goes back to the pool when its result is read: whoever reads again is refused by the token. */
class PooledSource extends ManualResetCore<unknown> {
  override getResult(token: number): unknown {
    const isLastUse = token === this.version && this.getStatus(token) !== "pending";
    try {
      return super.getResult(token);
    } finally {
      if (isLastUse) {
        this.reset();
        if (pool.length < MAX_POOLED) pool.push(this);
      }
    }
  }
}

export class PooledBuilder<R> implements AsyncMethodBuilder<R> {
  readonly #factory: ValueTaskFactory<R>;
  #source: PooledSource | null = null;
  #result: unknown;
  #hasResult = false;

  constructor(factory: ValueTaskFactory<R>) {
    this.#factory = factory;
  }

  get task(): R {
    if (this.#hasResult) return this.#factory.ofResult(this.#result);
    const source = this.#rent();
    return this.#factory.ofSource(source, source.version);
  }

  setResult(value: unknown): void {
    if (this.#source !== null) {
      this.#source.setResult(value);
      return;
    }
    this.#hasResult = true;
    this.#result = value;
  }

  setError(error: unknown): void {
    const source = this.#rent();
    noteErrorLeaves(error, source);
    // A source takes no null; what was thrown has to arrive all the same.
    source.setError(error ?? new TypeError(`A method threw ${String(error)}`, { cause: error }));
  }

  #rent(): PooledSource {
    return (this.#source ??= pool.pop() ?? new PooledSource("inline", 0));
  }
}
