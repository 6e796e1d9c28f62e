import { AsyncScope } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import type { Batch } from "./batch.ts";
import type { BatchingOptions } from "./options.ts";
import type { FailedBatch } from "./pump.ts";

/**
 * What `onError` decides about a batch that has just failed; what it leaves undecided, because there is none or it fails itself,
 * goes to the report. Calls user code: the batch must count as running until this returns.
 */
export function verdictOn<T>(
  batch: Batch<T>,
  error: unknown,
  onError: BatchingOptions<T>["onError"],
): "drop" | "retry" | FailedBatch<T> {
  const { items, slot } = batch;
  if (onError === undefined) return { items, slot, error };
  try {
    // Under the empty context also where the pump has thrown at once, and left something entered.
    const verdict: unknown = AsyncScope.root.run(onError, error, items, slot, batch.failures + 1);
    if (verdict === "retry" || verdict === "drop") return verdict;
    throw argumentTypeError("the result of onError", "'drop' or 'retry'", verdict);
  } catch (second) {
    const both = new AggregateError([error, second], "The pump failed, and so did onError");
    return { items, slot, error: both };
  }
}
