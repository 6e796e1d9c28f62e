/** Options of a pool of processes: those of a ThreadPool, as far as a process has them. */
import { SHARE_ENV } from "node:worker_threads";
import { argumentRangeError, argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import { encodeValue } from "../adapter/encoded-value.ts";
import { integer } from "../engine/option-values.ts";
import {
  limit,
  resolveEnv,
  resolveLimits,
  resolveRecycling,
  resolveStrings,
  resolveThreadCounts,
  type ThreadPoolOptions,
} from "../engine/pool-options.ts";
import { NotSupportedError } from "../errors.ts";
import { resolveJobUrl } from "../jobs/job-url.ts";
import type { RecycleLimits } from "../messages/recycle-limits.ts";
import type { ProcessLimits, SpawnSettings } from "./spawn.ts";

/** Each process is one thread of the pool: it runs jobs on its main thread. What is not said here is as for a ThreadPool. */
export interface ProcessPoolOptions extends Pick<
  ThreadPoolOptions,
  | "jobsPerThread"
  | "maxJobsPerThread"
  | "maxHeapBytesPerThread"
  | "maxThreadAgeMs"
  | "maxQueue"
  | "maxQueueBytes"
  | "initialize"
  | "argv"
> {
  /** The name of the pool in `skein:thread:*`. @default "skein" */
  readonly name?: string | undefined;
  /** The number of processes that are kept once they have started. 0 means 1. @default as `maxThreads` */
  readonly minThreads?: number | undefined;
  /**
   * The most processes at any time. One starts whenever a job waits and all others are busy. 1 to 1024.
   * @default the cores: os.availableParallelism() within the CPU limit of the container, or `minThreads` when that is more
   */
  readonly maxThreads?: number | undefined;
  /** A process above `minThreads` ends after this many milliseconds without a job. Positive, or Infinity. @default 20 000 */
  readonly idleTimeoutMs?: number | undefined;
  /** The environment of the processes; read when the pool is made. @default process.env, as it is when a process starts */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /**
   * `workerData` of `node:worker_threads` in jobs, and in all that the processes load, but for preloads: a copy for each process, made of a copy that
   * is made when the pool is. As an argument of a job. @default none
   */
  readonly workerData?: unknown;
  /** A process has no timeline: anything but undefined throws NotSupportedError, with the capability `timeline`. */
  readonly trace?: undefined;
  /**
   * Flags of Node for the processes, such as `--expose-gc`.
   * @default those of the program, but for what tells it what to do: `--eval`, `--inspect`, `--test`, `--watch` and the like
   */
  readonly execArgv?: readonly string[] | undefined;
  /**
   * Limits of V8 in each process, in megabytes: `--max-old-space-size`, `--max-semi-space-size` and `--stack-size`. One that runs out of memory
   * rejects its job with ThreadCrashedError (`signal` "SIGABRT") and is replaced. @default Node's
   */
  readonly resourceLimits?: ProcessLimits | undefined;
}

const names: OptionNames<ProcessPoolOptions> = {
  name: true,
  minThreads: true,
  maxThreads: true,
  idleTimeoutMs: true,
  jobsPerThread: true,
  maxJobsPerThread: true,
  maxHeapBytesPerThread: true,
  maxThreadAgeMs: true,
  maxQueue: true,
  maxQueueBytes: true,
  initialize: true,
  workerData: true,
  trace: true,
  env: true,
  argv: true,
  execArgv: true,
  resourceLimits: true,
};

export interface ProcessPoolSettings {
  readonly name: string;
  readonly minThreads: number;
  readonly maxThreads: number;
  readonly idleTimeoutMs: number;
  readonly jobsPerThread: number;
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
  readonly initialize: string | null;
  /** Encoded. Null: none. */
  readonly workerData: Uint8Array | null;
  readonly recycle: RecycleLimits | null;
  readonly spawn: SpawnSettings;
}

/** @throws TypeError or RangeError naming the option, NotCloneableError, NotSupportedError. */
export function resolveProcessOptions(options: ProcessPoolOptions | undefined): ProcessPoolSettings {
  const own = ownOptions(options, names);
  const { name = "skein", trace, workerData } = own;
  if (typeof name !== "string") throw argumentTypeError("name", "a string", name);
  if (trace !== undefined) throw new NotSupportedError("timeline", "ProcessPool", "`trace`");
  if ((own.env as unknown) === SHARE_ENV)
    throw argumentTypeError("env", "an object: a process has an environment of its own", own.env);
  const codeRange: unknown = (own.resourceLimits as { codeRangeSizeMb?: unknown } | undefined)
    ?.codeRangeSizeMb;
  if (codeRange !== undefined)
    throw argumentRangeError(
      "resourceLimits.codeRangeSizeMb",
      "left out: a process has no such limit",
      codeRange,
    );
  return {
    name,
    ...resolveThreadCounts(own),
    jobsPerThread: integer("jobsPerThread", own.jobsPerThread, 1, 65_536) ?? 1,
    maxQueue: limit("maxQueue", own.maxQueue, 0, 2 ** 31 - 1),
    maxQueueBytes: integer("maxQueueBytes", own.maxQueueBytes, 1, 2 ** 32) ?? 2 ** 30,
    initialize: own.initialize === undefined ? null : resolveJobUrl(own.initialize, "initialize"),
    workerData:
      workerData === undefined
        ? null
        : encodeValue(workerData, "workerData", { bytesOnly: true }).value.bytes,
    recycle: resolveRecycling(own),
    spawn: {
      // Not SHARE_ENV: that was refused.
      env: resolveEnv(own.env) as NodeJS.ProcessEnv | undefined,
      argv: resolveStrings("argv", own.argv),
      execArgv: resolveStrings("execArgv", own.execArgv),
      resourceLimits: resolveLimits(own.resourceLimits),
    },
  };
}
