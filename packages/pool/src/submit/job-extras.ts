/** What few jobs have. The others share one object that says so: a burst of jobs is a burst of garbage. */
import type { AsyncScope } from "@skein/context";
import type { TracedJob } from "../jobs/job-tracing.ts";
import type { TraceMark } from "../shared/trace/thread-trace.ts";
import type { JobArgument } from "./argument-pumps.ts";
import type { CallerFrames } from "./caller-frames.ts";
import type { Home } from "./home.ts";
import type { OpenStream } from "./open-stream.ts";
import type { RunLimit } from "./run-limit.ts";

/** After a crash: the slot's own copy of inline arguments may be overwritten with half an outcome. */
export interface Retry {
  left: number;
  readonly args: Uint8Array;
}

export interface JobExtras {
  readonly frames: CallerFrames | null;
  /** What the encoded arguments name but do not contain: users' SharedArrayBuffers. */
  readonly keepAlive: readonly SharedArrayBuffer[] | null;
  /** For jobs that may run again. */
  readonly retry: Retry | null;
  /** Of who listens to what it reports, 0: nobody. */
  readonly progressId: number;
  /** Of its time from when a thread begins it; null: it has no limit. */
  readonly runLimit: RunLimit | null;
  /** Of its carried arguments, 0: there are none. */
  readonly carriedId: number;
  /** Those of its arguments that come piece by piece; null: none. */
  readonly pumps: readonly JobArgument[] | null;
  /** Null: it gives its result in one piece, as far as is known here. */
  readonly stream: OpenStream | null;
  /**
   * The context of the call, for subscribers of channels and for `unhandledRejection`. Null: nobody had subscribed, and the job has no
   * frames either, because too many were submitted at the time.
   */
  readonly scope: AsyncScope | null;
  /** Null: nobody subscribed to the TracingChannel when it was submitted. */
  readonly traced: TracedJob | null;
  /** In the timeline. Null: it is not recorded. */
  readonly mark: TraceMark | null;
  /** Stops listening to the caller's signal and clock. */
  readonly stopWatching: (() => void) | null;
  /** Ends the thread of a job that was given up and does not stop. */
  readonly graceTimer: NodeJS.Timeout | null;
  /** The thread that alone may run it, while it has a slot; null: any. */
  readonly home: Home | null;
}

export const noExtras: JobExtras = {
  frames: null,
  keepAlive: null,
  retry: null,
  progressId: 0,
  runLimit: null,
  carriedId: 0,
  pumps: null,
  stream: null,
  scope: null,
  traced: null,
  mark: null,
  stopWatching: null,
  graceTimer: null,
  home: null,
};

/** @param parts All that are not as in `noExtras`. */
export function jobExtras(parts: Partial<JobExtras>): JobExtras {
  return { ...noExtras, ...parts };
}
