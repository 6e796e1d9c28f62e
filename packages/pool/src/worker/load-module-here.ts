/** For code that runs jobs of its own on a thread of somebody's pool. */
import { loadJobModule as load } from "../jobs/load-module.ts";
import { threadOfPool } from "./thread-of-pool.ts";

/**
 * The namespace of the job module at `url`, loaded in the empty context. If only its compiled form exists, or only its source, that is loaded.
 * On a pool thread it counts as one of the pool's job modules: where Node keeps the failure of one that threw, the pool replaces the thread.
 *
 * Errors that the module throws while it is evaluated arrive as themselves, and so do syntax errors, whose message names file and line.
 *
 * @throws TypeError when `url` is not a `file:` URL.
 * @throws JobModuleError when there is no such file, or when the module needs tsx and tsx is not installed.
 * @throws SkeinError ERR_SKEIN_POOL_IN_JOB_MODULE when the module runs jobs while it is loaded.
 */
export async function loadJobModule(url: string): Promise<object> {
  const thread = threadOfPool();
  return thread === null ? await load(url) : await thread.loadModule(url);
}
