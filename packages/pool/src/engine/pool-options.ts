/** Options of a pool. */
import { type ResourceLimits, SHARE_ENV } from "node:worker_threads";
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { availableCores } from "../host/available-cores.ts";
import type { HostOptions } from "../host/host.ts";
import type { RecycleLimits } from "../messages/recycle-limits.ts";
import { resolveJobUrl } from "../jobs/job-url.ts";
import { type OptionNames, ownOptions } from "@skein/context/errors";
import { clone } from "../transfer/clone.ts";
import { duration, integer } from "./option-values.ts";
import { resolveTraceOptions, type TraceOptions } from "./trace-options.ts";
import { isMadeByPreload } from "../worker/preload.ts";
import { DOMException, process } from "../shared/intrinsics.ts";
import { isDeno } from "../shared/is-deno.ts";

export interface ThreadPoolOptions {
  /** Shown as the name of the threads in debuggers and profilers. @default "skein" */
  readonly name?: string | undefined;
  /**
   * The number of threads that start on demand and are kept: one starts when a job waits and all others are busy. 0 means 1. More, up
   * to `maxThreads`, start when jobs wait for a second although cores are idle, or when no thread takes one.
   * @default the cores: os.availableParallelism() within the CPU limit of the container, at most `maxThreads`
   */
  readonly minThreads?: number | undefined;
  /**
   * The most threads at any time. 1 to 1024. While exclusive jobs wait and all threads wait for jobs, up to 16 more run them,
   * and leave as soon as they have nothing to do.
   * @default the cores, or `minThreads` when that is more
   */
  readonly maxThreads?: number | undefined;
  /**
   * A thread above `minThreads` ends after this many milliseconds without a job. What jobs left in it, timers and sockets, ends with it.
   * Positive, up to 2^31 - 1, or Infinity. @default 20 000
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * How many awaiting jobs one thread may hold, each going on when it can; 1: one job at a time. A job that waits for jobs of this pool
   * never keeps its thread from running others, nor does one to which the main thread is late to send what is moved. 1 to 65 536. @default 1
   */
  readonly jobsPerThread?: number | undefined;
  /**
   * A thread that has begun this many jobs takes no more and is replaced: its successor starts, then the thread leaves, after `dispose` of
   * `initialize`. Every job that the thread runs counts. Jobs that its jobs submit and wait for may still run there, and so does a
   * broadcast. If no successor gets ready, the thread goes on and is replaced later. 1 to 2^31 - 1, or Infinity. @default Infinity
   */
  readonly maxJobsPerThread?: number | undefined;
  /**
   * A thread whose heap holds this many bytes after a job is replaced in the same way, but takes jobs until then. Garbage that V8 has not
   * collected yet counts, so leave room above what the jobs need. Looked at every few milliseconds. 2^24 to 2^40, or Infinity.
   * @default Infinity
   */
  readonly maxHeapBytesPerThread?: number | undefined;
  /**
   * A thread that ends a job this many milliseconds after it got ready, or later, is replaced like one with a full heap. Positive, up to
   * 2^31 - 1, or Infinity. @default Infinity
   */
  readonly maxThreadAgeMs?: number | undefined;
  /**
   * How many jobs may wait beyond those that the threads can run at once; `run` rejects with QueueFullError above it. 0: a job is
   * only taken when a thread is free for it. A job that has begun counts until it settles, also while it leaves its thread to others: a
   * stream that nobody reads, a job that awaits jobs. Jobs that jobs submit are not counted. `ready({ below })` waits for what no thread has
   * taken alone. 0 to 2^31 - 1, or Infinity. @default Infinity
   */
  readonly maxQueue?: number | undefined;
  /**
   * How many bytes the jobs that run and wait may have: their encoded arguments, and their contexts, each distinct one counted once; a short
   * one lies beside the arguments of its first job, and counts once more if others have it too. 1 to 2^32. @default 2^30
   */
  readonly maxQueueBytes?: number | undefined;
  /**
   * A module that each thread imports before its first job; top-level await is allowed. A file URL or an absolute path.
   *
   * Its export `dispose`, if it has one, is called without arguments and awaited, once, when the thread leaves by itself: between two jobs,
   * or because the pool closes. Not when the thread crashes or is terminated, nor when the process ends without `close`. It may take
   * 10 seconds, or until the deadline of `close`; then the thread is terminated. Jobs that it submits reject with PoolClosedError. What it
   * throws is an uncaught error on the thread: shown, and counted as `stray`.
   * @default none
   */
  readonly initialize?: URL | string | undefined;
  /**
   * How long a thread without work polls before it sleeps, in microseconds. It adapts itself below this limit, and does not spin
   * when threads outnumber cores. 0 to 1000; 0: never spin. @default 50
   */
  readonly spinLimitUs?: number | undefined;
  /** As in `Worker`; read when the pool is made. @default process.env, as it is when a thread starts */
  readonly env?: NodeJS.ProcessEnv | typeof SHARE_ENV | undefined;
  /**
   * `workerData` of `node:worker_threads` in jobs, and in all that the threads load: a copy for each thread, made of a copy that is made
   * when the pool is. As in `postMessage`; nothing is moved. @default undefined
   */
  readonly workerData?: unknown;
  /** As in `Worker`: added to `process.argv` of the threads. @default none */
  readonly argv?: readonly string[] | undefined;
  /** As in `Worker`. @default those of the process */
  readonly execArgv?: readonly string[] | undefined;
  /** As in `Worker`. A thread that runs out of memory rejects its job with ThreadCrashedError and is replaced. @default Node's */
  readonly resourceLimits?: ResourceLimits | undefined;
  /**
   * Records what happens in the pool and when, and writes it to this file as a timeline for ui.perfetto.dev or chrome://tracing: a track
   * per thread with its jobs, and arrows from a job's submission over its run to the settlement of its task. The file is tried at
   * once and written when the pool closes (`close()` rejects when that fails), or when the process exits before, unless a signal ends it.
   * A path or a file URL. Costs well under a microsecond per job and thread. @default none
   */
  readonly trace?: string | URL | TraceOptions | undefined;
}

