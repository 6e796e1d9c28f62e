/** Errors for arguments and options that are not what they should be. Making one never fails, whatever came. */
import { errorPage } from "./error-page.ts";
import { define, getPrototypeOf, isArray, stringify } from "./intrinsics.ts";

/** A TypeError for an argument or option of the wrong type: names it, says what was expected and what came. */
export function argumentTypeError(
  name: string,
  expected: string,
  actual: unknown,
): TypeError & { code: string } {
  const error = new TypeError(`Expected \`${name}\` to be ${expected}, got ${describe(actual)}`);
  return withCode(error, "ERR_SKEIN_INVALID_ARG_TYPE");
}

/** A RangeError for an argument or option of the right type but outside its range. */
export function argumentRangeError(
  name: string,
  expected: string,
  actual: unknown,
): RangeError & { code: string } {
  const error = new RangeError(`Expected \`${name}\` to be ${expected}, got ${describe(actual)}`);
  return withCode(error, "ERR_SKEIN_OUT_OF_RANGE");
}

/** @throws TypeError unless `value` is a function. */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw argumentTypeError(name, "a function", value);
}

/** Gives a built-in error a stable code, and the address of its page as `docs`. */
export function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  define(error, "code", code, true);
  define(error, "docs", errorPage(code), true);
  return error as E & { code: string };
}

function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `the string ${stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
    case "function":
      return nameOf(value) === undefined ? "an anonymous function" : `the function ${nameOf(value)}`;
    case "object":
      return value === null ? "null" : describeObject(value);
    case "bigint":
      return `the bigint ${value}n`;
    case "number":
      return `the number ${value === 0 && 1 / value < 0 ? "-0" : value}`;
    case "symbol":
    case "boolean":
    case "undefined":
    default:
      return String(value);
  }
}

/** Never throws: of a Proxy that was revoked not even whether it is an array can be asked. */
function describeObject(value: object): string {
  try {
    if (isArray(value)) return "an array";
    if (getPrototypeOf(value) === null) return "an instance of a null-prototype object";
    return `an instance of ${nameOf(value.constructor) ?? "an anonymous class"}`;
  } catch {
    return "an instance of a class that cannot be read";
  }
}

/** Its name, if it has one: the property may be missing, anything, or throw. */
function nameOf(fn: { readonly name?: unknown } | undefined): string | undefined {
  try {
    const name = fn?.name;
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    return undefined;
  }
}
