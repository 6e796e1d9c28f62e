/**
 * The errors of the pool. Each says what happened and what to do next; match on `code`, never on the message.
 * Errors that a job throws are not wrapped in any of these: they arrive as themselves.
 */
import { matchAcrossCopies, nameErrorClass, nearestName, SkeinError } from "@skein/context/errors";

/** An error of the engine that is about one job. */
export class JobError extends SkeinError {
  static {
    matchAcrossCopies(this, "JobError");
  }

  /** The job: its name and, if it has one, its module, as in `area (file:///app/geo.jobs.ts)`. The message ends with it too. */
  declare readonly job?: string;
}

/**
 * The job was canceled before it could settle by itself.
 *
 * `name` is 'AbortError', so code written for `AbortSignal` recognises it. When the caller's reason is an Error,
 * the job rejects with that error itself and not with this one.
 */
export class JobCanceledError extends JobError {
  static {
    nameErrorClass(this, "JobCanceledError", "AbortError");
  }

  /** What the caller gave to `abort(reason)`, untouched. */
  readonly reason: unknown;

  constructor(reason?: unknown, message = "The job was canceled; its `reason` says why") {
    super("ERR_SKEIN_JOB_CANCELED", message, reason === undefined ? undefined : { cause: reason });
    this.reason = reason;
  }
}

/** The job did not settle within its `timeoutMs`, counted from the call that submitted it. */
export class JobTimeoutError extends JobError {
  static {
    nameErrorClass(this, "JobTimeoutError");
  }

  readonly timeoutMs: number;
  /** Which option had set this time: "timeoutMs" counts from the call, "runTimeoutMs" from the start of the run. */
  readonly limit: "timeoutMs" | "runTimeoutMs";

  constructor(
    timeoutMs: number,
    options: ErrorOptions & { readonly limit?: "timeoutMs" | "runTimeoutMs" | undefined } = {},
  ) {
    const own = ownOf(options);
    const limit = own.limit ?? "timeoutMs";
    super(
      "ERR_SKEIN_JOB_TIMEOUT",
      `The job did not finish within ${timeoutMs} ms${limit === "timeoutMs" ? "" : " of its start"}. Raise \`${limit}\`, ` +
        "or let the job look at `job.isCancellationRequested` so that it can stop early",
      own,
    );
    this.timeoutMs = timeoutMs;
    this.limit = limit;
  }
}

/** What is known of the end of a thread. */
export interface ThreadCrashedOptions extends ErrorOptions {
  /** When it ended. @default "while it ran this job" */
  readonly detail?: string | undefined;
  /** Whether the pool itself ended it. */
  readonly wasTerminated?: boolean | undefined;
  /** Of a process: its id. */
  readonly pid?: number | undefined;
  /** Of a process: the signal that ended it. */
  readonly signal?: NodeJS.Signals | undefined;
  /** For threads that run something else than jobs. @default what the pool says of a job */
  readonly message?: string | undefined;
}

/**
 * The thread, or the process of a ProcessPool, died while it ran the job, or before it came to a job that was sent to it, or could not
 * start; `cause` is its uncaught error. There is none when something there called `process.exit`, when a signal ended the process, or when
 * the pool did: the message says which.
 */
export class ThreadCrashedError extends JobError {
  static {
    nameErrorClass(this, "ThreadCrashedError");
  }

  /** The exit code; undefined when it never started, or when a signal ended the process. */
  readonly exitCode: number | undefined;
  /** Whether the pool itself ended it. */
  readonly wasTerminated: boolean;
  /** When it ended, in words, if that was not while it ran the job. */
  declare readonly detail?: string;
  /** Of a ProcessPool: the id of the process. */
  declare readonly pid?: number;
  /** Of a ProcessPool: the signal that ended the process, if one did: SIGSEGV, SIGKILL, SIGABRT. */
  declare readonly signal?: NodeJS.Signals;