const names: OptionNames<ThreadPoolOptions> = {
  maxThreads: true,
  minThreads: true,
  name: true,
  idleTimeoutMs: true,
  jobsPerThread: true,
  maxJobsPerThread: true,
  maxHeapBytesPerThread: true,
  maxThreadAgeMs: true,
  maxQueue: true,
  maxQueueBytes: true,
  initialize: true,
  spinLimitUs: true,
  env: true,
  workerData: true,
  argv: true,
  execArgv: true,
  resourceLimits: true,
  trace: true,
};

const limitNames: OptionNames<ResourceLimits> = {
  maxOldGenerationSizeMb: true,
  maxYoungGenerationSizeMb: true,
  codeRangeSizeMb: true,
  stackSizeMb: true,
};

/** Jobs in slots; more wait in the backlog. 16 384 slots are 4 MiB of address space, touched as they are used. */
const CAPACITY_SLOTS = 16_384;
const MAX_THREADS = 1024;
/** How far `setMaxThreads` can go: places cost address space, and a look at each that was ever used. */
const MOST_THREADS_PER_CORE = 4;
/** Of `dispose`, when `close` has no earlier deadline. */
const DISPOSE_LIMIT_MS = 10_000;
/** As .NET's worker threads. */
const DEFAULT_IDLE_TIMEOUT_MS = 20_000;

/** @throws TypeError or RangeError naming the option. */
export function resolvePoolOptions(options: ThreadPoolOptions | undefined): HostOptions {
  const own = ownOptions(options, names);
  const { name = "skein" } = own;
  if (typeof name !== "string") throw argumentTypeError("name", "a string", name);
  const counts = resolveThreadCounts(own);
  return {
    ...counts,
    mostThreads: Math.max(counts.maxThreads, MOST_THREADS_PER_CORE * availableCores()),
    jobsPerThread: integer("jobsPerThread", own.jobsPerThread, 1, 65_536) ?? 1,
    capacitySlots: CAPACITY_SLOTS,
    maxQueue: limit("maxQueue", own.maxQueue, 0, 2 ** 31 - 1),
    maxQueueBytes: integer("maxQueueBytes", own.maxQueueBytes, 1, 2 ** 32) ?? 2 ** 30,
    spinLimitUs: integer("spinLimitUs", own.spinLimitUs, 0, 1000) ?? 50,
    initialize: own.initialize === undefined ? null : resolveJobUrl(own.initialize, "initialize"),
    disposeLimitMs: DISPOSE_LIMIT_MS,
    recycle: resolveRecycling(own),
    thread: {
      name,
      env: resolveEnv(own.env),
      workerData: resolveWorkerData(own.workerData),
      argv: resolveStrings("argv", own.argv),
      execArgv: resolveStrings("execArgv", own.execArgv),
      resourceLimits: resolveLimits(own.resourceLimits),
      runsPreloads: !isMadeByPreload(),
    },
    trace: own.trace === undefined ? null : resolveTraceOptions(own.trace),
  };
}

