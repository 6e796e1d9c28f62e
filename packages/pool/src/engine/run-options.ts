/** Options of one job, given with a call, or for all jobs of a module. */
import type { Transferable } from "node:worker_threads";
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { type CancellationSignal, type ContinuationPolicy, TaskScheduler } from "@skein/scheduling";
import { PRIORITIES } from "../shared/layout.ts";
import { defaultSubmitOptions, type Placement, type SubmitOptions } from "../submit/submit-options.ts";
import { checkedTransferList } from "../transfer/transfer-list.ts";
import { type OptionNames, ownOptions } from "@skein/context/errors";
import { duration, flag, integer, MAX_TIMEOUT_MS } from "./option-values.ts";
import { signalOption } from "./token-signal.ts";

const MAX_THREAD_ID = 2 ** 32 - 1;

export type Priority = (typeof PRIORITIES)[number];

/** An option that is given with a call replaces that of the job's module, and no other; `undefined` leaves it as it is. */
export interface RunOptions {
  /**
   * Cancels the job: an AbortSignal or a CancellationToken. A queued job never runs. The task of a running job rejects at once, and in
   * the job `job.isCancellationRequested` turns true. `CancellationToken.none` takes away the module's. @default none
   */
  readonly signal?: CancellationSignal | undefined;
  /**
   * Rejects with JobTimeoutError when the job has not settled this many milliseconds after the call. Positive, up to 2^31 - 1, or
   * Infinity. @default Infinity
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Rejects with JobTimeoutError when the job has not settled this many milliseconds after a thread has begun it. Loading its module
   * counts, waiting in the queue does not; a retry has its time anew. Costs the thread a message to the caller. Positive, up to
   * 2^31 - 1, or Infinity. @default Infinity
   */
  readonly runTimeoutMs?: number | undefined;
  /** Threads take higher priorities first; lower ones get their turn all the same. @default "normal" */
  readonly priority?: Priority | undefined;
  /** How the continuations of the task run on the calling thread. @default "asynchronous" */
  readonly continuations?: ContinuationPolicy | undefined;
  /** How often the job runs again when its thread dies. Only for jobs that may run twice. 0 to 100. @default 0 */
  readonly retries?: number | undefined;
  /**
   * What happens to a running job that is cancelled or out of time. "cooperate": it is asked to stop, and its thread is busy until it
   * does. "terminate": if it has not stopped after `graceMs`, its thread is ended and replaced. @default "cooperate"
   */
  readonly onCancel?: "cooperate" | "terminate" | undefined;
  /**
   * Whether the job is alone on its thread: a thread begins it only when it has no other job, and takes none until it has ended but what
   * the job itself submits. For jobs that change what belongs to the thread: globals, the working state of a native library. It may wait
   * long for such a thread. `onCancel: "terminate"` implies it, whatever is said here. @default false
   */
  readonly exclusive?: boolean | undefined;
  /**
   * Jobs with equal keys run on one thread, in the order of their calls if they have the same priority: on the one that was chosen for the
   * first of them, until that leaves or ends; then on another, where those go that wait. So a thread can keep what belongs to a key. Jobs of
   * different keys may share a thread. A string or a number; 1 and "1" are equal. Only for who calls from outside of jobs. @default any thread
   */
  readonly affinity?: string | number | undefined;
  /**
   * The `threadId` of the thread that alone may run the job: of `pool.threads`, or of `job.threadId` in a job. Rejects with ThreadGoneError when
   * there is no such thread, and when it leaves or ends before the job has begun. Until the job has ended, the pool does not stop or recycle
   * the thread by itself. In a call it takes the place of a module's `affinity`, and the other way round. Only for who calls from outside of
   * jobs. @default any thread
   */
  readonly thread?: number | undefined;
  /**
   * How many milliseconds `onCancel: "terminate"` waits for the job to stop by itself. Has no effect on a job that cooperates, so a
   * module can set it for those calls that say "terminate". 0 to 2^31 - 1. @default 1000
   */
  readonly graceMs?: number | undefined;
  /**
   * Called with each value that the job passes to `job.progress`, in order, in the context of this call, before the task settles.
   * @default none
   */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /**
   * Objects in the arguments that are moved to the thread instead of copied: ArrayBuffers, MessagePorts, streams, FileHandles. They are
   * detached when the call returns, or not at all when it throws or rejects at once. Costs a message, whatever their size: about as much
   * as copying 64 KB. Not together with `retries`, and not as a default of a module. See also `move`. @default none
   */
  readonly transfer?: readonly Transferable[] | undefined;
  /**
   * How many items a generator may be ahead of whoever reads its stream, 1 MiB of them at most. Then it is suspended. Has no effect on other
   * jobs. 1 to 65 535. @default 16
   */
  readonly highWaterMark?: number | undefined;
  /** Whether AsyncLocals with flow 'thread' or 'wire' go along. @default true */
  readonly flowContext?: boolean | undefined;
}

