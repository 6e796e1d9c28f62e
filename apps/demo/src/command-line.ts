/** Reads a command line; what is wrong with it becomes one clear line. */
import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";

/** The command line is wrong. The message is meant for its author. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "ERR_CENSUS_USAGE";
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>
>;

/** @throws UsageError */
export function parseCommandLine<T extends Options>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({
      args: withNumbersAttached(args),
      allowPositionals: true,
      strict: true,
      options,
    });
  } catch (error) {
    const [sentence = ""] = (error instanceof Error ? error.message : String(error)).split(/\.\s|\n/, 1);
    throw new UsageError(sentence.charAt(0).toLowerCase() + sentence.slice(1));
  }
}

/** `--threads -1` as `--threads=-1`: what looks like a number is a value, and is refused as one. */
function withNumbersAttached(args: readonly string[]): string[] {
  const attached: string[] = [];
  for (const arg of args) {
    const option = attached.at(-1) ?? "";
    if (/^-\d/.test(arg) && /^--[a-z-]+$/.test(option)) attached[attached.length - 1] = `${option}=${arg}`;
    else attached.push(arg);
  }
  return attached;
}

/** @throws UsageError */
export function wholeNumber(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}
