/**
 * `@skein/pool/engine`: for people who write engines, that is, whatever runs jobs. Extend `BaseEngine`, which checks arguments and options
 * and does `module`, `run` and `map`, over a `JobTarget`: that is given each job's function, arguments and complete options, and gives
 * a Task. `JobFunctions` is the function set of an engine without shared memory.
 *
 * `EngineJobs` is such a target's `submit` and `close`, for an engine that can bring a request to a thread and a reply back: its `JobCarrier`.
 * The thread calls `runJob`. `encodeValue` and `decodeValue` are the codec of both; `isCarriedByMessage` is for
 * a codec of another kind.
 *
 * `JobSender` sends jobs to a ThreadPool for an object that hears of the outcome: `run` without its Task and its options. `suppressTracing`
 * and `showJobsAs` are for adapters that submit jobs of their own to one. `recordJobs` is for tools that show what its threads do.
 */
export type { CarriedJob } from "./adapter/engine-job.ts";
export { EngineJobs } from "./adapter/engine-jobs.ts";
export type { JobCarrier, JobEnds } from "./adapter/job-carrier.ts";
export {
  decodeValue,
  type EncodedValue,
  type EncodeOptions,
  encodeValue,
  type SentValue,
} from "./adapter/encoded-value.ts";
export type { JobReply, JobReport, JobRequest, ReportPort, SentReply } from "./adapter/job-request.ts";
export { runJob } from "./adapter/run-job.ts";
export { BaseEngine, type JobEngine, type JobTarget } from "./engine/base-engine.ts";
export { type EngineCapabilities, everyCapability } from "./engine/capabilities.ts";
export { type CloseOptions, resolveCloseOptions, type ResolvedCloseOptions } from "./engine/close-options.ts";
export { announceClosing, onClosing } from "./engine/closing.ts";
export { type FunctionSet, type JobFunction, JobFunctions } from "./engine/job-functions.ts";
export type { Job, JobModule, UntypedModule } from "./engine/job-module.ts";
export type { JobEntry } from "./engine/job-entry.ts";
export { JobSender, type SentJob } from "./engine/job-sender.ts";
export type { MapOptions } from "./engine/map-options.ts";
export type { OwnRunOptions, Priority, RunOptions } from "./engine/run-options.ts";
export { canRecord, recordJobs, type RecordOptions } from "./engine/record-jobs.ts";
export { jobModule } from "./engine/unbound-module.ts";
export { availableCores, cpuQuota } from "./host/available-cores.ts";
export { newPoolId } from "./host/pool-id.ts";
export type { FunctionSource, ShownFunction } from "./jobs/function-source.ts";
export { resolveJobUrl } from "./jobs/job-url.ts";
export { loadJobModule } from "./worker/load-module-here.ts";
export { showJobsAs } from "./jobs/shown-modules.ts";
export { suppressTracing } from "./jobs/untraced-modules.ts";
export { exportedFunction } from "./jobs/exported-function.ts";
export { isCarriedByMessage } from "./codec/cloneable-kind.ts";
export { type ErrorWire, fromWire, toWire } from "./codec/error-wire.ts";
export { CallState } from "./shared/call-state.ts";
export type { JobReceiver } from "./submit/callback-job.ts";
export { type CancelSignal, cancellationError } from "./submit/cancel-signal.ts";
export type { SubmitOptions } from "./submit/submit-options.ts";
export type { PoolRecording } from "./trace/pool-recording.ts";
export type { RecordedBatch, RecordedExit, RecordedThread } from "./trace/recording.ts";
export type { RecordedSlice, SliceCursor } from "./trace/slice-cursor.ts";
