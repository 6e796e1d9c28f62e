/** `skein worker`: runs jobs of a cluster in this process, until it is told to stop. */
import { globSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ThreadPool } from "@skein/pool";
import type { serveJobs } from "@skein/cluster";
import {
  CommandError,
  EXIT,
  MAX_MS,
  MAX_THREADS,
  parseCommandLine,
  UsageError,
  wholeNumber,
} from "./command-line.ts";
import type { Command } from "./program.ts";

/** How many jobs one thread may hold that await: those that wait for the cluster share it with those that they wait for. */
const JOBS_PER_THREAD = 1000;
const STOPS = ["SIGTERM", "SIGINT"] as const;

const help = `Usage: skein worker <file ...> [options]

Takes jobs of a cluster and runs them on threads of this process. A job names a
module by its file's name without .jobs.ts, and one of its exports; no other
module is ever loaded. Needs the package @skein/cluster.

  skein worker ./jobs/*.ts --url redis://localhost:6379

  --url <url>           where jobs wait: a Redis or Postgres server, or a file: URL, the
                        folder of an embedded database   [the variable
                        SKEIN_CLUSTER_URL; else the folder .skein/cluster]
  --name <name>         the cluster's name, as its callers have it   [default]
  --concurrency <n>     how many jobs of a module are taken at once
                        [the number of cores]
  --threads <n>         at most so many threads
                        [as many as the pool takes by default]
  --close-timeout-ms <n>  how long running jobs may take when it is told to stop
                        [30000]
  --help                this text

SIGTERM and SIGINT: takes no more jobs and ends when those that run have ended.
A second signal ends it at once.

Exit code: 0 told to stop, 1 the store did not answer, 2 wrong usage.
`;

export const worker: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseCommandLine(args, {
      url: { type: "string" },
      name: { type: "string" },
      concurrency: { type: "string" },
      threads: { type: "string" },
      "close-timeout-ms": { type: "string" },
      help: { type: "boolean", short: "h" },
    });
    const modules = filesOf(positionals);
    const concurrency = wholeNumber("concurrency", values.concurrency, 1, 65_536);
    const maxThreads = wholeNumber("threads", values.threads, 1, MAX_THREADS);
    const closeTimeoutMs = wholeNumber("close-timeout-ms", values["close-timeout-ms"], 1, MAX_MS);
    const { serveJobs } = await importCluster();
    await using pool = new ThreadPool({ name: "worker", maxThreads, jobsPerThread: JOBS_PER_THREAD });
    const stop = Promise.withResolvers<void>();
    const onSignal = (): void => {
      // A second one, whichever it is, finds no listener and ends the process.
      for (const signal of STOPS) process.off(signal, onSignal);
      stop.resolve();
    };
    for (const signal of STOPS) process.on(signal, onSignal);
    const server = await start(serveJobs, {
      modules,
      connection: values.url,
      name: values.name,
      concurrency,
      closeTimeoutMs,
      pool,
    });
    process.stderr.write(`skein: serves ${positionals.join(", ")}\n`);
    await stop.promise;
    process.stderr.write("skein: stops when its jobs have ended\n");
    await server.close();
    // Those that have not ended are left to other workers.
    await pool.close({ drain: false, timeoutMs: 1 });
    return EXIT.done;
  },
};

/** @throws UsageError */
function filesOf(patterns: readonly string[]): URL[] {
  if (patterns.length === 0) throw new UsageError("name the job modules, as in ./jobs/*.jobs.ts");
  const files = patterns.flatMap((pattern) => {
    // Most shells have done that; and a name may have brackets.
    const found = isFile(pattern) ? [pattern] : globSync(pattern).filter(isFile);
    if (found.length === 0) throw new UsageError(`there is no file ${pattern}; give paths of job modules`);
    return found.toSorted();
  });
  return Array.from(new Set(files), (file) => pathToFileURL(resolve(file)));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** @throws CommandError */
async function importCluster(): Promise<{ readonly serveJobs: typeof serveJobs }> {
  try {
    return await import("@skein/cluster");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Not one that the package itself lacks: that error names the package's files, too.
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes("package '@skein/cluster'")) throw error;
    throw new CommandError(
      "ERR_SKEIN_CLUSTER_MISSING: a worker needs the package @skein/cluster, which is not installed; npm install @skein/cluster",
      EXIT.failed,
    );
  }
}

type ServeOptions = Parameters<typeof serveJobs>[0];

/** @throws CommandError */
async function start(serve: typeof serveJobs, options: ServeOptions): ReturnType<typeof serveJobs> {
  try {
    return await serve(options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isUsage = error instanceof TypeError || error instanceof RangeError;
    throw new CommandError(error.message, isUsage ? EXIT.usage : EXIT.failed);
  }
}
