/** Where the objects of a pool live: those of one `spawn` go to different threads, and first to threads that have none. */
import type { ThreadPool } from "@skein/pool";
import type { JobEngine } from "@skein/pool/engine";

/** By pool, then by the id of the thread. */
const homes = new WeakMap<JobEngine, Map<number, number>>();

/** An object lives on this thread. @returns to be called when it does no longer */
export function settleOn(pool: JobEngine, threadId: number): () => void {
  let counts = homes.get(pool);
  if (counts === undefined) homes.set(pool, (counts = new Map()));
  const own = counts;
  own.set(threadId, (own.get(threadId) ?? 0) + 1);
  return () => {
    const left = own.get(threadId)! - 1;
    if (left > 0) own.set(threadId, left);
    else own.delete(threadId);
  };
}

/** The ids of `count` threads, as many as the pool may have at least; starts those that there are not. */
export async function threadsFor(pool: ThreadPool, count: number): Promise<number[]> {
  const counts = homes.get(pool) ?? new Map<number, number>();
  pool.start(Math.min(pool.maxThreads, counts.size + count));
  await pool.ready();
  const ids = pool.threads.map(({ threadId }) => threadId);
  return ids.toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0)).slice(0, count);
}
