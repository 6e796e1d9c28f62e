/**
 * Errors that Skein throws: each carries a stable `code`, and a brand by which two copies of the library
 * recognise each other's errors. Match on `code`, never on the message.
 */

const brand = Symbol.for("skein.error");

/** The base of every error class of Skein. */
export class SkeinError extends Error {
  /** Stable, machine-readable: `ERR_SKEIN_*`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
  }

  /** Whether `value` is an error of Skein, also one made by another copy of the library. */
  static isSkeinError(value: unknown): value is SkeinError {
    return typeof value === "object" && value !== null && brand in value;
  }
}

/** The operation is not valid in the object's present state. */
export class InvalidOperationError extends SkeinError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SKEIN_INVALID_OPERATION", message, options);
  }
}

/** A TypeError for an argument or option of the wrong type: names it, says what was expected and what came. */
export function argumentTypeError(
  name: string,
  expected: string,
  actual: unknown,
): TypeError & { code: string } {
  const error = new TypeError(`Expected \`${name}\` to be ${expected}, got ${describe(actual)}`);
  return Object.assign(error, { code: "ERR_SKEIN_INVALID_ARG_TYPE" });
}

/** A RangeError for an argument or option of the right type but outside its range. */
export function argumentRangeError(
  name: string,
  expected: string,
  actual: unknown,
): RangeError & { code: string } {
  const error = new RangeError(`Expected \`${name}\` to be ${expected}, got ${describe(actual)}`);
  return Object.assign(error, { code: "ERR_SKEIN_OUT_OF_RANGE" });
}

function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `the string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
    case "function":
      return value.name === "" ? "an anonymous function" : `the function ${value.name}`;
    case "object":
      if (value === null) return "null";
      return Array.isArray(value)
        ? "an array"
        : `an instance of ${value.constructor?.name ?? "a null-prototype object"}`;
    case "bigint":
      return `the bigint ${value}n`;
    case "symbol":
      return value.toString();
    case "number":
      return `the number ${Object.is(value, -0) ? "-0" : value}`;
    case "boolean":
    case "undefined":
    default:
      return String(value);
  }
}
