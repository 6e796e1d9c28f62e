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
import { defaultSubmitOptions, resolveRunOptions, type RunOptions } from "./options.ts";
import type { FunctionEntry, FunctionRegistry } from "./submit/function-registry.ts";
import type { SubmitOptions } from "./submit/submission.ts";

export type AnyFunction = (...args: unknown[]) => unknown;

/** Where jobs go. */
export interface JobTarget {
  readonly functions: FunctionRegistry;
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
    if (typeof job !== "function") throw argumentTypeError("job", "a job of a module, or a function", job);
    if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
    const { [jobSource]: handleSource, [jobDefaults]: defaults } = job as Partial<JobHandle>;
    const resolved = resolveRunOptions(options, defaults ?? defaultSubmitOptions);
    const { functions } = this.#target;
    const fn =
      handleSource === undefined
        ? functions.ofFunction(job as AnyFunction, this.#target.exportOf)
        : functions.ofExport(handleSource.url, handleSource.name);
    return this.#submit(fn, args, resolved, below);
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
