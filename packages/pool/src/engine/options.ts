/** The one place where options are read and checked. Only own properties count: a polluted prototype changes nothing. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ResourceLimits, SHARE_ENV, Transferable } from "node:worker_threads";
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { type ContinuationPolicy, TaskScheduler } from "@skein/scheduling";
import type { HostOptions } from "../host/host.ts";
import type { ResolvedTraceOptions } from "../trace/pool-trace.ts";
import { defaultSubmitOptions, type SubmitOptions } from "../submit/submit-options.ts";
import { resolveJobUrl } from "../jobs/job-url.ts";
import { PRIORITIES } from "../shared/layout.ts";
import { checkedTransferList } from "../transfer/transfer-list.ts";

export interface ThreadPoolOptions {
  /** Shown as the name of the threads in debuggers and profilers. @default "skein" */
  readonly name?: string | undefined;
  /**
   * So many threads start as soon as jobs wait and all others are busy, and stay. 0 means 1. More, up to `maxThreads`, start when
   * jobs wait for a second although cores are idle, or when no thread takes one. @default os.availableParallelism(), at most `maxThreads`
   */
  readonly minThreads?: number | undefined;
  /** There are never more threads. 1 to 1024. @default os.availableParallelism(), or `minThreads` when that is more */
  readonly maxThreads?: number | undefined;
  /**
   * A thread above `minThreads` ends after so many milliseconds without a job. Positive, up to 2^31 - 1, or Infinity. What jobs left in
   * it, timers and sockets, ends with it. @default 20 000
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * How many jobs a thread takes that wait for something, a timer or an answer, each going on when it can; 1: one job at a time. A job that
   * waits for jobs of this pool never keeps its thread from running others. 1 to 65 536. @default 1
   */
  readonly jobsPerThread?: number | undefined;
  /**
   * How many jobs may wait beyond those that the threads can run at once; `run` rejects with QueueFullError above it. 0: a job is
   * only taken when a thread is free for it. Jobs that jobs submit are not counted. @default Infinity
   */
  readonly maxQueue?: number | undefined;
  /** How many bytes of encoded arguments the jobs that run and wait may have, up to 2^32. @default 2^30 */
  readonly maxQueueBytes?: number | undefined;
  /** A module that each thread imports before its first job; top-level await is allowed. A file URL or an absolute path. */
  readonly initialize?: URL | string | undefined;
  /**
   * How long a thread without work looks on before it sleeps, in microseconds. It adapts itself below this limit, and does not spin
   * when threads outnumber cores. 0 to 1000; 0: never spin. @default 50
   */
  readonly spinLimitUs?: number | undefined;
  /** As in `Worker`. */
  readonly env?: NodeJS.ProcessEnv | typeof SHARE_ENV | undefined;
  /** As in `Worker`; omitted, the threads inherit the process's. */
  readonly execArgv?: readonly string[] | undefined;
  /** As in `Worker`. A thread that runs out of memory rejects its job with ThreadCrashedError and is replaced. */
  readonly resourceLimits?: ResourceLimits | undefined;
  /**
   * Records what happens in the pool and when, and writes it to this file as a timeline for ui.perfetto.dev or chrome://tracing: a track
   * per thread with its jobs, and arrows from a job's submission over its run to the settlement of its task. Written when the pool
   * closes, `close()` rejects when that fails; or when the process exits before, unless a signal ends it. A path or a file URL;
   * tried at once. Costs well under a microsecond per job and thread.
   */
  readonly trace?: string | URL | TraceOptions | undefined;
}

/** `trace` with its limits. */
export interface TraceOptions {
  /** A path, from the current working directory on if it is relative, or a file URL. The folder must exist. */
  readonly file: string | URL;
  /**
   * The newest so many events of each thread are kept, the file says how many were dropped. A job is two events on the thread that submits
   * it, and one or two on the thread that runs it. 40 bytes each. 1024 to 2^22, rounded up to a power of two. @default 65 536
   */
  readonly eventsPerThread?: number | undefined;
}

export type Priority = (typeof PRIORITIES)[number];

