import { argumentTypeError } from "@skein/context/errors";
import type { ExportOf } from "../jobs/source-of-function.ts";
import { defaultSubmitOptions, type SubmitOptions } from "../submit/submit-options.ts";
import type { FunctionSet, JobFunction } from "./job-functions.ts";
import { jobDefaults, type JobHandle } from "./job-module.ts";

export interface JobEntry<F extends JobFunction> {
  readonly fn: F;
  /** Of the job's module. */
  readonly defaults: SubmitOptions;
}

/**
 * The function that a job stands for.
 * @throws TypeError for what is no job, or cannot be shipped.
 */
export function jobEntry<F extends JobFunction>(
  job: unknown,
  functions: FunctionSet<F>,
  exportOf: ExportOf,
): JobEntry<F> {
  if (typeof job !== "function") throw argumentTypeError("job", "a job of a module, or a function", job);
  const fn = functions.ofFunction(job as (...args: never[]) => unknown, exportOf);
  return { fn, defaults: (job as Partial<JobHandle>)[jobDefaults] ?? defaultSubmitOptions };
}
