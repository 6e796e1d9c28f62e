/** Options of `start`. */
import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import { resolveJobUrl } from "../jobs/job-url.ts";

export interface StartOptions {
  /**
   * Job modules that the threads that this call starts load before they are ready, one after the other. File URLs or absolute paths, as
   * `module` takes them. @default none
   */
  readonly modules?: readonly (URL | string)[] | undefined;
}

const names: OptionNames<StartOptions> = { modules: true };

/** @returns the URLs of the modules. @throws TypeError naming the option. */
export function resolveStartOptions(options: StartOptions | undefined): string[] {
  const { modules } = ownOptions(options, names);
  if (modules === undefined) return [];
  if (!Array.isArray(modules))
    throw argumentTypeError("modules", "an array of file URLs or absolute paths", modules);
  return (modules as readonly (URL | string)[]).map((url, i) => resolveJobUrl(url, `modules[${i}]`));
}