export interface RunOptions {
  /** Cancels the job. Queued: it never runs. Running: its task rejects at once, and `job.isCancellationRequested` turns true. */
  readonly signal?: AbortSignal | undefined;
  /** Rejects with JobTimeoutError when the job has not settled this many milliseconds after the call. Positive, up to 2^31 - 1. */
  readonly timeoutMs?: number | undefined;
  /** Threads take higher priorities first; lower ones get their turn all the same. @default "normal" */
  readonly priority?: Priority | undefined;
  /** How the continuations of the task run on the calling thread. @default "asynchronous" */
  readonly continuations?: ContinuationPolicy | undefined;
  /** How often the job runs again when its thread dies. Only for jobs that may run twice. 0 to 100. @default 0 */
  readonly retries?: number | undefined;
  /**
   * What happens to a running job that is cancelled or out of time. 'cooperate': it is asked to stop, and its thread is busy until it
   * does. 'terminate': if it has not stopped after `graceMs`, its thread is ended and replaced. @default "cooperate"
   */
  readonly onCancel?: "cooperate" | "terminate" | undefined;
  /** See `onCancel`. Milliseconds, 0 to 2^31 - 1. @default 1000 */
  readonly graceMs?: number | undefined;
  /** Called with what the job reports by `job.progress(value)`, in order, in the context of this call, before the task settles. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /**
   * Objects in the arguments that are moved to the thread instead of copied: ArrayBuffers, MessagePorts, streams, FileHandles. They are
   * detached when the call returns, or not at all when it throws or rejects at once. Costs a message, whatever their size: about as much
   * as copying 64 KB. Not together with `retries`, and not as a default of a module. See also `move`. @default none
   */
  readonly transfer?: readonly Transferable[] | undefined;
  /** Whether AsyncLocals with flow 'thread' or 'wire' go along. @default true */
  readonly flowContext?: boolean | undefined;
}

export interface MapOptions {
  /** How many jobs are under way at once, and so how far the source is read ahead: as many chunks. 1 to 65 536. @default 4 per thread */
  readonly concurrency?: number | undefined;
  /**
   * How many items one job has, for items that take microseconds: a job costs about two. Everything else holds for each item, as without:
   * order, isolation of values and context, the results before the first error, cancellation between two items. A chunk goes
   * off when it is full, and also when an async source has no next item within a turn of the event loop. Limits and statistics count
   * jobs. 1 to 65 536. @default 1
   */
  readonly chunkSize?: number | undefined;
  /** Whether results come in the order of the items; otherwise as they are ready. @default true */
  readonly ordered?: boolean | undefined;
  /** Ends the iteration with its reason, and cancels what is under way. */
  readonly signal?: AbortSignal | undefined;
}

export interface ResolvedMapOptions {
  readonly concurrency: number;
  readonly chunkSize: number;
  readonly ordered: boolean;
  readonly signal: AbortSignal | undefined;
}

export interface CloseOptions {
  /** Whether queued jobs still run. false: they reject with PoolClosedError, and running ones are asked to stop. @default true */
  readonly drain?: boolean | undefined;
  /** After so many milliseconds what still runs is ended and rejects with PoolClosedError. @default none */
  readonly timeoutMs?: number | undefined;
}

/** Jobs in slots; more wait in the backlog. 16 384 slots are 4 MiB of address space, touched as they are used. */
const CAPACITY_SLOTS = 16_384;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const DEFAULT_GRACE_MS = 1000;
const MAX_THREADS = 1024;
/** How far `setMaxThreads` can go: places cost address space, and a look at each that was ever used. */
const PLACES_PER_CORE = 4;
/** As .NET's worker threads. */
const DEFAULT_IDLE_TIMEOUT_MS = 20_000;
const DEFAULT_TRACE_EVENTS = 65_536;

