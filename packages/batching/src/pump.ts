import { someoneTracesBatches, traceBatch } from "./batch-tracing.ts";
import type { Batch, BatchOwner } from "./batch.ts";
import { contextOf } from "./context-of.ts";
import { isThenable, whenSettled } from "./native-promise.ts";

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
    const given = state as S;
    const result = someoneTracesBatches()
      ? traceBatch(describe(owner, batch), () => pump(batch.items, batch.slot, given, signal))
      : pump(batch.items, batch.slot, given, signal);
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

function describe<T>(
  { name }: BatchOwner<T>,
  { items, slot, count, failures, scopes }: Batch<T>,
): Parameters<typeof traceBatch>[0] {
  return {
    name,
    slot,
    size: count,
    attempt: failures + 1,
    contextOf: scopes === null ? null : (index) => contextOf(items, index),
  };
}
