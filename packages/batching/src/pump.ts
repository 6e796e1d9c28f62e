import type { Batch, BatchOwner } from "./batch.ts";
import { whenSettled } from "./native-promise.ts";

/**
 * Takes a batch to where it belongs. Runs under the empty context, not under that of any pusher.
 *
 * @param items Used again after the batch has ended: copy what you keep.
 * @param signal Aborted when `complete({ drain: false })` asks running batches to end; never while draining.
 */
export type Pump<T, S> = (
  items: readonly T[],
  slot: number,
  state: S,
  signal: AbortSignal,
) => PromiseLike<void> | void;

export interface FailedBatch<T> {
  readonly items: readonly T[];
  readonly slot: number;
  readonly error: unknown;
}

/** Under the empty context, where the pump's continuations stay. A pump that throws is a pump that failed. */
export function runBatch<T, S>(
  owner: BatchOwner<T>,
  batch: Batch<T>,
  pump: Pump<T, S>,
  state: S | undefined,
  signal: AbortSignal,
): void {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- start() has checked what S allows.
    const result = pump(batch.items, batch.slot, state as S, signal);
    if (isThenable(result)) {
      whenSettled(result, batch.onPumped, batch.onPumpFailed);
      return;
    }
  } catch (error) {
    owner.onPumpFailed(batch, error);
    return;
  }
  owner.onPumped(batch);
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
