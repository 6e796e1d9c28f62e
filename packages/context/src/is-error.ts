import types from "node:util/types";
import { getPrototypeOf } from "./intrinsics.ts";

const { isNativeError } = types;
const errorPrototype: object = Error.prototype;

/**
 * Whether `value` is an error to a program: made by an error constructor of any realm, or derived from ours. Never throws, where
 * `instanceof` does: a Proxy may have been revoked, or have a trap.
 */
export function isError(value: unknown): value is Error {
  if (typeof value !== "object" || value === null) return false;
  if (isNativeError(value)) return true;
  try {
    for (let link = getPrototypeOf(value); link !== null; link = getPrototypeOf(link)) {
      if (link === errorPrototype) return true;
    }
  } catch {
    // What it is cannot be asked.
  }
  return false;
}
