import { stringify } from "./intrinsics.ts";
import { nameErrorClass, SkeinError } from "./skein-error.ts";

/** Two AsyncLocals that flow, or two flows, were given one name in one thread: a carrier could not tell their values apart. */
export class DuplicateNameError extends SkeinError {
  static {
    nameErrorClass(this, "DuplicateNameError");
  }

  /** The name that is taken. */
  readonly localName: string;

  constructor(localName: string) {
    super(
      "ERR_SKEIN_DUPLICATE_NAME",
      `An AsyncLocal that flows, or a flow, is already named ${stringify(localName)}`,
    );
    this.localName = localName;
  }
}

/** The carrier of a context would be larger than a carrier may be. */
export class ContextTooLargeError extends SkeinError {
  static {
    nameErrorClass(this, "ContextTooLargeError");
  }

  /** The AsyncLocal or flow that takes the most room. */
  readonly localName: string;
  /** What the whole carrier would need. */
  readonly sizeBytes: number;
  readonly limitBytes: number;

  constructor(localName: string, sizeBytes: number, limitBytes: number) {
    super(
      "ERR_SKEIN_CONTEXT_TOO_LARGE",
      `The context takes ${sizeBytes} bytes, more than the ${limitBytes} that travel; ` +
        `the largest value is that of the AsyncLocal or flow ${stringify(localName)}`,
    );
    this.localName = localName;
    this.sizeBytes = sizeBytes;
    this.limitBytes = limitBytes;
  }
}

/**
 * The value of an AsyncLocal or a flow cannot be written as text: its codec threw (see `cause`), or gave no string, or one with lone
 * surrogates.
 */
export class ContextEncodeError extends SkeinError {
  static {
    nameErrorClass(this, "ContextEncodeError");
  }

  readonly localName: string;

  constructor(localName: string, reason: string, options?: ErrorOptions) {
    super(
      "ERR_SKEIN_CONTEXT_ENCODE",
      `The value of the AsyncLocal or flow ${stringify(localName)} cannot be encoded: ${reason}`,
      options,
    );
    this.localName = localName;
  }
}

/** The text is not a carrier of ours, or the codec of a local refused its value (see `cause`). */
export class InvalidCarrierError extends SkeinError {
  static {
    nameErrorClass(this, "InvalidCarrierError");
  }

  constructor(reason: string, options?: ErrorOptions) {
    super("ERR_SKEIN_INVALID_CARRIER", `Not a context carrier: ${reason}`, options);
  }
}
