/** What a request asks for behind the question mark. */
import { CensusError } from "./census-error.ts";

/** @throws CensusError for a name that is not among them, and one that comes twice. */
export function readQuery<N extends string>(query: unknown, names: readonly N[]): Partial<Record<N, string>> {
  const given = query as Readonly<Record<string, string | string[]>>;
  for (const [name, value] of Object.entries(given)) {
    if (!names.some((known) => known === name)) {
      const known = names.length === 0 ? "There are none here" : `Known are: ${names.join(", ")}`;
      throw refused(`There is no parameter ${JSON.stringify(name)}. ${known}.`);
    }
    if (typeof value !== "string") throw refused(`The parameter "${name}" comes more than once.`);
  }
  return given as Partial<Record<N, string>>;
}

/** @throws CensusError for anything but a whole number in the range. */
export function wholeNumberIn(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
  byDefault: number,
): number {
  if (text === undefined) return byDefault;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw refused(`"${name}" must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}.`);
  return value;
}

/** @throws CensusError for anything but one of them. */
export function oneOf<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly T[],
  byDefault: T,
): T {
  if (text === undefined) return byDefault;
  const choice = choices.find((known) => known === text);
  if (choice === undefined)
    throw refused(`"${name}" must be one of ${choices.join(", ")}, not ${JSON.stringify(text)}.`);
  return choice;
}

function refused(message: string): CensusError {
  return new CensusError("ERR_CENSUS_REQUEST", message);
}
