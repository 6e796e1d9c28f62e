export type { JobEngine } from "./engine/base-engine.ts";
export type { JobMessage, LostJob, StrayErrorMessage, ThreadMessage } from "./jobs/channels.ts";
export type { TracedJob } from "./jobs/job-tracing.ts";
export type { TracedMap } from "./engine/map-tracing.ts";
export type { TracedRun } from "./jobs/run-tracing.ts";
export { registerError, type RegisterErrorOptions } from "./codec/error-registry.ts";
export {
  JobCanceledError,
  JobModuleError,
  JobNotFoundError,
  JobTimeoutError,
  NotCloneableError,
  NotSupportedError,
  PoolClosedError,
  QueueFullError,
  ThreadCrashedError,
  ThreadGoneError,
} from "./errors.ts";
export type {
  ItemOf,
  Job,
  JobModule,
  OnlyStreamed,
  Streamed,
  StreamJob,
  StreamOf,
  UntypedModule,
} from "./engine/job-module.ts";
export { stream, type StreamArgument, type StreamArgumentOptions } from "./engine/stream-argument.ts";
export type { JobStream, JobStreamCall, ReadableOptions } from "./submit/job-stream.ts";
export type { CloseOptions } from "./engine/close-options.ts";
export type { ReadyOptions } from "./engine/ready-options.ts";
export type { StartOptions } from "./engine/start-options.ts";
export type { MapOptions } from "./engine/map-options.ts";
export type { ThreadPoolOptions } from "./engine/pool-options.ts";
export type { Priority, RunOptions } from "./engine/run-options.ts";
export type { TraceOptions } from "./engine/trace-options.ts";
export type { JobHistogram, JobHistograms } from "./host/job-histogram.ts";
export type { Distribution, PoolStats } from "./host/pool-stats.ts";
export type { ThreadEvent, ThreadHandle } from "./host/thread-handle.ts";
export type { PoolEvent } from "./engine/pool-event.ts";
export { type PoolMessage, ThreadPool } from "./engine/thread-pool.ts";
export { move } from "./transfer/move.ts";