/** @throws TypeError or RangeError naming the option. */
export function resolvePoolOptions(options: ThreadPoolOptions | undefined): HostOptions {
  const own = ownProperties("options", options);
  const name = own.name ?? "skein";
  if (typeof name !== "string") throw argumentTypeError("name", "a string", name);
  const { env, execArgv, resourceLimits, initialize } = own;
  if (env !== undefined && typeof env !== "object" && typeof env !== "symbol") {
    throw argumentTypeError("env", "an object or SHARE_ENV", env);
  }
  if (
    execArgv !== undefined &&
    !(Array.isArray(execArgv) && execArgv.every((arg) => typeof arg === "string"))
  ) {
    throw argumentTypeError("execArgv", "an array of strings", execArgv);
  }
  if (resourceLimits !== undefined && (typeof resourceLimits !== "object" || resourceLimits === null)) {
    throw argumentTypeError("resourceLimits", "an object", resourceLimits);
  }
  const cores = availableParallelism();
  const wantedThreads = integer("minThreads", own.minThreads, 0, MAX_THREADS);
  const maxThreads =
    integer("maxThreads", own.maxThreads, 1, MAX_THREADS) ??
    Math.min(MAX_THREADS, Math.max(cores, wantedThreads ?? 1));
  if (wantedThreads !== undefined && wantedThreads > maxThreads)
    throw argumentRangeError("minThreads", `at most maxThreads, ${maxThreads}`, wantedThreads);
  const jobsPerThread = integer("jobsPerThread", own.jobsPerThread, 1, 65_536) ?? 1;
  const maxQueue =
    own.maxQueue === Infinity ? Infinity : (integer("maxQueue", own.maxQueue, 0, 2 ** 31 - 1) ?? Infinity);
  return {
    minThreads: Math.max(1, wantedThreads ?? Math.min(cores, maxThreads)),
    maxThreads,
    places: Math.min(MAX_THREADS, Math.max(maxThreads, PLACES_PER_CORE * cores)),
    jobsPerThread,
    idleTimeoutMs:
      own.idleTimeoutMs === undefined
        ? DEFAULT_IDLE_TIMEOUT_MS
        : (positive("idleTimeoutMs", own.idleTimeoutMs) ?? Infinity),
    capacitySlots: CAPACITY_SLOTS,
    maxQueue,
    maxQueueBytes: integer("maxQueueBytes", own.maxQueueBytes, 1, 2 ** 32) ?? 2 ** 30,
    spinLimitUs: integer("spinLimitUs", own.spinLimitUs, 0, 1000) ?? 50,
    initialize: initialize === undefined ? null : resolveJobUrl(initialize),
    thread: { name, env, execArgv, resourceLimits },
    trace: own.trace === undefined ? null : resolveTrace(own.trace),
  };
}

const TRACE_EXPECTED = "a path, a file: URL, or an object with `file`";

function resolveTrace(trace: string | URL | TraceOptions): ResolvedTraceOptions {
  if (typeof trace !== "string" && (typeof trace !== "object" || trace === null)) {
    throw argumentTypeError("trace", TRACE_EXPECTED, trace);
  }
  if (typeof trace === "string" || trace instanceof URL) {
    return { file: tracePath("trace", trace), eventsPerThread: DEFAULT_TRACE_EVENTS };
  }
  const own = ownProperties("trace", trace);
  const events = integer("trace.eventsPerThread", own.eventsPerThread, 1024, 2 ** 22) ?? DEFAULT_TRACE_EVENTS;
  return { file: tracePath("trace.file", own.file), eventsPerThread: 2 ** Math.ceil(Math.log2(events)) };
}

function tracePath(name: string, file: string | URL): string {
  if (file instanceof URL) {
    if (file.protocol !== "file:") throw argumentTypeError(name, TRACE_EXPECTED, file.href);
    return fileURLToPath(file);
  }
  if (typeof file !== "string" || file === "") throw argumentTypeError(name, TRACE_EXPECTED, file);
  return resolve(file);
}

