/**
 * Whether this is a pool thread, told by its `workerData`, so that it is known from the first line that runs in it: preloads run before
 * any module of ours.
 */
import { workerData } from "node:worker_threads";

/** A part of `workerData` of a pool thread. */
export interface PoolThreadMark {
  /** 1: a thread of a pool that was made outside of pool threads; n + 1: of one that was made on a thread of generation n. */
  readonly skeinGeneration: number;
}

/** 0: not a pool thread. */
export const generation: number = generationOf(workerData);

function generationOf(data: unknown): number {
  if (typeof data !== "object" || data === null || !Object.hasOwn(data, "skeinGeneration")) return 0;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked in the next line
  const { skeinGeneration } = data as PoolThreadMark;
  return typeof skeinGeneration === "number" ? skeinGeneration : 0;
}
