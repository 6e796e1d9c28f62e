/** How long a job waits after it has thrown, until its next attempt. The store knows the kind of wait by name, and its worker how long it is. */
import type { BackoffOptions, BackoffStrategy } from "bullmq";

/** No wait is longer than an hour. */
export const MAX_BACKOFF_MS = 3_600_000;

/** BullMQ's own exponential one has no limit. */
const TYPE = "skein";

export function backoffOf(delay: number): BackoffOptions {
  return { type: TYPE, delay };
}

/** @param attemptsMade 1 after the first. */
export const backoffStrategy: BackoffStrategy = (attemptsMade, _type, _error, job) => {
  const { delay = 0 } = (job?.opts.backoff ?? {}) as Partial<BackoffOptions>;
  return Math.min(MAX_BACKOFF_MS, delay * 2 ** (attemptsMade - 1));
};
