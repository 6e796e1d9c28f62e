/** `skein run`: one call of a job. */
import { inspect } from "node:util";
import { JobTimeoutError } from "@skein/pool";
import { CommandError, EXIT, MAX_MS, MAX_THREADS, parseCommandLine, wholeNumber } from "./command-line.ts";
import { jobOf, parseJobReference } from "./job-reference.ts";
import { withPool } from "./job-run.ts";
import { parseJson, toJson } from "./json.ts";
import { writeLine } from "./lines.ts";
import type { Command } from "./program.ts";
import { isStreamed } from "./streamed.ts";

const help = `Usage: skein run <file>#<export> [json ...] [options]

Calls an exported function on a worker thread, each further argument read as
JSON, and prints what it returns as JSON. What JSON cannot hold, such as a Map
or a typed array, is printed as Node shows it; undefined prints nothing. Of a
generator each item is printed, on a line of its own, as soon as it comes.

  skein run ./geo.jobs.ts#area '[[0,0],[0,1],[1,0]]'

  --timeout-ms <n>   end the job when it has not finished after n milliseconds
  --threads <n>      at most so many threads, for jobs that submit jobs
                     [as many as the pool takes by default]
  --help             this text

Exit code: 0 done, 1 the job failed, 2 wrong usage.
`;

export const run: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseCommandLine(args, {
      "timeout-ms": { type: "string" },
      threads: { type: "string" },
      help: { type: "boolean", short: "h" },
    });
    const [job, ...texts] = positionals;
    const reference = parseJobReference(job);
    const jobArgs = texts.map((text, index) => parseJson(text, `argument ${index + 1}`));
    const timeoutMs = wholeNumber("timeout-ms", values["timeout-ms"], 1, MAX_MS);
    const maxThreads = wholeNumber("threads", values.threads, 1, MAX_THREADS);
    try {
      const result = await withPool(reference, { maxThreads }, async (pool) => {
        const result = await pool.run(jobOf(pool, reference), jobArgs, { timeoutMs });
        if (!isStreamed(result)) return result;
        for await (const item of result) await writeLine(process.stdout, lineOf(item));
        return undefined;
      });
      if (result !== undefined) process.stdout.write(`${lineOf(result)}\n`);
      return EXIT.done;
    } catch (error) {
      throw error instanceof JobTimeoutError ? new CommandError(error.message, EXIT.failed) : error;
    }
  },
};

function lineOf(value: unknown): string {
  return toJson(value) ?? inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null });
}
