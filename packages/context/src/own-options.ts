import { argumentTypeError } from "./errors.ts";

/**
 * A copy of the caller's own options without a prototype: what somebody put on `Object.prototype` is not an option.
 * `undefined` as a whole means no options.
 */
export function ownOptions<T extends object>(options: T | undefined, name: string): Readonly<Partial<T>> {
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    throw argumentTypeError(name, "an object", options);
  }
  const own: Partial<T> = Object.create(null);
  return Object.assign(own, options);
}
