/** What kind of list an array is: dense, or of records with the same keys. */

import { getPrototypeOf, keysOf, objectPrototype, process } from "../shared/intrinsics.ts";

const { inspect } = process.getBuiltinModule("node:util");
/** From here on `inspect` finds the properties of an array faster than `Object.keys`, which lists every index. */
const inspectArrayFrom = 128;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && getPrototypeOf(value) === objectPrototype;
}

/** Whether every index below the length is filled, and nothing else is there. Reads no element: it may be an accessor. */
export function isDense(array: readonly unknown[]): boolean {
  const length = array.length;
  if (length >= inspectArrayFrom && hasOnlyIndices(array)) {
    for (let i = 0; i < length; i++) {
      if (!(i in array)) return false;
    }
    return true;
  }
  const keys = keysOf(array);
  return keys.length === length && (length === 0 || keys[length - 1] === `${length - 1}`);
}

/** False also when it cannot be told. */
function hasOnlyIndices(array: readonly unknown[]): boolean {
  try {
    return inspect(array, extraProperties) === `[ ... ${array.length} more items ]`;
  } catch {
    // Node's own code calls a method that the program has patched.
    return false;
  }
}

/** With these, `inspect` of an array says only its length and the properties that are not indices. */
const extraProperties = {
  __proto__: null,
  maxArrayLength: 0,
  depth: 0,
  customInspect: false,
  breakLength: Infinity,
  colors: false,
  getters: false,
  showHidden: false,
  showProxy: false,
} as const;
