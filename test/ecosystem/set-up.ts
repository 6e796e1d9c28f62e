/** What a set-up is: the tools that somebody has installed, how the program is laid out for them, and how it is built and run. */

export interface SetUp {
  readonly name: string;
  /** What is installed beside the packed packages, exact versions. */
  readonly tools?: Readonly<Record<string, string>>;
  /** Of our packages; `@skein/context`, `@skein/scheduling` and `@skein/pool` unless given. */
  readonly packages?: readonly string[];
  /** Merged into package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
  /** Instead of `npm install`. */
  readonly install?: readonly string[];
  /** Commands, one after the other; what the package manager has installed is in PATH. Each must exit with 0, unless it says otherwise. */
  readonly steps: readonly Step[];
}

export interface Step {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Below the folder of the program. */
  readonly cwd?: string;
  /** What it prints. */
  readonly prints?: string | RegExp;
  /** It is meant to fail, with this in its output. */
  readonly failsWith?: string | RegExp;
}

/** `run`s it and wants the line that the program prints when all is well. */
export function programStep(command: string, rest: Partial<Step> = {}): Step {
  return { command: command.split(" "), prints: PROGRAM_PRINTS, ...rest };
}

export function step(command: string, rest: Partial<Step> = {}): Step {
  return { command: command.split(" "), ...rest };
}

export const PROGRAM_PRINTS = "area 1, tenant acme, in a thread, inline 42, refused: RangeError";