/** @throws TypeError or RangeError naming the option. */
export function resolveRunOptions(options: RunOptions | undefined, defaults: SubmitOptions): SubmitOptions {
  if (options === undefined) return defaults;
  const own = ownProperties("options", options);
  const { signal, timeoutMs, priority, continuations, flowContext, onCancel } = own;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw argumentTypeError("signal", "an AbortSignal", signal);
  if (priority !== undefined && !PRIORITIES.includes(priority)) {
    throw argumentTypeError("priority", "'high', 'normal' or 'low'", priority);
  }
  if (continuations !== undefined && !isPolicy(continuations)) {
    throw argumentTypeError(
      "continuations",
      "'inline', 'asynchronous', 'yield' or a TaskScheduler",
      continuations,
    );
  }
  if (flowContext !== undefined && typeof flowContext !== "boolean") {
    throw argumentTypeError("flowContext", "a boolean", flowContext);
  }
  if (onCancel !== undefined && onCancel !== "cooperate" && onCancel !== "terminate") {
    throw argumentTypeError("onCancel", "'cooperate' or 'terminate'", onCancel);
  }
  const { onProgress } = own;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw argumentTypeError("onProgress", "a function", onProgress);
  }
  const transfer = own.transfer === undefined ? null : checkedTransferList("transfer", own.transfer);
  const retries = integer("retries", own.retries, 0, 100) ?? defaults.retries;
  if (transfer !== null && retries > 0)
    throw argumentRangeError("retries", "0 for a job whose arguments are moved", retries);
  const graceMs = integer("graceMs", own.graceMs, 0, MAX_TIMEOUT_MS);
  const terminateAfterMs =
    onCancel === undefined
      ? defaults.terminateAfterMs
      : onCancel === "terminate"
        ? (graceMs ?? DEFAULT_GRACE_MS)
        : null;
  return {
    priority: priority === undefined ? defaults.priority : PRIORITIES.indexOf(priority),
    signal: signal ?? defaults.signal,
    timeoutMs: positive("timeoutMs", timeoutMs) ?? defaults.timeoutMs,
    continuations: continuations === undefined ? defaults.continuations : { continuations },
    flowContext: flowContext ?? defaults.flowContext,
    onProgress: onProgress ?? defaults.onProgress,
    retries,
    transfer,
    terminateAfterMs,
    isExclusive: terminateAfterMs !== null,
  };
}

/**
 * Options of every job of a module.
 * @throws TypeError or RangeError naming the option.
 */
export function resolveModuleOptions(options: RunOptions | undefined): SubmitOptions {
  const resolved = resolveRunOptions(options, defaultSubmitOptions);
  if (resolved.transfer !== null)
    throw argumentTypeError("transfer", "given with a call: it says what this call moves", options?.transfer);
  return resolved;
}

/** @throws TypeError or RangeError naming the option. */
export function resolveMapOptions(
  options: MapOptions | undefined,
  defaultConcurrency: number,
): ResolvedMapOptions {
  const { concurrency, chunkSize, ordered, signal } = ownProperties("options", options);
  if (ordered !== undefined && typeof ordered !== "boolean")
    throw argumentTypeError("ordered", "a boolean", ordered);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw argumentTypeError("signal", "an AbortSignal", signal);
  return {
    concurrency: integer("concurrency", concurrency, 1, 65_536) ?? defaultConcurrency,
    chunkSize: integer("chunkSize", chunkSize, 1, 65_536) ?? 1,
    ordered: ordered ?? true,
    signal,
  };
}

/** @throws TypeError or RangeError when it is no integer. */
export function threadCount(count: number): number {
  if (typeof count !== "number") throw argumentTypeError("count", "an integer", count);
  if (!Number.isInteger(count)) throw argumentRangeError("count", "an integer", count);
  return count;
}

/** @throws TypeError or RangeError naming the option. */
export function resolveCloseOptions(options: CloseOptions | undefined): {
  drain: boolean;
  timeoutMs: number | undefined;
} {
  const own = ownProperties("options", options);
  if (own.drain !== undefined && typeof own.drain !== "boolean")
    throw argumentTypeError("drain", "a boolean", own.drain);
  return { drain: own.drain ?? true, timeoutMs: positive("timeoutMs", own.timeoutMs) };
}

function ownProperties<T extends object>(name: string, options: T | undefined): T {
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    throw argumentTypeError(name, "an object", options);
  }
  return Object.assign(Object.create(null) as T, options);
}

function integer(name: string, value: number | undefined, min: number, max: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw argumentTypeError(name, `an integer from ${min} to ${max}`, value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw argumentRangeError(name, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

function positive(name: string, value: number | undefined): number | undefined {
  if (value === undefined || value === Infinity) return undefined;
  if (typeof value !== "number") throw argumentTypeError(name, "a positive number of milliseconds", value);
  if (!(value > 0 && value <= MAX_TIMEOUT_MS)) {
    throw argumentRangeError(name, `a positive number of milliseconds up to ${MAX_TIMEOUT_MS}`, value);
  }
  return value;
}

function isPolicy(value: unknown): value is ContinuationPolicy {
  return (
    value === "inline" || value === "asynchronous" || value === "yield" || value instanceof TaskScheduler
  );
}
