/**
 * Where the objects of a pool live: those of one `spawn` go to different threads, and first to threads that have none.
 *
 * | a home    | means                                                       | goes on                                               |
 * | --------- | ----------------------------------------------------------- | ----------------------------------------------------- |
 * | promised  | its `spawn` chooses threads, when none is UNPLACED any more | placed: it has one, from which no other may keep it   |
 * | unplaced  | any thread may take it                                      | placed: it is constructed, and has told its thread    |
 * | placed    | counts for its thread                                       | -                                                     |
 *
 * A home keeps its place for life, so that one behind another would wait for ever: whoever chooses knows of all of them, and while somebody
 * chooses, or waits for what was chosen, neither a `spawn` nor a restart leaves it to the pool.
 */
import type { ThreadPool } from "@skein/pool";
import type { JobEngine } from "@skein/pool/engine";
import { Promise } from "./intrinsics.ts";

/** A thread for one home. */
export interface Place {
  readonly thread: number;
  /** To be called once, when nothing lives there, or ever will. */
  readonly leave: () => void;
}

class Homes {
  /** How many are placed, by the id of the thread. */
  readonly counts = new Map<number, number>();
  readonly unplaced = new Set<PromiseLike<void>>();
  promised = 0;
  /** How many calls of `onThreads` are under way. */
  choosing = 0;

  place(thread: number): Place {
    const { counts } = this;
    counts.set(thread, (counts.get(thread) ?? 0) + 1);
    const leave = (): void => {
      const left = counts.get(thread)! - 1;
      if (left > 0) counts.set(thread, left);
      else counts.delete(thread);
    };
    return { thread, leave };
  }
}

const ofPools = new WeakMap<JobEngine, Homes>();

function homesOf(pool: JobEngine): Homes {
  let homes = ofPools.get(pool);
  if (homes === undefined) ofPools.set(pool, (homes = new Homes()));
  return homes;
}

/** An object lives on this thread. */
export function settleOn(pool: JobEngine, thread: number): Place {
  return homesOf(pool).place(thread);
}

/** A home that any thread may take is under way until `constructed` settles. @returns the same promise */
export function onAnyThread(pool: JobEngine, constructed: Promise<void>): Promise<void> {
  const { unplaced } = homesOf(pool);
  const settled = (): void => void unplaced.delete(constructed);
  unplaced.add(constructed);
  void constructed.then(settled, settled);
  return constructed;
}

/** Whether a home that any thread may take could come before one that was chosen its thread. */
export function mustChoose(pool: ThreadPool): boolean {
  return homesOf(pool).choosing > 0;
}

/**
 * Chooses `count` threads, as many as the pool may have at least; starts those that there are not.
 *
 * @param construct constructs what lives there. @returns what it returns
 */
export async function onThreads<T>(
  pool: ThreadPool,
  count: number,
  construct: (places: readonly Place[]) => Promise<T>,
): Promise<T> {
  const homes = homesOf(pool);
  homes.choosing++;
  try {
    return await construct(await choose(pool, homes, count));
  } finally {
    homes.choosing--;
  }
}

async function choose(pool: ThreadPool, homes: Homes, count: number): Promise<readonly Place[]> {
  const { counts } = homes;
  homes.promised += count;
  try {
    await Promise.allSettled(homes.unplaced);
    pool.start(Math.min(pool.maxThreads, counts.size + homes.promised));
    await pool.ready();
    const ids = pool.threads.filter(({ isLeaving }) => !isLeaving).map(({ threadId }) => threadId);
    return ids
      .toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0))
      .slice(0, count)
      .map((id) => homes.place(id));
  } finally {
    homes.promised -= count;
  }
}
