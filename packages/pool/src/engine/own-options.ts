/** Option bags, read once: own properties only, and none that is not an option. */
import { argumentTypeError } from "@skein/context/errors";

const { create, hasOwn, keys } = Object;

/** Every option of a bag, by name: the compiler sees to it that none is missing and none is too many. */
export type OptionNames<T extends object> = Readonly<Record<keyof T & string, true>>;

/**
 * A copy of the caller's own options without a prototype: what somebody put on `Object.prototype` is not an option, and each getter
 * is called once. `undefined` as a whole means no options.
 *
 * @param name What the caller calls the bag, for messages.
 * @throws TypeError when `options` is no object, or has an option that is not in `known`.
 */
export function ownOptions<T extends object>(
  options: T | undefined,
  known: OptionNames<T>,
  name = "options",
): Readonly<Partial<T>> {
  const own = create(null) as Partial<T>;
  if (options === undefined) return own;
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw argumentTypeError(name, "an object", options);
  refuseUnknownOptions(options, known, name);
  for (const key of keys(options) as (keyof T & string)[]) own[key] = options[key];
  return own;
}

/**
 * Refuses what is no option, so that a misspelt one does not pass for its default. Looks at own enumerable names.
 * @throws TypeError with the code `ERR_SKEIN_UNKNOWN_OPTION` that names the option, and the one that was probably meant.
 */
function refuseUnknownOptions(options: object, known: Readonly<Record<string, true>>, name: string): void {
  for (const key of keys(options)) if (!hasOwn(known, key)) throw unknownOption(key, keys(known), name);
}

function unknownOption(key: string, known: readonly string[], name: string): TypeError {
  const meant = nearestName(key, known);
  const advice = meant === undefined ? `Known options: ${known.join(", ")}` : `Did you mean \`${meant}\`?`;
  const error = new TypeError(`Unknown option \`${key}\` in \`${name}\`. ${advice}`);
  const code = create(null) as PropertyDescriptor;
  code.value = "ERR_SKEIN_UNKNOWN_OPTION";
  code.configurable = code.enumerable = code.writable = true;
  return Object.defineProperty(error, "code", code);
}

/** At most so many letters in a hundred may differ. */
const MOST_DIFFERENCE = 40;
/** A beginning that is shared says as much: `retry` and `retries`. */
const SHARED_BEGINNING = 4;

/** The known name that shares a word or its beginning with the given one, or differs by few letters. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.slice(0, 64);
  let nearest: string | undefined;
  let least = MOST_DIFFERENCE + 1;
  for (const candidate of known) {
    const difference = differenceOf(wanted, candidate);
    if (difference >= least) continue;
    least = difference;
    nearest = candidate;
  }
  return nearest;
}

/** In hundredths of the longer name. */
function differenceOf(wanted: string, other: string): number {
  const a = wanted.toLowerCase();
  const b = other.toLowerCase();
  const difference = (100 * editDistance(a, b)) / Math.max(a.length, b.length);
  const beginning = a.slice(0, SHARED_BEGINNING);
  const beginsAlike = beginning.length === SHARED_BEGINNING && b.startsWith(beginning);
  const isAkin = beginsAlike || wanted.includes(asWord(other)) || other.includes(asWord(wanted));
  return isAkin ? Math.min(difference, MOST_DIFFERENCE) : difference;
}

/** As it stands within a name: `signal` in `abortSignal`. */
function asWord(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/** How many letters must be inserted, removed or replaced. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      line.push(Math.min(replaced, previous[column]! + 1, line[column - 1]! + 1));
    }
    previous = line;
  }
  return previous[to.length]!;
}
