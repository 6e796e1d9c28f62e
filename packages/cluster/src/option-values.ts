/** Checks of options that callers and workers share. Each error names the option and its value. */
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { now } from "./timers.ts";
import { isName } from "./wire.ts";

const { process } = globalThis;

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export function milliseconds(name: string, value: number): number {
  return integer(name, value, 1, MAX_TIMEOUT_MS);
}

/** Milliseconds that may be none. */
export function nonNegative(name: string, value: number): number {
  return integer(name, value, 0, MAX_TIMEOUT_MS);
}

export function positive(name: string, value: number): number {
  return integer(name, value, 1, Number.MAX_SAFE_INTEGER);
}

export function payloadBytes(value: number | undefined = 2 ** 20): number {
  return positive("maxPayloadBytes", value);
}

export function integer(name: string, value: number, min: number, max: number): number {
  const expected = `an integer from ${min} to ${max}`;
  if (typeof value !== "number") throw argumentTypeError(name, expected, value);
  if (!Number.isInteger(value) || value < min || value > max) throw argumentRangeError(name, expected, value);
  return value;
}

export function clusterName(value: string | undefined = "default"): string {
  if (typeof value !== "string" || !isName(value))
    throw argumentTypeError("name", "up to 100 letters, digits, _ and -", value);
  return value;
}

/** How long an error is not told again: a connection fails anew every second or so while a server is away. */
const SAME_ERROR_MS = 60_000;

/** The option, but for errors that it has just heard of. */
export function onErrorOption(
  value: ((error: Error) => void) | undefined = (error) => process.emitWarning(error),
): (error: Error) => void {
  if (typeof value !== "function") throw argumentTypeError("onError", "a function", value);
  let message: string | null = null;
  let toldAt = 0;
  return (error) => {
    const at = now();
    if (error.message === message && at - toldAt < SAME_ERROR_MS) return;
    message = error.message;
    toldAt = at;
    try {
      value(error);
    } catch (cause) {
      // Whoever tells it is in the middle of something else, such as `close`.
      process.emitWarning(new Error("`onError` has thrown", { cause }));
    }
  };
}
