/** `module` and `run`, for every thread that submits jobs: the arguments are checked, then it is the submitter's. */
import { argumentTypeError } from "@skein/context/errors";
import { Task, TaskCompletionSource } from "@skein/scheduling";
import {
  createJobModule,
  type JobHandle,
  jobHandle,
  type JobModule,
  jobDefaults,
  jobSource,
} from "./job-module.ts";
import { resolveJobUrl } from "./jobs/job-url.ts";
import { mapItems, type MapOptions, resolveMapOptions } from "./map.ts";
import { defaultSubmitOptions, resolveRunOptions, type RunOptions } from "./options.ts";
import type { FunctionEntry, FunctionRegistry } from "./submit/function-registry.ts";
import type { SubmitOptions } from "./submit/submission.ts";

/** Jobs under way in `map`, per thread, by default: one runs, the others wait for it. */
const MAP_AHEAD = 4;

export type AnyFunction = (...args: unknown[]) => unknown;

/** Where jobs go. */
export interface JobTarget {
  readonly functions: FunctionRegistry;
  readonly maxThreads: number;
  /** Why no job is taken any more, or null. */
  refusal(): Error | null;
  /** Where a plain function was exported from, if that is known here. */
  readonly exportOf: (fn: object) => { readonly url: string; readonly name: string } | undefined;
  submit(
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): Task<unknown>;
}

export class JobFront {
  readonly #target: JobTarget;

  constructor(target: JobTarget) {
    this.#target = target;
  }

  module<M>(url: URL | string, defaults: RunOptions | undefined): JobModule<M> {
    const options = resolveRunOptions(defaults, defaultSubmitOptions);
    return createJobModule<M>(resolveJobUrl(url), (source) => {
      const fn = this.#target.functions.ofExport(source.url, source.name);
      const handle = (...args: unknown[]): Task<unknown> => this.#submit(fn, args, options, handle);
      return jobHandle(handle, source, options);
    });
  }

  /** @param below The method that the user called. */
  run(job: unknown, args: unknown, options: RunOptions | undefined, below: AnyFunction): Task<unknown> {
    const { fn, defaults } = this.entryOf(job);
    if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
    const resolved = resolveRunOptions(options, defaults);
    return this.#submit(fn, args, resolved, below);
  }

  map<A, R>(
    job: unknown,
    items: Iterable<A> | AsyncIterable<A>,
    options: MapOptions | undefined,
    below: AnyFunction,
  ): AsyncIterableIterator<R> {
    if (typeof job !== "function") throw argumentTypeError("job", "a job of a module, or a function", job);
    if (!isIterable(items)) throw argumentTypeError("items", "an iterable or an async iterable", items);
    const resolved = resolveMapOptions(options, this.#target.maxThreads * MAP_AHEAD);
    return mapItems<A, R>(
      items,
      (item, signal) => this.run(job, [item], { signal }, below) as Task<R>,
      resolved,
    );
  }

  /** The function that a job stands for. */
  entryOf(job: unknown): { fn: FunctionEntry; defaults: SubmitOptions } {
    if (typeof job !== "function") throw argumentTypeError("job", "a job of a module, or a function", job);
    const { [jobSource]: source, [jobDefaults]: defaults } = job as Partial<JobHandle>;
    const { functions } = this.#target;
    const fn =
      source === undefined
        ? functions.ofFunction(job as AnyFunction, this.#target.exportOf)
        : functions.ofExport(source.url, source.name);
    return { fn, defaults: defaults ?? defaultSubmitOptions };
  }

  #submit(fn: FunctionEntry, args: unknown[], options: SubmitOptions, below: AnyFunction): Task<unknown> {
    const refusal = this.#target.refusal();
    if (refusal !== null) return Task.fromError(refusal);
    const { signal } = options;
    if (signal?.aborted === true) return canceled(signal);
    try {
      return this.#target.submit(fn, args, options, below);
    } catch (error) {
      return Task.fromError(error);
    }
  }
}

function canceled(signal: AbortSignal): Task<unknown> {
  const source = new TaskCompletionSource<unknown>();
  source.trySetCanceled(signal);
  return source.task;
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}
