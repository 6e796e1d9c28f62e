export type { JobEngine } from "./base-engine.ts";
export type { JobMessage, ThreadMessage } from "./channels.ts";
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
export type { Job, JobModule } from "./job-module.ts";
export type {
  CloseOptions,
  MapOptions,
  Priority,
  RunOptions,
  ThreadPoolOptions,
  TraceOptions,
} from "./options.ts";
export type { Distribution, PoolStats } from "./pool-stats.ts";
export { ThreadPool } from "./thread-pool.ts";
export { move } from "./transfer/move.ts";
