/** Job functions for an engine that has no shared memory to describe them in: each is its source. */
import type { FunctionSource } from "../jobs/function-source.ts";
import { exportSource } from "../jobs/shown-modules.ts";
import { type ExportOf, sourceOfFunction } from "../jobs/source-of-function.ts";

/** A function that jobs call, as an engine knows it. */
export interface JobFunction {
  readonly source: FunctionSource;
}

/** How an engine finds the functions that its jobs call. */
export interface FunctionSet<F extends JobFunction> {
  ofExport(url: string, name: string): F;
  /** @throws TypeError for one that cannot be shipped. */
  ofFunction(fn: (...args: never[]) => unknown, exportOf: ExportOf): F;
  /** The same function, called for each item of a chunk. */
  ofEach(fn: F): F;
}

/** Keeps the source of each function object, which is costly to read, for as long as the object lives. */
export class JobFunctions implements FunctionSet<JobFunction> {
  readonly #known = new WeakMap<object, JobFunction>();

  ofExport(url: string, name: string): JobFunction {
    return { source: exportSource(url, name) };
  }

  ofFunction(fn: (...args: never[]) => unknown, exportOf: ExportOf): JobFunction {
    let known = this.#known.get(fn);
    if (known === undefined) this.#known.set(fn, (known = { source: sourceOfFunction(fn, exportOf) }));
    return known;
  }

  ofEach({ source }: JobFunction): JobFunction {
    return { source: { ...source, each: true } };
  }
}
