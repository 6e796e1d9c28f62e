import type { Task } from "@skein/scheduling";
import type { FunctionSource } from "../jobs/function-source.ts";
import { Promise } from "../shared/intrinsics.ts";
import { refusedWith } from "./refused-call.ts";

/**
 * All results of a broadcast; or the one error, or an AggregateError of several, when all have ended. When `start` throws it rejects, as `run` does.
 * @param source What is run.
 */
export async function allOrErrors<R>(start: () => readonly Task<R>[], source: FunctionSource): Promise<R[]> {
  const outcomes = await Promise.allSettled(started(start, source));
  const errors: unknown[] = outcomes.filter((o) => o.status === "rejected").map((o) => o.reason);
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `The job failed on ${errors.length} threads`);
  return outcomes.map((o) => (o as PromiseFulfilledResult<R>).value);
}

function started<R>(start: () => readonly Task<R>[], source: FunctionSource): readonly Task<R>[] {
  try {
    return start();
  } catch (error) {
    throw refusedWith(error, source);
  }
}
