/** What an engine can do, by name, and what it answers to a call that asks for more. */
import { streamsIn } from "../codec/marked-streams.ts";
import { NotSupportedError } from "../errors.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import { defaultSubmitOptions, type SubmitOptions } from "../submit/submit-options.ts";

/**
 * What an engine can do. But for `parallel` and `sharedMemory`, where a capability is false, a call that needs it rejects with NotSupportedError, which names the capability, the
 * engine and the option; nothing was started then. Options that only say the default need no capability.
 */
export interface EngineCapabilities {
  /** Jobs run on other threads: one that computes holds up nobody here, and sees meanwhile that it was cancelled. */
  readonly parallel: boolean;
  /**
   * Jobs run in this process: SharedArrayBuffers are shared, and Blobs, MessagePorts and keys are carried. Otherwise they are refused by
   * their path, NotCloneableError.
   */
  readonly sharedMemory: boolean;
  /** Functions that are shipped as their source. */
  readonly inlineFunctions: boolean;
  /** `priority` other than "normal". */
  readonly priorities: boolean;
  /** `onCancel: "terminate"`. */
  readonly terminate: boolean;
  /** `exclusive: true`. */
  readonly exclusive: boolean;
  /** `retries` above 0. */
  readonly retries: boolean;
  /** `onProgress`. */
  readonly progress: boolean;
  /** `runTimeoutMs`: it is known when a job begins. */
  readonly runTimeouts: boolean;
  /** `transfer`: objects are moved, not copied. */
  readonly transfer: boolean;
  /** `affinity` and `thread`: jobs run on one thread alone. */
  readonly placement: boolean;
  /** `broadcast`. */
  readonly broadcast: boolean;
  /** `fork` and `parallelFor` in jobs. Where it is false, they throw the NotSupportedError in the job. */
  readonly forkJoin: boolean;
  /** Jobs that are generators: their results come piece by piece. Where it is false, such a job rejects when it has begun. */
  readonly streams: boolean;
  /** Arguments that are marked with `stream`: a job reads them piece by piece. */
  readonly streamArguments: boolean;
  /** What its jobs do and when can be recorded: the option `trace` of a pool, and `recordJobs`. */
  readonly timeline: boolean;
}

/** All that a ThreadPool can do. */
export const everyCapability: EngineCapabilities = Object.freeze({
  parallel: true,
  sharedMemory: true,
  inlineFunctions: true,
  priorities: true,
  terminate: true,
  exclusive: true,
  retries: true,
  progress: true,
  runTimeouts: true,
  transfer: true,
  placement: true,
  broadcast: true,
  forkJoin: true,
  streams: true,
  streamArguments: true,
  timeline: true,
});

/** The error of a job that needs what the engine cannot do; null: it can. */
export function refusalOf(
  engine: string,
  capabilities: EngineCapabilities,
  source: FunctionSource,
  args: readonly unknown[],
  options: SubmitOptions,
): NotSupportedError | null {
  if (capabilities === everyCapability) return null;
  const missing = (
    name: keyof EngineCapabilities,
    isAsked: boolean,
    option: string,
  ): NotSupportedError | null =>
    isAsked && !capabilities[name] ? new NotSupportedError(name, engine, option) : null;
  return (
    missing("inlineFunctions", source.kind === "inline", "inline functions") ??
    missing("priorities", options.priority !== defaultSubmitOptions.priority, "`priority`") ??
    missing("terminate", options.onCancel === "terminate", '`onCancel: "terminate"`') ??
    missing("exclusive", options.exclusive, "`exclusive: true`") ??
    missing("retries", options.retries > 0, `\`retries: ${options.retries}\``) ??
    missing("progress", options.onProgress !== undefined, "`onProgress`") ??
    missing("runTimeouts", options.runTimeoutMs !== undefined, "`runTimeoutMs`") ??
    missing("transfer", options.transfer !== null, "`transfer`") ??
    missing("placement", options.placement?.kind === "affinity", "`affinity`") ??
    missing("placement", options.placement?.kind === "thread", "`thread`") ??
    // Looked for only where it is not supported.
    (capabilities.streamArguments
      ? null
      : missing("streamArguments", streamsIn(args).length > 0, "an argument that is marked with `stream`"))
  );
}
