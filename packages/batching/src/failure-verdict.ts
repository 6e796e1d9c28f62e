import { argumentTypeError } from "@skein/context/errors";
import type { Batch } from "./batch.ts";
import type { BatchingOptions } from "./options.ts";
import type { FailedBatch } from "./pump.ts";

/** What `onError` decides about a batch; what it leaves undecided, because there is none or it fails itself, goes to the report. */
export function verdictOn<T>(
  batch: Batch<T>,
  error: unknown,
  onError: BatchingOptions<T>["onError"],
): "drop" | "retry" | FailedBatch<T> {
  const { items, slot, failures } = batch;
  if (onError === undefined) return { items, slot, error };
  try {
    const verdict: unknown = onError(error, items, slot, failures);
    if (verdict === "retry" || verdict === "drop") return verdict;
    throw argumentTypeError("the result of onError", "'drop' or 'retry'", verdict);
  } catch (second) {
    const both = new AggregateError([error, second], "The pump failed, and so did onError");
    return { items, slot, error: both };
  }
}
