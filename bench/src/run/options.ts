/** The command line of `pnpm bench`. */
import { fileURLToPath } from "node:url";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Scale } from "../method/scenario.ts";

export interface BenchOptions {
  /** null: all. */
  readonly only: readonly string[] | null;
  readonly mode: Scale["mode"];
  readonly rounds: number;
  readonly against: string | null;
  /** A folder of raw files, or one of them: write the report again. */
  readonly report: string | null;
  readonly out: string;
  /** Set by `pnpm bench` itself for the process of one section. */
  readonly section: string | null;
  /** As given, for the report. */
  readonly command: string;
}

/** Full mode: the fewest with which the rank test can tell apart what is apart, at less than one in a thousand. */
const FULL_ROUNDS = 7;
/** Quick mode: the fewest with which it can at one in twenty. */
const QUICK_ROUNDS = 4;

const LATEST: string = fileURLToPath(new URL("../../results/latest", import.meta.url));
const QUICK: string = fileURLToPath(new URL("../../results/quick", import.meta.url));

export const HELP: string = `Usage: pnpm bench [options]

  --only <names>      sections, with commas between
  --quick             small and fast; the report says so, and goes to bench/results/quick
  --rounds <n>        measured rounds of each contender   [${FULL_ROUNDS}; quick: ${QUICK_ROUNDS}]
  --out <folder>      where raw files, plots and report go   [bench/results/latest]
  --report <path>     write the report of a folder of raw files, or of one, again
  --against <ref>     Skein as built here next to Skein of a git ref; exit code 1 when something got slower
  --help              this text
`;

/** Null when help is asked for. @throws TypeError, RangeError */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args].filter((arg) => arg !== "--"),
    options: {
      only: { type: "string" },
      quick: { type: "boolean" },
      rounds: { type: "string" },
      out: { type: "string" },
      report: { type: "string" },
      against: { type: "string" },
      section: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return null;
  const mode = values.quick === true ? "quick" : "full";
  const rounds =
    values.rounds === undefined ? (mode === "quick" ? QUICK_ROUNDS : FULL_ROUNDS) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) {
    throw new RangeError(`--rounds must be a whole number from 1 to 1000, got "${values.rounds}"`);
  }
  const only = values.only?.split(",").filter((name) => name !== "") ?? null;
  if (only?.length === 0) throw new RangeError("--only needs the name of a section");
  return {
    only,
    mode,
    rounds,
    against: values.against ?? null,
    report: values.report === undefined ? null : resolve(values.report),
    out: values.out === undefined ? (mode === "quick" ? QUICK : LATEST) : resolve(values.out),
    section: values.section ?? null,
    command: ["pnpm bench", ...args].join(" "),
  };
}
