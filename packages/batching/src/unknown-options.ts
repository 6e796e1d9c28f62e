const { hasOwn, keys } = Object;

/** Every option of a bag, by name: the compiler sees to it that none is missing and none is too many. */
export type OptionNames<T extends object> = Readonly<Record<keyof T & string, true>>;

/**
 * Refuses what is no option, so that a misspelt one does not pass for its default. Looks at own enumerable names.
 * @throws TypeError with the code `ERR_SKEIN_UNKNOWN_OPTION` that names the option, and the one that was probably meant.
 */
export function refuseUnknownOptions(
  options: object,
  known: Readonly<Record<string, true>>,
  name: string = "options",
): void {
  for (const key of keys(options)) if (!hasOwn(known, key)) throw unknownOption(key, keys(known), name);
}

function unknownOption(key: string, known: readonly string[], name: string): TypeError {
  const meant = nearestName(key, known);
  const advice = meant === undefined ? `Known options: ${known.join(", ")}` : `Did you mean \`${meant}\`?`;
  const error = new TypeError(`Unknown option \`${key}\` in \`${name}\`. ${advice}`);
  return Object.defineProperty(error, "code", {
    value: "ERR_SKEIN_UNKNOWN_OPTION",
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

/** The known name that begins the same way or differs by few letters. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.slice(0, 64).toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length * 0.4)) + 1;
  for (const candidate of known) {
    const other = candidate.toLowerCase();
    const isPart = wanted.length >= 3 && (other.includes(wanted) || wanted.includes(other));
    const distance = isPart ? 1 : editDistance(wanted, other);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
