/** `census serve`: from its command line to its end. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseCommandLine, UsageError, wholeNumber } from "../command-line.ts";
import { DEFAULT_DIRECTORY, policyFrom } from "../options.ts";
import { importQuietly } from "../quiet-import.ts";
import { describeFileError, formatPlural } from "../wording.ts";
import type { CensusServer, ServerOptions } from "./census-server.ts";

const DEFAULT_PORT = 8080;
const DEFAULT_HOST = "127.0.0.1";
const MAX_PORT = 65_535;
const DRAIN_MS = 10_000;

export const SERVE_HELP: string = `Usage: census serve [options]

Serves Census to several people at once: a page, and the same as JSON below
/api. Scans folders below a root, and archives that are uploaded; what it finds
is kept in a database.

  --port <n>       where to listen; 0: any port that is free   [${DEFAULT_PORT}]
  --host <name>    address or name to listen at; whoever can reach it may scan,
                   see, cancel and delete everything   [${DEFAULT_HOST}]
  --root <dir>     what may be scanned by its path
                   [this repository's own node_modules]
  --data <dir>     where results, log and unpacked archives are kept
                   [skein-census in the user's state folder]
  --threads <n>    threads of the pool, until the page changes it
                   [${availableParallelism()}, the cores]
  --policy <name>  how results continue on the main thread, until the page
                   changes it: inline, asynchronous, yield, or each   [each]
  --chaos          POST /api/chaos kills a thread
  --help           this text

Ctrl-C or SIGTERM: scans under way get ten seconds, a second one interrupts
them at once. After the next start they can be resumed.
`;

/** Null when help is asked for. @throws UsageError */
export function parseServeOptions(args: readonly string[], maxThreads: number): ServerOptions | null {
  const { values, positionals } = parseCommandLine(args, {
    port: { type: "string" },
    host: { type: "string" },
    root: { type: "string" },
    data: { type: "string" },
    threads: { type: "string" },
    policy: { type: "string" },
    chaos: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help === true) return null;
  if (positionals.length > 0)
    throw new UsageError(
      `serve takes no argument: "${positionals[0]}". --root <dir> says what may be scanned`,
    );
  for (const name of ["host", "root", "data"] as const)
    if (values[name] === "") throw new UsageError(`--${name} is empty`);
  return {
    port: wholeNumber("port", values.port, 0, MAX_PORT) ?? DEFAULT_PORT,
    host: values.host ?? DEFAULT_HOST,
    root: resolve(values.root ?? DEFAULT_DIRECTORY),
    data: values.data ?? null,
    threads: wholeNumber("threads", values.threads, 1, maxThreads) ?? availableParallelism(),
    policy: policyFrom(values.policy),
    chaos: values.chaos === true,
  };
}

/** Serves until a signal comes. @throws UsageError */
export async function runServe(args: readonly string[]): Promise<void> {
  const { openCensusServer, MAX_THREADS } = await importQuietly(() => import("./census-server.ts"));
  const options = parseServeOptions(args, MAX_THREADS);
  if (options === null) {
    process.stdout.write(SERVE_HELP);
    return;
  }
  const server = await openCensusServer(options).catch((error: unknown) => {
    throw error instanceof UsageError ? error : new UsageError(`cannot serve: ${describeFileError(error)}`);
  });
  // Before the URL is printed: whoever reads it may send a signal at once.
  const closed = closeOnSignal(server);
  process.stdout.write(
    `Census is at ${server.url}\nIts threads are at ${server.devtoolsUrl}\n` +
      `It scans below ${options.root} and keeps results in ${server.dataFolder}. Ctrl-C ends it.\n`,
  );
  await closed;
}

async function closeOnSignal(server: CensusServer): Promise<void> {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let signals = 0;
  const onSignal = (): void => (++signals === 1 ? first : second).resolve();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    await first.promise;
    const open = server.openScans;
    const waits = `${formatPlural(open, "scan")} may go on for ${DRAIN_MS / 1000} seconds; Ctrl-C interrupts`;
    process.stdout.write(open === 0 ? "Closing\n" : `Closing: ${waits}\n`);
    const interrupted = await server.close(DRAIN_MS, second.promise);
    if (interrupted > 0)
      process.stdout.write(
        `${formatPlural(interrupted, "scan")} interrupted, to be resumed after the next start\n`,
      );
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}