export interface ThreadCounts {
  readonly minThreads: number;
  readonly maxThreads: number;
  readonly idleTimeoutMs: number;
}

export function resolveThreadCounts(
  own: Pick<ThreadPoolOptions, "minThreads" | "maxThreads" | "idleTimeoutMs">,
): ThreadCounts {
  const cores = availableCores();
  const wantedThreads = integer("minThreads", own.minThreads, 0, MAX_THREADS);
  const maxThreads =
    integer("maxThreads", own.maxThreads, 1, MAX_THREADS) ??
    Math.min(MAX_THREADS, Math.max(cores, wantedThreads ?? 1));
  if (wantedThreads !== undefined && wantedThreads > maxThreads)
    throw argumentRangeError("minThreads", `at most maxThreads, ${maxThreads}`, wantedThreads);
  return {
    minThreads: Math.max(1, wantedThreads ?? Math.min(cores, maxThreads)),
    maxThreads,
    idleTimeoutMs:
      own.idleTimeoutMs === undefined
        ? DEFAULT_IDLE_TIMEOUT_MS
        : (duration("idleTimeoutMs", own.idleTimeoutMs) ?? Infinity),
  };
}

export function resolveRecycling(
  own: Pick<ThreadPoolOptions, "maxJobsPerThread" | "maxHeapBytesPerThread" | "maxThreadAgeMs">,
): RecycleLimits | null {
  const limits = {
    maxJobs: limit("maxJobsPerThread", own.maxJobsPerThread, 1, 2 ** 31 - 1),
    maxHeapBytes: limit("maxHeapBytesPerThread", own.maxHeapBytesPerThread, 2 ** 24, 2 ** 40),
    maxAgeMs: duration("maxThreadAgeMs", own.maxThreadAgeMs) ?? Infinity,
  };
  return Object.values(limits).every((value) => value === Infinity) ? null : limits;
}

export function limit(name: string, value: number | undefined, min: number, max: number): number {
  return value === Infinity ? Infinity : (integer(name, value, min, max) ?? Infinity);
}

/**
 * A count for `setMinThreads` or `setMaxThreads`.
 * @throws TypeError or RangeError when it is no integer.
 */
export function threadCount(name: string, count: number): number {
  if (typeof count !== "number") throw argumentTypeError(name, "an integer", count);
  if (!Number.isInteger(count)) throw argumentRangeError(name, "an integer", count);
  return count;
}

/** A copy: threads start at any time, and must not run the caller's getters then. */
export function resolveEnv(env: ThreadPoolOptions["env"]): ThreadPoolOptions["env"] {
  if (env === undefined || env === SHARE_ENV || env === process.env) return env;
  if (typeof env !== "object" || env === null) throw argumentTypeError("env", "an object or SHARE_ENV", env);
  const copy = Object.create(null) as NodeJS.ProcessEnv;
  for (const key of Object.keys(env)) {
    const value = (env as Record<string, string | number | undefined>)[key];
    copy[key] = value === undefined ? undefined : String(value);
  }
  return copy;
}

export function resolveStrings(
  name: string,
  strings: readonly string[] | undefined,
): readonly string[] | undefined {
  if (strings === undefined) return undefined;
  const copy = Array.isArray(strings) ? [...(strings as unknown[])] : null;
  if (copy === null || !copy.every((arg) => typeof arg === "string"))
    throw argumentTypeError(name, "an array of strings", strings);
  return copy;
}

/** A copy, for the same reason. What a getter of it throws is thrown. */
function resolveWorkerData(data: unknown): unknown {
  if (data === undefined) return undefined;
  if (isDeno) throw argumentTypeError("workerData", "left out on Deno, where it is the pool's own", data);
  try {
    return clone(data, []);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "DataCloneError") throw error;
    throw argumentTypeError("workerData", `data that can be cloned (${error.message})`, data);
  }
}

export function resolveLimits(limits: ResourceLimits | undefined): ResourceLimits | undefined {
  if (limits === undefined) return undefined;
  const own = ownOptions(limits, limitNames, "resourceLimits");
  for (const [key, value] of Object.entries(own)) {
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue;
    const error = typeof value === "number" ? argumentRangeError : argumentTypeError;
    throw error(`resourceLimits.${key}`, "a number of megabytes", value);
  }
  return own;
}
