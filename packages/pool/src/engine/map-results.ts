/** What `map` gives: the results, and the way out. */
import { JobCanceledError } from "../errors.ts";

/** The consumer has left: what is under way is cancelled with it, and the iteration ends without an error. */
export class IterationLeft extends JobCanceledError {
  constructor() {
    super(undefined, "The iteration over the results of `map` was left");
  }
}

/**
 * As the async generator behind it; but `return` cancels at once what is under way, where a generator would first wait for the job
 * that a pending `next` waits for.
 */
export class MapResults<R> implements AsyncIterableIterator<R>, AsyncDisposable {
  readonly #results: AsyncGenerator<R, void, undefined>;
  readonly #controller: AbortController;

  /** @param controller Cancels the jobs. */
  constructor(results: AsyncGenerator<R, void, undefined>, controller: AbortController) {
    this.#results = results;
    this.#controller = controller;
  }

  next(): Promise<IteratorResult<R, void>> {
    return this.#results.next();
  }

  return(): Promise<IteratorResult<R, void>> {
    this.#leave();
    return this.#results.return();
  }

  throw(error: unknown): Promise<IteratorResult<R, void>> {
    this.#leave();
    return this.#results.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #leave(): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(new IterationLeft());
  }
}
