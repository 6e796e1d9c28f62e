/** `skein map`: a job for each line of standard input. */
import { fstatSync } from "node:fs";
import { inspect } from "node:util";
import {
  CommandError,
  EXIT,
  MAX_THREADS,
  parseCommandLine,
  UsageError,
  wholeNumber,
} from "./command-line.ts";
import { jobOf, parseJobReference } from "./job-reference.ts";
import { withPool } from "./job-run.ts";
import { parseJson, toJson } from "./json.ts";
import { linesOf, writeLine } from "./lines.ts";
import type { Command } from "./program.ts";
import { Progress, progressLine } from "./progress.ts";

const help = `Usage: skein map <file>#<export> [options] < input > output

Calls an exported function for each line of standard input, on all threads, and
writes each result as a line of standard output, in the order of the input.
Lines are JSON in both directions (NDJSON); empty ones are skipped. It reads
only as far ahead as the threads and the reader of its output keep up. The
first line that fails ends it, after the results before that line.

  printf '1\\n2\\n' | skein map ./geo.jobs.ts#double

  --text             lines are texts and not JSON
  --unordered        write results as they are ready
  --chunk-size <n>   lines per job, for jobs that take microseconds   [1]
  --concurrency <n>  jobs under way at once   [4 per thread]
  --threads <n>      threads   [as many as the pool takes by default]
  --help             this text

Progress is shown on standard error when that is a terminal and standard output
is not. Exit code: 0 done, 1 a job failed, 2 wrong usage, or a line that is not
JSON.
`;

export const map: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseCommandLine(args, {
      text: { type: "boolean" },
      unordered: { type: "boolean" },
      "chunk-size": { type: "string" },
      concurrency: { type: "string" },
      threads: { type: "string" },
      help: { type: "boolean", short: "h" },
    });
    const reference = parseJobReference(positionals[0]);
    if (positionals.length > 1)
      throw new UsageError(
        `give the values as lines of standard input, not as arguments (${positionals[1]!})`,
      );
    const chunkSize = wholeNumber("chunk-size", values["chunk-size"], 1, 65_536);
    const concurrency = wholeNumber("concurrency", values.concurrency, 1, 65_536);
    const maxThreads = wholeNumber("threads", values.threads, 1, MAX_THREADS);
    if (process.stdin.isTTY)
      throw new UsageError(
        "standard input is a terminal; pipe the lines in, as in skein map … < input.ndjson",
      );
    const isOrdered = values.unordered !== true;
    const input = new InputLines(values.text === true);
    const size = inputSize();
    let done = 0;
    const progress = new Progress(process.stderr, () =>
      progressLine(done, size === null ? null : process.stdin.bytesRead / size),
    );
    try {
      await withPool(reference, { maxThreads }, async (pool) => {
        const options = { ordered: isOrdered, chunkSize, concurrency };
        for await (const result of pool.map(jobOf(pool, reference), input.values(), options)) {
          await writeLine(process.stdout, resultLine(result));
          input.settled();
          done++;
        }
      });
    } catch (error) {
      progress.end();
      if (isOrdered && !(error instanceof UsageError))
        process.stderr.write(`skein: line ${input.first} failed\n`);
      throw error;
    } finally {
      process.stdin.destroy();
    }
    progress.end();
    return EXIT.done;
  },
};

/** Standard input as values. Knows the numbers of the lines that have no result yet: those of empty lines are skipped. */
class InputLines {
  readonly #isText: boolean;
  readonly #unsettled: number[] = [];

  constructor(isText: boolean) {
    this.#isText = isText;
  }

  async *values(): AsyncGenerator<unknown, void> {
    let number = 0;
    for await (const line of linesOf(process.stdin)) {
      number++;
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (text.trim() === "") continue;
      const value = this.#isText ? text : parseJson(text, `line ${number}`);
      this.#unsettled.push(number);
      yield value;
    }
  }

  /** Of the first line without a result. */
  get first(): number | undefined {
    return this.#unsettled[0];
  }

  /** The first line has its result. */
  settled(): void {
    this.#unsettled.shift();
  }
}

function resultLine(result: unknown): string {
  const line = result === undefined ? "null" : toJson(result);
  if (line !== null) return line;
  throw new CommandError(
    `the result, ${inspect(result, { depth: 0 })}, cannot be written as JSON; return plain objects, arrays, texts and numbers`,
    EXIT.failed,
  );
}

/** Bytes of standard input, where it is a file. */
function inputSize(): number | null {
  const stat = fstatSync(0);
  return stat.isFile() && stat.size > 0 ? stat.size : null;
}
