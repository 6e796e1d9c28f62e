import type { Task } from "@skein/scheduling";
import { Promise } from "../shared/intrinsics.ts";

/** All results; or the one error, or an AggregateError of several, when all have ended. Rejects with what `start` throws. */
export async function allOrErrors<R>(start: () => readonly Task<R>[]): Promise<R[]> {
  const outcomes = await Promise.allSettled(start());
  const errors: unknown[] = outcomes.filter((o) => o.status === "rejected").map((o) => o.reason);
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `The job failed on ${errors.length} threads`);
  return outcomes.map((o) => (o as PromiseFulfilledResult<R>).value);
}
