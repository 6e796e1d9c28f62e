/**
 * Loads a job module in the thread that runs the job, in the empty context: a module belongs to the thread, not to the job that
 * happens to be the first to need it.
 *
 * TypeScript is loaded as Node loads it: types are stripped. What Node cannot strip goes through tsx, if the project has it (tsx.ts).
 */
import { AsyncScope } from "@skein/context";
import { JobModuleError } from "../errors.ts";
import { assertFileUrl } from "./job-url.ts";
import { missingModule, siblingOf } from "./module-sibling.ts";
import { loading } from "./module-loading.ts";
import { nameLocation } from "./syntax-location.ts";
import { loadTransformed, needsTransform } from "./tsx.ts";

/**
 * The namespace of the job module at `url`. If only its compiled form exists, or only its source, that is loaded.
 *
 * Errors that the module throws while it is evaluated arrive as themselves, and so do syntax errors, whose message names file and line.
 *
 * @throws TypeError when `url` is not a `file:` URL.
 * @throws JobModuleError when there is no such file, or when the module needs tsx and tsx is not installed.
 * @throws SkeinError ERR_SKEIN_POOL_IN_JOB_MODULE when the module runs jobs while it is loaded.
 */
export async function loadJobModule(url: string): Promise<object> {
  assertFileUrl(url);
  return await AsyncScope.root.run(loading, url, load);
}

async function load(url: string): Promise<object> {
  try {
    return await loadEither(url);
  } catch (error) {
    if (!missingModule(error, url)) throw await nameLocation(error, url);
    const { found, explanation } = siblingOf(url);
    if (found === null) throw new JobModuleError(url, explanation, { cause: error });
    try {
      return await loadEither(found);
    } catch (failure) {
      throw await nameLocation(failure, found);
    }
  }
}

async function loadEither(url: string): Promise<object> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- code that is loaded at run time has no static type
    return (await import(url)) as object;
  } catch (error) {
    if (!needsTransform(error, url)) throw error;
    return await loadTransformed(url, error);
  }
}