const names: OptionNames<RunOptions> = {
  signal: true,
  timeoutMs: true,
  runTimeoutMs: true,
  priority: true,
  continuations: true,
  retries: true,
  onCancel: true,
  exclusive: true,
  affinity: true,
  thread: true,
  graceMs: true,
  onProgress: true,
  transfer: true,
  highWaterMark: true,
  flowContext: true,
};

/** Options that one engine has beside RunOptions. */
export interface OwnRunOptions {
  readonly names: Readonly<Record<string, true>>;
  /**
   * Checks them, and completes them from those of the module: what comes out is `SubmitOptions.own`.
   * @param options Without what is no option. @param defaults What this gave for the module; undefined: the module is of no engine, or of another.
   * @throws TypeError or RangeError naming the option.
   */
  resolve(options: Readonly<Record<string, unknown>>, defaults: unknown): unknown;
}

/** @throws TypeError or RangeError naming the option. */
export function resolveRunOptions(
  options: RunOptions | undefined,
  defaults: SubmitOptions,
  ofEngine?: OwnRunOptions,
): SubmitOptions {
  if (options === undefined) return defaults;
  const own = ownOptions(options, ofEngine === undefined ? names : { ...names, ...ofEngine.names });
  const { priority, continuations, onProgress } = own;
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
  if (own.onCancel !== undefined && own.onCancel !== "cooperate" && own.onCancel !== "terminate") {
    throw argumentTypeError("onCancel", "'cooperate' or 'terminate'", own.onCancel);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw argumentTypeError("onProgress", "a function", onProgress);
  }
  const signal = signalOption("signal", own.signal);
  const transfer = own.transfer === undefined ? null : checkedTransferList("transfer", own.transfer);
  const saidRetries = integer("retries", own.retries, 0, 100) ?? defaults.saidRetries;
  const retries = saidRetries ?? defaults.retries;
  if (transfer !== null && retries > 0)
    throw argumentRangeError("retries", "0 for a job whose arguments are moved", retries);
  const onCancel = own.onCancel ?? defaults.onCancel;
  const exclusive = flag("exclusive", own.exclusive) ?? defaults.exclusive;
  const graceMs = integer("graceMs", own.graceMs, 0, MAX_TIMEOUT_MS) ?? defaults.graceMs;
  return {
    priority: priority === undefined ? defaults.priority : PRIORITIES.indexOf(priority),
    signal: signal === undefined ? defaults.signal : (signal ?? undefined),
    timeoutMs: own.timeoutMs === undefined ? defaults.timeoutMs : duration("timeoutMs", own.timeoutMs),
    runTimeoutMs:
      own.runTimeoutMs === undefined ? defaults.runTimeoutMs : duration("runTimeoutMs", own.runTimeoutMs),
    continuations: continuations === undefined ? defaults.continuations : { continuations },
    flowContext: flag("flowContext", own.flowContext) ?? defaults.flowContext,
    onProgress: onProgress ?? defaults.onProgress,
    highWaterMark: integer("highWaterMark", own.highWaterMark, 1, 65_535) ?? defaults.highWaterMark,
    retries,
    saidRetries,
    transfer,
    onCancel,
    graceMs,
    terminateAfterMs: onCancel === "terminate" ? graceMs : null,
    exclusive,
    placement: placementOf(own) ?? defaults.placement,
    ofMap: false,
    isExclusive: exclusive || onCancel === "terminate",
    own: ofEngine?.resolve(own, defaults.own),
  };
}

function placementOf({ affinity, thread }: RunOptions): Placement | null {
  if (affinity === undefined) {
    const threadId = integer("thread", thread, 1, MAX_THREAD_ID);
    return threadId === undefined ? null : { kind: "thread", threadId };
  }
  if (typeof affinity !== "string" && typeof affinity !== "number")
    throw argumentTypeError("affinity", "a string or a number", affinity);
  if (thread !== undefined)
    throw argumentTypeError(
      "thread",
      "left out beside `affinity`: each says which thread runs the job",
      thread,
    );
  return { kind: "affinity", key: `${affinity}` };
}

/**
 * Options of every job of a module.
 * @throws TypeError or RangeError naming the option.
 */
export function resolveModuleOptions(
  options: RunOptions | undefined,
  ofEngine?: OwnRunOptions,
  defaults: SubmitOptions = defaultSubmitOptions,
): SubmitOptions {
  const resolved = resolveRunOptions(options, defaults, ofEngine);
  const { transfer } = resolved;
  if (transfer !== null)
    throw argumentTypeError("transfer", "given with a call: it says what this call moves", transfer);
  return resolved;
}

function isPolicy(value: unknown): value is ContinuationPolicy {
  return (
    value === "inline" ||
    value === "asynchronous" ||
    value === "yield" ||
    TaskScheduler.isTaskScheduler(value)
  );
}
