/** Reads the arguments of a command; what is wrong with them becomes one sentence. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { nearestName } from "@skein/context/errors";

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Ends the command: its message, one sentence, says what to do. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The command line, or what is piped in, is wrong. */
export class UsageError extends CommandError {
  override readonly name = "UsageError";

  constructor(message: string) {
    super(message, EXIT.usage);
  }
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>
>;

/** @throws UsageError */
export function parseCommandLine<T extends Options>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: args.map(numberAsValue), allowPositionals: true, strict: true, options });
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseArgs throws errors with a code
    const { code, message } = error as NodeJS.ErrnoException;
    const unknown = /^Unknown option '(.+?)'/.exec(message)?.[1];
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION" && unknown !== undefined)
      throw unknownOption(unknown, Object.keys(options));
    const sentence = message.split(/\.\s|\n/, 1)[0]!;
    throw new UsageError(`${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}; --help lists the options`);
  }
}

/** A negative number is a value and no option. JSON allows the blank. */
function numberAsValue(arg: string): string {
  return /^-\d/.test(arg) ? ` ${arg}` : arg;
}

function unknownOption(given: string, names: readonly string[]): UsageError {
  const nearest = nearestName(given.replace(/^-+/, ""), names);
  const hint =
    nearest === undefined
      ? `use ${names.map((name) => `--${name}`).join(", ")}`
      : `did you mean --${nearest}?`;
  return new UsageError(`there is no option ${given}; ${hint}`);
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
  if (value >= min && value <= max) return value;
  throw new UsageError(`give --${name} a whole number from ${min} to ${max}, not "${text.trim()}"`);
}

/** As `--threads`. */
export const MAX_THREADS = 1024;
/** The longest time that a timer of Node can take. */
export const MAX_MS: number = 2 ** 31 - 1;
