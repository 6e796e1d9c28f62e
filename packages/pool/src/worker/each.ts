/** A job of several items: the function is called for each in turn, as if it were a job of its own. */
import { AsyncScope } from "@skein/context";
import { chunkOutcome } from "../jobs/chunk-job.ts";
import { JobCanceledError, NotSupportedError } from "../errors.ts";
import { isGenerator } from "../jobs/generators.ts";
import { type JobInProgress, runningJob } from "./current-job.ts";
import { isThenable } from "../jobs/thenable.ts";

type JobFunction = (...args: unknown[]) => unknown;
type Explain = (error: unknown) => unknown;

/** The function of a Chunk's job. It never throws: what an item throws is part of the outcome. */
export function eachOf(fn: JobFunction, explain: Explain): JobFunction {
  return (items) => new Each(fn, explain, items as unknown[]).run();
}

class Each {
  readonly #fn: JobFunction;
  readonly #explain: Explain;
  readonly #items: readonly unknown[];
  readonly #results: unknown[] = [];
  readonly #job: JobInProgress | null = runningJob();
  /** No item sees what another one has set. */
  readonly #scope = AsyncScope.capture();

  constructor(fn: JobFunction, explain: Explain, items: readonly unknown[]) {
    this.#fn = fn;
    this.#explain = explain;
    this.#items = items;
  }

  /** Without a promise, until an item returns one. */
  run(): unknown {
    const results = this.#results;
    try {
      while (results.length < this.#items.length) {
        const returned = this.#next();
        if (isThenable(returned)) return this.#goOn(returned);
        results.push(returned);
      }
    } catch (error) {
      return this.#outcome({ thrown: this.#explain(error) });
    }
    return this.#outcome(null);
  }

  async #goOn(first: PromiseLike<unknown>): Promise<unknown> {
    const results = this.#results;
    try {
      results.push(await first);
      while (results.length < this.#items.length) results.push(await this.#next());
    } catch (error) {
      return this.#outcome({ thrown: this.#explain(error) });
    }
    return this.#outcome(null);
  }

  #next(): unknown {
    if (this.#job?.isCancellationRequested === true) throw new JobCanceledError();
    const returned = this.#scope.run(this.#fn, this.#items[this.#results.length]);
    if (typeof returned === "object" && returned !== null && isGenerator(returned))
      throw new NotSupportedError("streams", "map with `chunkSize`", "a generator");
    return returned;
  }

  #outcome(failure: { readonly thrown: unknown } | null): unknown {
    return chunkOutcome(this.#results, failure);
  }
}
