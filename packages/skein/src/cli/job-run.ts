/** A pool for one command, and its end. */
import { ThreadPool, type ThreadPoolOptions } from "@skein/pool";
import { UsageError } from "./command-line.ts";
import { isWrongReference, type JobReference } from "./job-reference.ts";

/** Idle threads leave at once; what jobs have left running on the others is ended then. */
const LEAVE_MS = 100;

/**
 * Calls `use` with a pool that is ended afterwards, together with whatever jobs have left on its threads.
 * @throws UsageError when there is no such module or export.
 */
export async function withPool<T>(
  reference: JobReference,
  options: ThreadPoolOptions,
  use: (pool: ThreadPool) => Promise<T>,
): Promise<T> {
  const pool = new ThreadPool(options);
  try {
    return await use(pool);
  } catch (error) {
    throw isWrongReference(error, reference) ? new UsageError(error.message) : error;
  } finally {
    await pool.close({ drain: false, timeoutMs: LEAVE_MS });
  }
}
