import { argumentTypeError, refuseUnknownOptions } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { hasOwn } from "./intrinsics.ts";

/**
 * Every bag of options is looked at once, before any of them is read.
 *
 * @throws TypeError when `options` is neither undefined nor an object, is something else than options, such as a token, or has an option that
 * is not in `known`: the message names it, and the one that was probably meant.
 */
export function checkOptions<O extends object>(options: O | undefined, known: OptionNames<O>): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null)
    throw argumentTypeError("options", "an object", options);
  const names: Readonly<Record<string, true>> = known;
  let isEmpty = true;
  // Only a name that is not known, or is inherited, costs more than this; and no name at all.
  for (const name in options) {
    isEmpty = false;
    if (names[name] === true) continue;
    refuseUnknownOptions(options, names);
    return;
  }
  if (isEmpty) refuseUnknownOptions(options, names);
}

/** Reads one option that the object itself carries: what somebody put on `Object.prototype` is not an option. */
export function ownOption<O extends object, K extends keyof O>(
  options: O | undefined,
  name: K,
): O[K] | undefined {
  return options !== undefined && hasOwn(options, name) ? options[name] : undefined;
}
