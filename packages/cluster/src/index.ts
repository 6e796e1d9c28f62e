export { Cluster } from "./cluster.ts";
export type { ClusterOptions } from "./cluster-options.ts";
export type { ClusterConnection } from "./connection.ts";
export {
  ClusterUnavailableError,
  InvalidPayloadError,
  PayloadTooLargeError,
  WorkerLostError,
} from "./errors.ts";
export { type JobServer, serveJobs } from "./serve-jobs.ts";
export type { ServeOptions } from "./serve-options.ts";
