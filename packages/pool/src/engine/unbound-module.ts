/** Job modules that belong to no engine. */
import { SkeinError } from "@skein/context/errors";
import { Task } from "@skein/scheduling";
import { resolveJobUrl } from "../jobs/job-url.ts";
import { createJobModule, jobHandle, type JobModule, type UntypedModule } from "./job-module.ts";
import { resolveModuleOptions, type RunOptions } from "./run-options.ts";

/**
 * The functions that a module exports, as jobs for any engine: `engine.run(jobs.area, [polygon])`, `engine.map(jobs.area, polygons)`. A
 * handle that is called rejects with ERR_SKEIN_NO_ENGINE, since it belongs to none.
 *
 * @param url A file URL or an absolute path.
 * @param defaults Options of every job of this module that a call does not replace; everything but `transfer`.
 * @throws TypeError or RangeError for a bad URL or default, naming it.
 */
export function jobModule<M = UntypedModule>(url: URL | string, defaults?: RunOptions): JobModule<M> {
  const href = resolveJobUrl(url);
  const options = resolveModuleOptions(defaults);
  return createJobModule<M>(href, (source) =>
    jobHandle(() => Task.fromError(callOf(source.name)), source, options),
  );
}

function callOf(name: string): SkeinError {
  return new SkeinError(
    "ERR_SKEIN_NO_ENGINE",
    `The job "${name}" of \`jobModule\` belongs to no engine. Write \`engine.run(jobs.${name}, [...args])\`, or take the module from an engine: \`engine.module(url)\``,
  );
}
