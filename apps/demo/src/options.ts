/** The command line: what is accepted, what it means, and one clear line for everything else. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseCommandLine, UsageError, wholeNumber } from "./command-line.ts";
import { DEFAULT_ANALYSIS } from "./file-report.ts";

export type Policy = "inline" | "asynchronous" | "yield";
/** `each`: a third of the files under each of them. */
export type PolicyChoice = Policy | "each";
export const POLICIES: readonly Policy[] = ["inline", "asynchronous", "yield"];

export interface CensusOptions {
  readonly directory: string;
  /** 0: no pool. */
  readonly threads: number;
  /** Worker processes of a cluster; 0: the jobs run in this process. */
  readonly workers: number;
  readonly policy: PolicyChoice;
  readonly compare: boolean;
  readonly json: string | null;
  readonly html: string | null;
  readonly log: string | null;
  /** SQLite. Null: a temporary file. */
  readonly db: string | null;
  /** Kills a thread half-way. */
  readonly chaos: boolean;
  /** A timeline of the pool. */
  readonly trace: string | null;
  readonly verbose: boolean;
  readonly correlationId: string | null;
  readonly maxFileBytes: number;
  readonly minNodes: number;
}

const MAX_THREADS = 256;
const MAX_WORKERS = 64;
const DEFAULT_WORKERS = 2;
const MAX_ID_LENGTH = 128;

export const HELP: string = `Usage: census [dir] [options]
       census serve [--port <n>] [--root <dir>]
       census tour [--scene <n>] [--fast]

Parses every JavaScript and TypeScript file below dir, and reports what is in
there: per package and in total, files, lines, functions, the longest and the
most complex of them, syntax errors, and code that occurs more than once.
Without dir, this repository's own node_modules. Served, it is a page that
several people can use at once (census serve --help). The tour shows what the
packages do, in short scenes (census tour --help).

  --threads <n>          threads of the pool; 0: no pool, everything on the
                         main thread   [${availableParallelism()}, the cores]
  --engine <name>        where jobs run: pool, threads of this process, or
                         cluster, worker processes: SKEIN_CLUSTER_URL names a
                         Redis server, else an embedded database is started
                         [pool]
  --workers <n>          worker processes of --engine cluster   [${DEFAULT_WORKERS}]
  --policy <name>        how results continue on the main thread: one of
                         ${POLICIES.join(", ")}; or each, a
                         third of the files under each of them   [each]
  --compare              run without the pool, then with it under each policy;
                         print times and event-loop delay
  --json <file>          write the result as JSON; "-" is standard output,
                         without the summary
  --html <file>          write one self-contained page: treemap and sortable
                         tables
  --log <file>           append log lines (NDJSON), written inside the workers
  --db <file>            store files, functions and syntax errors in this
                         SQLite database; scans add up   [a temporary file]
  --chaos                kill a thread half-way, or a worker process; the result
                         is the same
  --trace <file>         write a timeline of the pool, for ui.perfetto.dev
  --verbose              log every file, not only those with something to say
  --correlation-id <id>  the id of this scan in the log   [made up]
  --max-file-bytes <n>   skip files larger than this   [${DEFAULT_ANALYSIS.maxFileBytes}]
  --min-nodes <n>        compare functions of at least this many syntax
                         nodes   [${DEFAULT_ANALYSIS.minNodes}]
  --help                 this text

Ctrl-C prints the partial result. Exit code: 0 done, 1 failed, 2 wrong usage or
no such directory, 130 cancelled.
`;