  constructor(exitCode: number | undefined, options: ThreadCrashedOptions = {}) {
    const own = ownOf(options);
    super("ERR_SKEIN_THREAD_CRASHED", own.message ?? crashMessage(exitCode, own), own);
    this.exitCode = exitCode;
    this.wasTerminated = own.wasTerminated ?? false;
    const { detail, pid, signal } = own;
    if (detail !== undefined) this.detail = detail;
    if (pid !== undefined) this.pid = pid;
    if (signal !== undefined) this.signal = signal;
  }

  /** An error of its own for one of several jobs that ended with the thread. */
  forOneJob(): ThreadCrashedError {
    return remade(this, ownOf(this).detail);
  }

  /** The same for a job that was sent to the thread, and that it had not come to. @param hasMoved Whether it took something along. */
  beforeItBegan(hasMoved: boolean = true): ThreadCrashedError {
    return remade(this, `before this job began${hasMoved ? ", and what was moved to it is lost" : ""}`);
  }
}

/** What is its own: what somebody has put on prototypes says nothing of a thread. */
function ownOf<T extends object>(object: T): T {
  return { __proto__: null, ...object };
}

/** No method: one that came from another thread has no private members. */
function remade(error: ThreadCrashedError, detail: string | undefined): ThreadCrashedError {
  const { exitCode, wasTerminated, pid, signal } = ownOf(error);
  const cause = Object.hasOwn(error, "cause") ? error.cause : undefined;
  const known = { wasTerminated, detail, pid, signal, ...(cause !== undefined && { cause }) };
  return new ThreadCrashedError(exitCode, known);
}

const MAY_RETRY = "A job that can safely run again may set `retries`";
/** Windows has no signals: what ends a process there from inside is a code of the system, such as 0xC0000005. */
const SYSTEM_CODES = 0x8000_0000;

function crashMessage(exitCode: number | undefined, options: ThreadCrashedOptions): string {
  const { detail = "while it ran this job", wasTerminated = false, pid, signal } = options;
  const what = pid === undefined ? "thread" : "process";
  const name = pid === undefined ? what : `${what} ${pid}`;
  if (signal !== undefined)
    return `The pool ${name} was ended by ${signal} ${detail}. ${wasTerminated ? "The pool sent it" : (signalReasons[signal] ?? "Somebody sent it")}. ${MAY_RETRY}`;
  if (exitCode === undefined)
    return wasTerminated
      ? `The pool ended the ${what}, which did not stop: ${detail}`
      : `No pool ${what} could be started. Look at \`cause\``;
  const reason =
    options.cause !== undefined
      ? "Look at `cause`"
      : wasTerminated
        ? "The pool terminated it"
        : exitCode >= SYSTEM_CODES
          ? `Native code crashed (0x${exitCode.toString(16)}), an addon as a rule`
          : `Something ${pid === undefined ? "on" : "in"} it called \`process.exit(${exitCode})\`, which ends the ${what}; return or throw instead`;
  return `The pool ${name} ended with code ${exitCode} ${detail}. ${reason}. ${MAY_RETRY}`;
}

const NATIVE = "Native code crashed, an addon as a rule";
const GAVE_UP =
  "It ran out of heap (see `resourceLimits`), or an assertion of native code failed: stderr says which";
const signalReasons: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: "Somebody killed it: the system does when memory runs out, and its log says so",
  SIGABRT: GAVE_UP,
  SIGTRAP: GAVE_UP,
  SIGSEGV: NATIVE,
  SIGBUS: NATIVE,
  SIGILL: NATIVE,
  SIGFPE: NATIVE,
};

/** The pool has no thread of that id that takes jobs: it has ended, is about to, or is none of the pool. The job did not begin. */
export class ThreadGoneError extends JobError {
  static {
    nameErrorClass(this, "ThreadGoneError");
  }

  /** Of the option `thread`. */
  readonly threadId: number;

