/**
 * What all errors of Skein have in common: a stable `code`, a name that no minifier changes, and a brand by which
 * `instanceof` recognises them across copies of the packages.
 *
 *   every error        own property  Symbol.for("skein.error"): true
 *   every prototype    own property  Symbol.for("skein.error.class"): the name of the class, and `name`
 */
import { apply, define, getPrototypeOf, hasOwn } from "./intrinsics.ts";

const brand = Symbol.for("skein.error");
const classMark = Symbol.for("skein.error.class");
// oxlint-disable-next-line typescript/unbound-method -- applied to the class in question below
const ordinaryHasInstance = Function.prototype[Symbol.hasInstance];

/** The base of every error class of Skein. Match on `code`, never on the message. */
export class SkeinError extends Error {
  static {
    nameErrorClass(this, "SkeinError");
  }

  /** Stable, machine-readable: `ERR_SKEIN_*`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    define(this, brand, true);
  }

  /** Whether `value` is an error of Skein, also one made by another copy of the library. */
  static isSkeinError(value: unknown): value is SkeinError {
    return typeof value === "object" && value !== null && brand in value;
  }

  /** Errors of the same class of another copy are instances too. */
  static override [Symbol.hasInstance](this: { readonly prototype: object }, value: unknown): boolean {
    if (apply(ordinaryHasInstance, this, [value])) return true;
    // A class that somebody derived has no mark of its own: only its own instances count.
    if (!hasOwn(this.prototype, classMark) || !SkeinError.isSkeinError(value)) return false;
    const name = errorClassName(this);
    return name === "SkeinError" || isNamed(value, name);
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
  errorClass: { readonly prototype: object },
  className: string,
  shownName: string = className,
): void {
  define(errorClass.prototype, classMark, className);
  define(errorClass.prototype, "name", shownName);
}

/** What `nameErrorClass` called the class, or the nearest that it derives from; undefined if it is none of Skein. */
export function errorClassName(errorClass: { readonly prototype: object }): string | undefined {
  return (errorClass.prototype as { readonly [classMark]?: string })[classMark];
}

function isNamed(value: object, className: string | undefined): boolean {
  for (let link: object | null = value; link !== null; link = getPrototypeOf(link)) {
    if (hasOwn(link, classMark) && (link as { readonly [classMark]?: string })[classMark] === className)
      return true;
  }
  return false;
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
