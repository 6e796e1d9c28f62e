/** Job modules: the functions that a file exports, as handles that run on a pool. */
import type { Task } from "@skein/scheduling";
import type { SubmitOptions } from "../submit/submit-options.ts";

/** A job: call it, or pass it to `run`. Arguments and result cross by value, as in structured clone. */
export interface Job<A extends unknown[], R> {
  (...args: A): Task<Awaited<R>>;
  readonly [jobSource]: JobSource;
}

/** The functions of module `M` as jobs; what is not a function has no handle. */
export type JobModule<M> = {
  readonly [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] extends (
    ...args: infer A
  ) => infer R
    ? Job<A, R>
    : never;
};

/** Where a job's function lives. */
export interface JobSource {
  readonly url: string;
  readonly name: string;
}

export const jobSource: unique symbol = Symbol.for("skein.job-source");
export const jobDefaults: unique symbol = Symbol.for("skein.job-defaults");

/** What a job is besides a function. */
export interface JobHandle extends Job<unknown[], unknown> {
  readonly [jobDefaults]: SubmitOptions;
}

export function jobHandle(
  call: (...args: unknown[]) => Task<unknown>,
  source: JobSource,
  defaults: SubmitOptions,
): JobHandle {
  return Object.assign(call, { [jobSource]: source, [jobDefaults]: defaults });
}

/**
 * Handles are made when they are first asked for. Whether the module exports such a function turns out in the thread:
 * the job then rejects with JobNotFoundError, which lists what there is.
 */
export function createJobModule<M>(
  url: string,
  createJob: (source: JobSource) => Job<unknown[], unknown>,
): JobModule<M> {
  const handles = new Map<string, Job<unknown[], unknown>>();
  return new Proxy(Object.create(null) as JobModule<M>, {
    get(_, name) {
      // `then` is asked for by `await` and by Promise.resolve: a module is not a promise.
      if (typeof name === "symbol" || name === "then") return undefined;
      let handle = handles.get(name);
      if (handle === undefined) handles.set(name, (handle = createJob({ url, name })));
      return handle;
    },
    set: () => false,
  });
}
