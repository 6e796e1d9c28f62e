/** A control: how many threads the pool may have. */
import type { OptionNames } from "@skein/context/errors";
import type { ThreadPool } from "@skein/pool";

export interface ThreadCounts {
  readonly minThreads?: number;
  readonly maxThreads?: number;
}

export const threadCountNames: OptionNames<ThreadCounts> = { minThreads: true, maxThreads: true };

/**
 * @returns why they were not set; null: they were.
 * @throws what the pool throws for a number that is none.
 */
export function setThreadCounts(pool: ThreadPool, { minThreads, maxThreads }: ThreadCounts): string | null {
  // Each must fit to the other at any moment.
  const lowersMax = maxThreads !== undefined && maxThreads < pool.minThreads;
  if (!lowersMax && maxThreads !== undefined && !pool.setMaxThreads(maxThreads)) return refusal(pool);
  if (minThreads !== undefined && !pool.setMinThreads(minThreads)) return refusal(pool);
  if (lowersMax && !pool.setMaxThreads(maxThreads)) return refusal(pool);
  return null;
}

function refusal({ minThreads, maxThreads }: ThreadPool): string {
  return `\`minThreads\` cannot be above \`maxThreads\`: they are ${minThreads} and ${maxThreads}`;
}
