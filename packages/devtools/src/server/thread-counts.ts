/** A control: how many threads the pool may have. */
import type { OptionNames } from "@skein/context/errors";
import type { ThreadPool } from "@skein/pool";

export interface ThreadCounts {
  readonly minThreads?: number;
  readonly maxThreads?: number;
}

export const threadCountNames: OptionNames<ThreadCounts> = { minThreads: true, maxThreads: true };

/**
 * Sets both, or neither.
 *
 * @returns why they were not set; null: they were.
 * @throws what the pool throws for a number that is none.
 */
export function setThreadCounts(pool: ThreadPool, wanted: ThreadCounts): string | null {
  const { minThreads, maxThreads } = pool;
  let isSet = false;
  try {
    isSet = set(pool, wanted);
  } finally {
    if (!isSet) set(pool, { minThreads, maxThreads });
  }
  if (isSet) return null;
  return `\`minThreads\` cannot be above \`maxThreads\`: they are ${minThreads} and ${maxThreads}`;
}

/** @returns false when one of them was refused; the other may be set. */
function set(pool: ThreadPool, { minThreads, maxThreads }: ThreadCounts): boolean {
  // Each must fit to the other at any moment.
  const lowersMax = maxThreads !== undefined && maxThreads < pool.minThreads;
  if (!lowersMax && maxThreads !== undefined && !pool.setMaxThreads(maxThreads)) return false;
  if (minThreads !== undefined && !pool.setMinThreads(minThreads)) return false;
  return !lowersMax || pool.setMaxThreads(maxThreads);
}