/** Null when help is asked for. @throws UsageError */
export function parseOptions(args: readonly string[]): CensusOptions | null {
  const { values, positionals } = parseCommandLine(args, {
    threads: { type: "string" },
    engine: { type: "string" },
    workers: { type: "string" },
    policy: { type: "string" },
    compare: { type: "boolean" },
    json: { type: "string" },
    html: { type: "string" },
    log: { type: "string" },
    db: { type: "string" },
    chaos: { type: "boolean" },
    trace: { type: "string" },
    verbose: { type: "boolean" },
    "correlation-id": { type: "string" },
    "max-file-bytes": { type: "string" },
    "min-nodes": { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help === true) return null;
  if (positionals.length > 1)
    throw new UsageError(`one directory at most, got ${positionals.length}: ${positionals.join(", ")}`);
  const [directory = DEFAULT_DIRECTORY] = positionals;
  if (directory === "") throw new UsageError("the directory is empty");
  const options: CensusOptions = {
    directory,
    threads: wholeNumber("threads", values.threads, 0, MAX_THREADS) ?? availableParallelism(),
    workers: workersFrom(values.engine, values.workers),
    policy: policyFrom(values.policy),
    compare: values.compare === true,
    json: fileName("json", values.json),
    html: fileName("html", values.html),
    log: fileName("log", values.log),
    db: fileName("db", values.db),
    chaos: values.chaos === true,
    trace: fileName("trace", values.trace),
    verbose: values.verbose === true,
    correlationId: idFrom(values["correlation-id"]),
    maxFileBytes:
      wholeNumber("max-file-bytes", values["max-file-bytes"], 1, 500_000_000) ??
      DEFAULT_ANALYSIS.maxFileBytes,
    minNodes: wholeNumber("min-nodes", values["min-nodes"], 1, 1_000_000) ?? DEFAULT_ANALYSIS.minNodes,
  };
  if (options.compare && values.threads === "0")
    throw new UsageError("--compare needs a pool: --threads must be at least 1");
  if (options.compare && (options.json !== null || options.html !== null))
    throw new UsageError("--compare prints a table only: without --json and --html");
  if (options.compare && options.db !== null)
    throw new UsageError("--compare runs the scan several times: without --db");
  if (options.compare && options.trace !== null)
    throw new UsageError("--compare runs the scan several times: without --trace");
  if (options.compare && options.chaos)
    throw new UsageError("--compare runs the scan several times: without --chaos");
  if (options.chaos && values.threads === "0")
    throw new UsageError("--chaos needs a pool: --threads must be at least 1");
  if (options.trace !== null && values.threads === "0")
    throw new UsageError("--trace needs a pool: --threads must be at least 1");
  if (options.workers > 0) {
    if (values.threads === "0") throw new UsageError("--engine cluster needs threads: at least 1");
    if (options.compare) throw new UsageError("--compare is about the pool: without --engine cluster");
    if (options.trace !== null) throw new UsageError("--trace is about the pool: without --engine cluster");
  }
  if (options.chaos && options.workers === 1)
    throw new UsageError("--chaos kills a worker process: --workers must be at least 2");
  if (options.verbose && options.log === null)
    throw new UsageError("--verbose is about the log: it needs --log <file>");
  return options;
}

export const DEFAULT_DIRECTORY: string = fileURLToPath(new URL("../../../node_modules", import.meta.url));

/** 0: no cluster. */
function workersFrom(engine: string | undefined, workers: string | undefined): number {
  if (engine !== undefined && engine !== "pool" && engine !== "cluster")
    throw new UsageError(`--engine must be one of pool, cluster, got "${engine}"`);
  const count = wholeNumber("workers", workers, 1, MAX_WORKERS);
  if (engine === "cluster") return count ?? DEFAULT_WORKERS;
  if (count !== undefined) throw new UsageError("--workers is about the cluster: it needs --engine cluster");
  return 0;
}

/** @throws UsageError */
export function policyFrom(text: string | undefined): PolicyChoice {
  if (text === undefined || text === "each") return "each";
  const policy = POLICIES.find((known) => known === text);
  if (policy === undefined)
    throw new UsageError(`--policy must be one of ${POLICIES.join(", ")}, each, got "${text}"`);
  return policy;
}

function fileName(option: string, text: string | undefined): string | null {
  if (text === "") throw new UsageError(`--${option} needs a file name`);
  return text ?? null;
}

function idFrom(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!/^[\w.:/+=@-]+$/.test(text) || text.length > MAX_ID_LENGTH) {
    throw new UsageError(
      `--correlation-id must be 1 to ${MAX_ID_LENGTH} letters, digits or . : / + = @ _ -, got "${text.slice(0, MAX_ID_LENGTH)}"`,
    );
  }
  return text;
}
