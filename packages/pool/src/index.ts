export type { JobEngine } from "./engine/base-engine.ts";
export type { JobMessage, StrayErrorMessage, ThreadMessage } from "./jobs/channels.ts";
export { registerError } from "./codec/error-registry.ts";
export {
  JobCanceledError,
  JobModuleError,
  JobNotFoundError,
  JobTimeoutError,
  NotCloneableError,
  PoolClosedError,
  QueueFullError,
  ThreadCrashedError,
} from "./errors.ts";
export type { Job, JobModule } from "./engine/job-module.ts";
export type {
  CloseOptions,
  MapOptions,
  Priority,
  RunOptions,
  ThreadPoolOptions,
  TraceOptions,
} from "./engine/options.ts";
export type { Distribution, PoolStats } from "./host/pool-stats.ts";
export { ThreadPool } from "./engine/thread-pool.ts";
export { move } from "./transfer/move.ts";
