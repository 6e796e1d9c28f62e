/** Job functions for an engine that has no shared memory to describe them in: each is its source. */
import { callingFile } from "../jobs/calling-file.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import { inlineSource } from "../jobs/inline-function.ts";
import { sourceOfHandle } from "../jobs/job-source.ts";

/** A function that jobs call, as an engine knows it. */
export interface JobFunction {
  readonly source: FunctionSource;
}

/** How an engine finds the functions that its jobs call. */
export interface FunctionSet<F extends JobFunction> {
  ofExport(url: string, name: string): F;
  /** @param exportOf Where a function was exported from, if that is known. @throws TypeError for one that cannot be shipped. */
  ofFunction(
    fn: (...args: never[]) => unknown,
    exportOf: (fn: object) => { readonly url: string; readonly name: string } | undefined,
  ): F;
  /** The same function, called for each item of a chunk. */
  ofEach(fn: F): F;
}

/** Keeps the source of each function object, which is costly to read, for as long as the object lives. */
export class JobFunctions implements FunctionSet<JobFunction> {
  readonly #known = new WeakMap<object, JobFunction>();

  ofExport(url: string, name: string): JobFunction {
    return { source: { kind: "export", url, name } };
  }

  ofFunction(
    fn: (...args: never[]) => unknown,
    exportOf: (fn: object) => { readonly url: string; readonly name: string } | undefined,
  ): JobFunction {
    let known = this.#known.get(fn);
    if (known === undefined) {
      const exported = sourceOfHandle(fn) ?? exportOf(fn);
      known =
        exported === undefined
          ? { source: { kind: "inline", source: inlineSource(fn), from: callingFile() } }
          : this.ofExport(exported.url, exported.name);
      this.#known.set(fn, known);
    }
    return known;
  }

  ofEach({ source }: JobFunction): JobFunction {
    return { source: { ...source, each: true } };
  }
}
