/**
 * The errors of the pool. Each says what happened and what to do next; match on `code`, never on the message.
 * Errors that a job throws are not wrapped in any of these: they arrive as themselves.
 */
import { SkeinError, nameErrorClass } from "@skein/context/errors";

/**
 * The job was canceled before it could settle by itself.
 *
 * `name` is 'AbortError', so code written for `AbortSignal` recognises it. When the caller's reason is an Error,
 * the job rejects with that error itself and not with this one.
 */
export class JobCanceledError extends SkeinError {
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
export class JobTimeoutError extends SkeinError {
  static {
    nameErrorClass(this, "JobTimeoutError");
  }

  readonly timeoutMs: number;

  constructor(timeoutMs: number, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_JOB_TIMEOUT",
      `The job did not finish within ${timeoutMs} ms. Raise \`timeoutMs\`, or let the job look at ` +
        "`job.isCancellationRequested` so that it can stop early",
      options,
    );
    this.timeoutMs = timeoutMs;
  }
}

/** The thread died while it ran the job, or before it came to a job that was sent to it, or could not start; `cause` is its uncaught error, if there was one. */
export class ThreadCrashedError extends SkeinError {
  static {
    nameErrorClass(this, "ThreadCrashedError");
  }

  /** The exit code of the thread; undefined when it never started. */
  readonly exitCode: number | undefined;

  constructor(exitCode: number | undefined, options?: ErrorOptions & { detail?: string }) {
    super(
      "ERR_SKEIN_THREAD_CRASHED",
      exitCode === undefined
        ? "No pool thread could be started. Look at `cause`"
        : `The pool thread ended with code ${exitCode} ${options?.detail ?? "while it ran this job"}. ` +
            "Look at `cause`; a job that can safely run again may set `retries`",
      options,
    );
    this.exitCode = exitCode;
  }

  /** The same for a job that was sent to the thread, and that it had not come to. */
  beforeItBegan(): ThreadCrashedError {
    const detail = "before this job began, and what was moved to it is lost";
    return new ThreadCrashedError(this.exitCode, { cause: this.cause, detail });
  }
}

/** As much waits as `maxQueue` or `maxQueueBytes` allow. Nothing of the refused job was started. */
export class QueueFullError extends SkeinError {
  static {
    nameErrorClass(this, "QueueFullError");
  }

  readonly limit: "maxQueue" | "maxQueueBytes";
  readonly value: number;

  constructor(limit: "maxQueue" | "maxQueueBytes", value: number, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_QUEUE_FULL",
      `The queue of the pool is full (${limit} is ${value}). Await earlier jobs before you submit more, or raise \`${limit}\``,
      options,
    );
    this.limit = limit;
    this.value = value;
  }
}

/** The pool was closed before the job was submitted, or before it could run. */
export class PoolClosedError extends SkeinError {
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
export class JobNotFoundError extends SkeinError {
  static {
    nameErrorClass(this, "JobNotFoundError");
  }

  readonly url: string;
  readonly exportName: string;
  /** The names of the functions that the module does export. */
  readonly available: readonly string[];

  constructor(url: string, exportName: string, available: readonly string[], options?: ErrorOptions) {
    const hint =
      available.length === 0
        ? "It exports no functions: a job must be an exported function"
        : `It exports ${available.slice(0, 12).join(", ")}${available.length > 12 ? ", …" : ""}`;
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

/** The job module cannot be loaded as it is written, for example TypeScript that Node cannot strip. */
export class JobModuleError extends SkeinError {
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
export class NotCloneableError extends SkeinError {
  static {
    nameErrorClass(this, "NotCloneableError");
  }

  /** Where the value is, for example `args[0].shape.toString`; begins with `args[i]`, `result`, `error` or `progress`. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super("ERR_SKEIN_NOT_CLONEABLE", `${path} ${problem}`, options);
    this.path = path;
  }
}
