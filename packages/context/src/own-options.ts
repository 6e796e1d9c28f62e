import { argumentTypeError, withCode } from "./argument-errors.ts";
import { create, getPrototypeOf, hasOwn, isArray, keys } from "./intrinsics.ts";
import { nearestName } from "./nearest-name.ts";

/** Every option of a bag, by name: the compiler sees to it that none is missing and none is too many. */
export type OptionNames<T extends object> = Readonly<Record<keyof T & string, true>>;

/**
 * A copy of the caller's own options without a prototype: what somebody put on `Object.prototype` is not an option, and
 * each getter is called once. `undefined` as a whole means no options.
 *
 * @param name What the caller calls the bag, for messages.
 * @throws TypeError if `options` is no object, or as `refuseUnknownOptions`.
 */
export function ownOptions<T extends object>(
  options: T | undefined,
  known: OptionNames<T>,
  name = "options",
): Readonly<Partial<T>> {
  const own = create(null) as Partial<T>;
  if (options === undefined) return own;
  if (typeof options !== "object" || options === null || isArray(options))
    throw argumentTypeError(name, "an object", options);
  refuseUnknownOptions(options, known, name);
  for (const key of keys(options) as (keyof T & string)[]) own[key] = options[key];
  return own;
}

/**
 * Refuses what is no option, so that a misspelt one does not pass for its default, and what is no bag of options, such as a signal in its place.
 * Looks at own enumerable names.
 * @throws TypeError with the code `ERR_SKEIN_UNKNOWN_OPTION` that names the option, and the one that was probably meant; or if `options`
 * is an instance of a class, without any option.
 */
export function refuseUnknownOptions(
  options: object,
  known: Readonly<Record<string, true>>,
  name = "options",
): void {
  const own = keys(options);
  if (own.length === 0 && !isPlain(options)) {
    const example = hasOwn(known, "signal") ? ", such as { signal }" : "";
    throw argumentTypeError(name, `an object with options${example}`, options);
  }
  for (const key of own) if (!hasOwn(known, key)) throw unknownOption(key, keys(known), name);
}

/** Whether no class has made it, in whatever realm. */
function isPlain(object: object): boolean {
  let prototype = getPrototypeOf(object);
  while (prototype !== null) {
    const next = getPrototypeOf(prototype);
    if (next !== null && hasOwn(prototype, "constructor")) return false;
    prototype = next;
  }
  return true;
}

function unknownOption(key: string, known: readonly string[], name: string): TypeError & { code: string } {
  const meant = nearestName(key, known);
  const advice = meant === undefined ? `Known options: ${known.join(", ")}` : `Did you mean \`${meant}\`?`;
  return withCode(
    new TypeError(`Unknown option \`${key}\` in \`${name}\`. ${advice}`),
    "ERR_SKEIN_UNKNOWN_OPTION",
  );
}