  constructor(threadId: number, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_THREAD_GONE",
      `No thread with the id ${threadId} takes jobs of this pool, so this one did not begin. Choose another of \`pool.threads\`, or use \`affinity\``,
      options,
    );
    this.threadId = threadId;
  }
}

/** As much waits as `maxQueue` or `maxQueueBytes` allow. Nothing of the refused job was started. */
export class QueueFullError extends JobError {
  static {
    nameErrorClass(this, "QueueFullError");
  }

  /** The option that sets the limit: of a pool, or `maxInFlight` of a cluster. */
  readonly limit: "maxQueue" | "maxQueueBytes" | "maxInFlight";
  readonly value: number;

  constructor(limit: QueueFullError["limit"], value: number, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_QUEUE_FULL",
      `The queue is full (${limit} is ${value}). Await earlier jobs before you submit more, or raise \`${limit}\``,
      options,
    );
    this.limit = limit;
    this.value = value;
  }
}

/** The pool was closed before the job was submitted, or before it could run. */
export class PoolClosedError extends JobError {
  static {
    nameErrorClass(this, "PoolClosedError");
  }

  constructor(
    message = "The pool is closed. Submit jobs before `close()`, or create a new pool",
    options?: ErrorOptions,
  ) {
    super("ERR_SKEIN_POOL_CLOSED", message, options);
  }
}

/** The job module has no exported function of that name. */
export class JobNotFoundError extends JobError {
  static {
    nameErrorClass(this, "JobNotFoundError");
  }

  readonly url: string;
  readonly exportName: string;
  /** The names under which the module exports what can be a job: functions, not classes. */
  readonly available: readonly string[];

  constructor(url: string, exportName: string, available: readonly string[], options?: ErrorOptions) {
    const nearest = nearestName(exportName, available);
    const hint =
      available.length === 0
        ? "It exports no functions: a job must be an exported function"
        : `${nearest === undefined ? "" : `Did you mean "${nearest}"? `}It exports ${list(available)}`;
    super(
      "ERR_SKEIN_JOB_NOT_FOUND",
      `The job module ${url} has no exported function "${exportName}". ${hint}`,
      options,
    );
    this.url = url;
    this.exportName = exportName;
    this.available = available;
  }
}

const LISTED = 12;

function list(names: readonly string[]): string {
  return `${names.slice(0, LISTED).join(", ")}${names.length > LISTED ? ", …" : ""}`;
}

/** The job module cannot be loaded as it is written, for example TypeScript that Node cannot strip. */
export class JobModuleError extends JobError {
  static {
    nameErrorClass(this, "JobModuleError");
  }

  readonly url: string;

  constructor(url: string, message: string, options?: ErrorOptions) {
    super("ERR_SKEIN_JOB_MODULE", message, options);
    this.url = url;
  }
}

/** An argument, result, error or progress value holds something that cannot be copied to another thread. */
export class NotCloneableError extends JobError {
  static {
    nameErrorClass(this, "NotCloneableError");
  }

  /** Where the value is, for example `args[0].shape.toString`; begins with `args[i]`, `result`, `error`, `progress`,
   * `message` or `reason`. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super("ERR_SKEIN_NOT_CLONEABLE", `${path} ${problem}`, options);
    this.path = path;
  }
}

/** The engine cannot do what this call asks for. Nothing was started. `engine.capabilities` says what it can do. */
export class NotSupportedError extends JobError {
  static {
    nameErrorClass(this, "NotSupportedError");
  }

  /** Its name in `engine.capabilities`. */
  readonly capability: string;
  /** The class of the engine. */
  readonly engine: string;
  /** What asked for it: an option with its value, a method, a kind of value. */
  readonly option: string;

  constructor(capability: string, engine: string, option: string, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_NOT_SUPPORTED",
      `${engine} does not support ${option}: its capability \`${capability}\` is false. Leave it out, or run the job on another engine`,
      options,
    );
    this.capability = capability;
    this.engine = engine;
    this.option = option;
  }
}
