/**
 * What all errors of Skein have in common: a stable `code`, a name that no minifier changes, and a brand by which copies
 * of the packages recognise each other's.
 */
import { isInstance, isMarked, markClass, markOf } from "./class-marks.ts";
import type { MarkedClass } from "./class-marks.ts";
import { errorPage } from "./error-page.ts";
import { create, define } from "./intrinsics.ts";
import { requireNode } from "./node-version.ts";
import { shared } from "./this-copy.ts";

// In this file, because it is loaded with every entry of every package, and bundlers cannot leave it out.
requireNode();

const brand = Symbol.for("skein.error");
/** The prototypes of the classes that this thread has, by their names; of several copies of one class, that of the first. */
const prototypes = shared("errorPrototypes", () => create(null) as Record<string, object>);

/** The base of every error class of Skein. Match on `code`, never on the message. */
export class SkeinError extends Error {
  static {
    nameErrorClass(this, "SkeinError");
  }

  /** Stable, machine-readable: `ERR_SKEIN_*`. */
  readonly code: string;

  /** The address of the page that says what causes such an error, and what to do. */
  readonly docs: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.docs = errorPage(code);
    define(this, brand, true);
  }

  /** Whether `value` is an error of Skein, also one made by another copy of the library. */
  static isSkeinError(value: unknown): value is SkeinError {
    return typeof value === "object" && value !== null && brand in value;
  }

  /** Errors of the same class of another copy are instances too. */
  static override [Symbol.hasInstance](this: MarkedClass, value: unknown): boolean {
    if (isInstance(this, value)) return true;
    return isMarked(this) && markOf(this) === "SkeinError" && SkeinError.isSkeinError(value);
  }
}

/**
 * Call it in a static block of every class of errors: sets the name that its errors show, and by which other copies know
 * the class. A literal, because a minifier changes the names of classes.
 *
 * @param shownName `name` of the errors where it is another one, such as 'AbortError'.
 * @example
 * export class PoolClosedError extends SkeinError {
 *   static {
 *     nameErrorClass(this, "PoolClosedError");
 *   }
 * }
 */
export function nameErrorClass(
  errorClass: MarkedClass,
  className: string,
  shownName: string = className,
): void {
  markClass(errorClass, className);
  prototypes[className] ??= errorClass.prototype;
  define(errorClass.prototype, "name", shownName);
}

/** The prototype of the class that `nameErrorClass` has called so on this thread. */
export function errorPrototype(className: string): object | undefined {
  return prototypes[className];
}

/** The name of the class that has this prototype; undefined if it is none of Skein. */
export function nameOfErrorPrototype(prototype: object): string | undefined {
  return isMarked({ prototype }) ? markOf({ prototype }) : undefined;
}

/** What `nameErrorClass` called the class, or the nearest that it derives from; undefined if it is none of Skein. */
export function errorClassName(errorClass: MarkedClass): string | undefined {
  return markOf(errorClass);
}

/** The operation is not valid in the object's present state. */
export class InvalidOperationError extends SkeinError {
  static {
    nameErrorClass(this, "InvalidOperationError");
  }

  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SKEIN_INVALID_OPERATION", message, options);
  }
}
