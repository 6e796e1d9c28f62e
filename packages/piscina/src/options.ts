/** Options as Piscina has them, checked with its words. Own properties only: nothing that lies on a prototype is an option. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { ResourceLimits, SHARE_ENV } from "node:worker_threads";
import type { PiscinaLoadBalancer } from "./load-balancer.ts";
import { isTaskQueue, type TaskQueue } from "./task-queues.ts";

const { process } = globalThis;

export interface PiscinaOptions {
  filename?: string | null;
  name?: string;
  minThreads?: number;
  maxThreads?: number;
  idleTimeout?: number;
  maxQueue?: number | "auto";
  concurrentTasksPerWorker?: number;
  /** Accepted; threads of Skein's pool wait in shared memory whatever it says. */
  atomics?: "sync" | "async" | "disabled";
  resourceLimits?: ResourceLimits;
  argv?: string[];
  execArgv?: string[];
  env?: NodeJS.ProcessEnv | typeof SHARE_ENV;
  workerData?: unknown;
  taskQueue?: TaskQueue;
  niceIncrement?: number;
  /** Accepted: Node's default, true, holds. */
  trackUnmanagedFds?: boolean;
  closeTimeout?: number;
  recordTiming?: boolean;
  /** Accepted: tasks of the same kind always start in the order in which they were submitted. */
  stricterFIFO?: boolean;
  /**
   * Whether each worker has a `histogram`. Then this side chooses the thread of each task, as with a `loadBalancer`. @default false
   */
  workerHistogram?: boolean;
  /** Chooses the thread of each task, instead of the threads themselves, which costs some throughput. @default none */
  loadBalancer?: PiscinaLoadBalancer;
}

export type FilledOptions = PiscinaOptions &
  Required<
    Pick<PiscinaOptions, "name" | "minThreads" | "maxThreads" | "idleTimeout" | "concurrentTasksPerWorker">
  > &
  Required<Pick<PiscinaOptions, "closeTimeout" | "recordTiming" | "niceIncrement">> & {
    filename: string | null;
    maxQueue: number;
  };

export function toPath(filename: string): string {
  return filename.startsWith("file:") ? fileURLToPath(filename) : filename;
}

export function bare<T extends object>(source: T): T {
  return Object.assign(Object.create(null) as T, source);
}

/** @throws TypeError or RangeError naming the option. */
export function fillOptions(given: PiscinaOptions): FilledOptions {
  const options = bare(given);
  for (const name of Object.keys(options) as (keyof PiscinaOptions)[]) {
    if (options[name] === undefined) delete options[name];
  }
  check(options);
  const cores = availableParallelism();
  let minThreads = options.minThreads ?? Math.max(Math.floor(cores / 2), 1);
  let maxThreads = options.maxThreads ?? cores * 1.5;
  if (options.maxThreads !== undefined) minThreads = Math.min(minThreads, maxThreads);
  if (options.minThreads !== undefined) maxThreads = Math.max(minThreads, maxThreads);
  const { maxQueue = Infinity, filename } = options;
  return Object.assign(
    bare({
      name: "default",
      idleTimeout: 0,
      concurrentTasksPerWorker: 1,
      atomics: "sync" as const,
      niceIncrement: 0,
      trackUnmanagedFds: true,
      closeTimeout: 30_000,
      recordTiming: true,
      stricterFIFO: false,
      workerHistogram: false,
    }),
    options,
    {
      // An empty one counts as none.
      filename: filename ? toPath(filename) : null,
      minThreads,
      maxThreads,
      maxQueue: maxQueue === "auto" ? maxThreads ** 2 : maxQueue,
    },
  );
}

type Rule = readonly [keyof PiscinaOptions, (value: unknown) => boolean, string];

const atLeast =
  (least: number) =>
  (value: unknown): boolean =>
    typeof value === "number" && value >= least;
const isFlag = (value: unknown): boolean => typeof value === "boolean";
const isTextOrNull = (value: unknown): boolean => value === null || typeof value === "string";

const rules: readonly Rule[] = [
  ["filename", isTextOrNull, "must be a string or null"],
  ["name", isTextOrNull, "must be a string or null"],
  ["minThreads", atLeast(0), "must be a non-negative integer"],
  ["maxThreads", atLeast(1), "must be a positive integer"],
  ["idleTimeout", atLeast(0), "must be a non-negative integer"],
  ["maxQueue", (value) => value === "auto" || atLeast(0)(value), "must be a non-negative integer"],
  ["concurrentTasksPerWorker", atLeast(1), "must be a positive integer"],
  [
    "atomics",
    (value) => value === null || ["sync", "async", "disabled"].includes(value as string),
    "should be a value of sync, sync or disabled.",
  ],
  ["resourceLimits", (value) => typeof value === "object" && value !== null, "must be an object"],
  ["taskQueue", isTaskQueue, "must be a TaskQueue object"],
  [
    "niceIncrement",
    (value) => typeof value === "number" && (value >= 0 || process.platform === "win32"),
    "must be a non-negative integer on Unix systems",
  ],
  ["trackUnmanagedFds", isFlag, "must be a boolean value"],
  ["closeTimeout", atLeast(0), "must be a non-negative integer"],
  ["workerHistogram", isFlag, "must be a boolean"],
  ["stricterFIFO", isFlag, "must be a boolean"],
  [
    "loadBalancer",
    (value) => typeof value === "function" && value.length > 0,
    "must be a function with at least two args",
  ],
];

function check(options: PiscinaOptions): void {
  for (const [name, isValid, expected] of rules) {
    const value = options[name];
    if (value !== undefined && !isValid(value)) throw new TypeError(`options.${name} ${expected}`);
  }
  const { minThreads, maxThreads } = options;
  if (minThreads !== undefined && maxThreads !== undefined && minThreads > maxThreads)
    throw new RangeError("options.minThreads and options.maxThreads must not conflict");
}
