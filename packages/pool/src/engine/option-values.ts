/** Checks of single options. Each error names the option as the caller did, and the value. */
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";

/** The longest delay of a timer. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/** @throws TypeError or RangeError naming the option. */
export function integer(
  name: string,
  value: number | undefined,
  min: number,
  max: number,
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw argumentTypeError(name, `an integer from ${min} to ${max}`, value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw argumentRangeError(name, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

/** A time that is not 0; undefined for Infinity, which is no limit. @throws TypeError or RangeError naming the option. */
export function duration(name: string, value: number | undefined): number | undefined {
  if (value === undefined || value === Infinity) return undefined;
  const expected = `a positive number of milliseconds up to ${MAX_TIMEOUT_MS}, or Infinity`;
  if (typeof value !== "number") throw argumentTypeError(name, expected, value);
  if (!(value > 0 && value <= MAX_TIMEOUT_MS)) throw argumentRangeError(name, expected, value);
  return value;
}

/** @throws TypeError naming the option. */
export function flag(name: string, value: boolean | undefined): boolean | undefined {
  if (value !== undefined && typeof value !== "boolean") throw argumentTypeError(name, "a boolean", value);
  return value;
}

/** More make a call overflow the stack, and some lists are longer than anybody can go through. */
const MAX_ARGUMENTS = 65_535;

/** @throws TypeError or RangeError naming `args`. */
export function checkArguments(args: unknown): asserts args is unknown[] {
  if (!Array.isArray(args)) throw argumentTypeError("args", "an array of arguments", args);
  if (args.length > MAX_ARGUMENTS)
    throw argumentRangeError(
      "args",
      `a list of at most ${MAX_ARGUMENTS} arguments (pass a longer list as one of them: \`[list]\`)`,
      args.length,
    );
}
