/** The errors of the cluster. Match on `code`, never on the message. What a job throws arrives as itself. */
import { nameErrorClass, SkeinError } from "@skein/context/errors";

/** The store did not answer in time, or no longer has the job. A job that was being submitted may run all the same. */
export class ClusterUnavailableError extends SkeinError {
  static {
    nameErrorClass(this, "ClusterUnavailableError");
  }

  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SKEIN_CLUSTER_UNAVAILABLE", message, options);
  }
}

/** The worker process that ran the job ended, and so did those that ran it again. */
export class WorkerLostError extends SkeinError {
  static {
    nameErrorClass(this, "WorkerLostError");
  }

  /** How often the job was started. */
  readonly starts: number;

  constructor(starts: number, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_WORKER_LOST",
      `The job was started ${starts} times, and each time its worker process ended, or lost the store, before the job had settled. ` +
        "If the job itself ends its process, mend it; if not, raise `retries`",
      options,
    );
    this.starts = starts;
  }
}

/** Arguments, a result or an error have more bytes than `maxPayloadBytes` allows. */
export class PayloadTooLargeError extends SkeinError {
  static {
    nameErrorClass(this, "PayloadTooLargeError");
  }

  readonly bytes: number;
  readonly maxPayloadBytes: number;

  constructor(what: string, bytes: number, maxPayloadBytes: number, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_PAYLOAD_TOO_LARGE",
      `The ${what} takes ${bytes} bytes as text, and \`maxPayloadBytes\` is ${maxPayloadBytes}. ` +
        "Put large data into a file or an object store and pass its address",
      options,
    );
    this.bytes = bytes;
    this.maxPayloadBytes = maxPayloadBytes;
  }
}

/** What came from the store is not what this version of Skein writes. */
export class InvalidPayloadError extends SkeinError {
  static {
    nameErrorClass(this, "InvalidPayloadError");
  }

  constructor(problem: string, options?: ErrorOptions) {
    super("ERR_SKEIN_INVALID_PAYLOAD", `A payload of the cluster cannot be read: ${problem}`, options);
  }
}

/** The key names a job that has other arguments. */
export class KeyConflictError extends SkeinError {
  static {
    nameErrorClass(this, "KeyConflictError");
  }

  readonly key: string;

  constructor(key: string, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_KEY_CONFLICT",
      `There is a job under the key ${JSON.stringify(key)} already, with other arguments. ` +
        "Take a key for each set of arguments; `attach` gives the job that is there",
      options,
    );
    this.key = key;
  }
}

/** `attach` was given a key that names no job. */
export class KeyNotFoundError extends SkeinError {
  static {
    nameErrorClass(this, "KeyNotFoundError");
  }

  readonly key: string;

  constructor(key: string, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_KEY_NOT_FOUND",
      `There is no job under the key ${JSON.stringify(key)}. It was never submitted, or has ended longer than \`resultTtlMs\` ago`,
      options,
    );
    this.key = key;
  }
}

/** No worker could run the job: it, or what wrote it, is of a version that none of them knows. */
export class VersionSkewError extends SkeinError {
  static {
    nameErrorClass(this, "VersionSkewError");
  }

  readonly callerVersion: string;
  readonly workerVersion: string;

  constructor(callerVersion: string, workerVersion: string, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_VERSION_SKEW",
      `The job comes from ${callerVersion}; this worker has ${workerVersion}, and no other has taken the job. ` +
        "Run the same versions of @skein/cluster, and of the job modules, on both sides",
      options,
    );
    this.callerVersion = callerVersion;
    this.workerVersion = workerVersion;
  }
}
