/** How tools get at a pool to record it, also when it is of another copy of this package: a bundle has its own, and tools stay outside of it. */
import { define, hasOwnProperty } from "../shared/intrinsics.ts";
import type { PoolRecording } from "../trace/pool-recording.ts";

export type Recorder = (locals: readonly string[], slicesPerThread: number) => PoolRecording;

/** Its number goes up when a recorder, or what it gives, is another one: copies too different for each other do not meet. */
const key: unique symbol = Symbol.for("skein.pool.recorder.v1");

export function offerRecorder(pool: object, recorder: Recorder): void {
  define(pool, key, recorder, false);
}

/** Null: it is no ThreadPool. */
export function recorderOf(pool: unknown): Recorder | null {
  if (typeof pool !== "object" || pool === null || !hasOwnProperty(pool, key)) return null;
  return (pool as { readonly [key]: Recorder })[key];
}
