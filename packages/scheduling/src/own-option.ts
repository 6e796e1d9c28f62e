import { argumentTypeError } from "@skein/context/errors";

/**
 * Reads one option that the object itself carries: what somebody put on `Object.prototype` is not an option.
 *
 * @throws TypeError when `options` is neither undefined nor an object.
 */
export function ownOption<O extends object, K extends keyof O>(
  options: O | undefined,
  name: K,
): O[K] | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || options === null)
    throw argumentTypeError("options", "an object", options);
  return Object.hasOwn(options, name) ? options[name] : undefined;
}
