/**
 * Which job this thread runs now. Kept on `globalThis` under a registered symbol, so that a job module that resolves
 * `@skein/pool/worker` to another copy of this package still sees it.
 */
import type { SlotTable } from "../shared/slot.ts";

export interface CurrentJob {
  readonly slots: SlotTable;
  /** -1 between jobs. */
  slot: number;
  /** Made when the job first asks for its signal. */
  controller: AbortController | null;
}

const key: unique symbol = Symbol.for("skein.pool.current-job");
const holder = globalThis as { [key]?: CurrentJob };

/** Null on a thread that is not a pool thread. */
export function currentJob(): CurrentJob | null {
  return holder[key] ?? null;
}

export function installCurrentJob(slots: SlotTable): CurrentJob {
  const current: CurrentJob = { slots, slot: -1, controller: null };
  Object.defineProperty(holder, key, { value: current });
  return current;
}
