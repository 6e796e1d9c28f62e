export { type AttachOptions, Cluster } from "./cluster.ts";
export type { ClusterOptions } from "./cluster-options.ts";
export type { ClusterConnection } from "./connection.ts";
export {
  ClusterUnavailableError,
  InvalidPayloadError,
  KeyConflictError,
  KeyNotFoundError,
  PayloadTooLargeError,
  VersionSkewError,
  WorkerLostError,
} from "./errors.ts";
export { type JobServer, serveJobs } from "./serve-jobs.ts";
export type { FlowChild } from "./flow.ts";
export type { ClusterRunOptions } from "./run-options.ts";
export type { ServeOptions } from "./serve-options.ts";
export { skeinTelemetry, type SkeinTelemetryOptions } from "./telemetry.ts";
