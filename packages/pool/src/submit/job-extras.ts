/** What few jobs have. The others share one object that says so: a burst of jobs is a burst of garbage. */
import type { CallerFrames } from "./caller-frames.ts";

/** After a crash: the slot's own copy of inline arguments may be overwritten with half an outcome. */
export interface Retry {
  left: number;
  readonly args: Uint8Array;
}

export interface JobExtras {
  readonly frames: CallerFrames | null;
  /** What the encoded arguments name but do not contain: users' SharedArrayBuffers. */
  readonly keepAlive: unknown;
  /** For jobs that may run again. */
  readonly retry: Retry | null;
  /** Of its listener, 0: nobody listens. */
  readonly progressId: number;
  /** Of its carried arguments, 0: there are none. */
  readonly carriedId: number;
  /** Stops listening to the caller's signal and clock. */
  readonly stopWatching: (() => void) | null;
}

export const noExtras: JobExtras = {
  frames: null,
  keepAlive: null,
  retry: null,
  progressId: 0,
  carriedId: 0,
  stopWatching: null,
};

export function jobExtras(
  frames: CallerFrames | null,
  keepAlive: unknown,
  retry: Retry | null,
  progressId: number,
  carriedId: number,
): JobExtras {
  const hasNone =
    frames === null && keepAlive === null && retry === null && progressId === 0 && carriedId === 0;
  return hasNone ? noExtras : { frames, keepAlive, retry, progressId, carriedId, stopWatching: null };
}
