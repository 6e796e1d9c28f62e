/** From the command line to the exit code. Whatever goes wrong is one line on standard error, never a stack trace. */
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { takeCensus } from "./census.ts";
import type { Census } from "./census.ts";
import { checkPlaces } from "./check-places.ts";
import { compareEngines } from "./compare.ts";
import { openDirectEngine } from "./engine.ts";
import type { Engine } from "./engine.ts";
import type { AnalysisOptions } from "./file-report.ts";
import { Interrupt } from "./interrupt.ts";
import { digestOf, toJson } from "./json.ts";
import type { RunInfo } from "./json.ts";
import { UsageError } from "./command-line.ts";
import { HELP, parseOptions } from "./options.ts";
import type { CensusOptions, Policy } from "./options.ts";
import { renderPage } from "./page.ts";
import { Progress } from "./progress.ts";
import type { RowStore } from "./row-store.ts";
import { scan } from "./scan.ts";
import type { ScanResult } from "./scan.ts";
import { summarise } from "./summary.ts";
import { styleFor, widthFor } from "./terminal.ts";
import { walk } from "./walk.ts";
import type { Tree } from "./walk.ts";
import { describeFileError, formatPlural, printable } from "./wording.ts";

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** How many functions each list of the longest and most complex holds. */
const TOP = 25;

/** The exit code. */
export async function runCensus(args: readonly string[]): Promise<number> {
  // A reader that went away, as in `census | head`, is not an error.
  process.stdout.on("error", () => process.exit(EXIT.done));
  try {
    if (args[0] === "tour") {
      const { runTour } = await import("./tour/run-tour.ts");
      return (await runTour(args.slice(1))) ? EXIT.done : EXIT.failed;
    }
    const options = parseOptions(args);
    if (options === null) {
      process.stdout.write(HELP);
      return EXIT.done;
    }
    checkPlaces(options);
    const interrupt = new Interrupt();
    try {
      return await run(options, interrupt.signal);
    } finally {
      interrupt.stopListening();
    }
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`census: ${printable(error.message)} (census --help explains)\n`);
      return EXIT.usage;
    }
    process.stderr.write(`census: ${printable(describeFileError(error))}\n`);
    return EXIT.failed;
  }
}

async function run(options: CensusOptions, signal: AbortSignal): Promise<number> {
  const correlationId = options.correlationId ?? randomUUID();
  const store = await openStore(options.db, correlationId);
  const analysis: AnalysisOptions = {
    maxFileBytes: options.maxFileBytes,
    minNodes: options.minNodes,
    top: TOP,
    logFile: options.log === null ? null : resolve(options.log),
    verbose: options.verbose,
    ...(store === null ? {} : { rows: store.producers }),
  };
  const startedAt = new Date().toISOString();
  const walkStart = performance.now();
  const tree = await findFiles(options.directory, signal);
  const walkMs = performance.now() - walkStart;
  const scanWith = (engine: Engine, label: string): Promise<ScanResult> =>
    scanWithProgress(tree, engine, label, correlationId, analysis, signal);

  if (options.compare) {
    const agree = await compareEngines({
      tree,
      threads: options.threads,
      signal,
      openEngine,
      runScan: scanWith,
      digest: ({ reports }) => digestOf(takeCensus(tree, reports, analysis)),
      write: (text) => process.stdout.write(text),
      style: styleFor(process.stdout, process.env),
      width: widthFor(process.stdout),
    });
    if (signal.aborted) return EXIT.interrupted;
    return agree ? EXIT.done : EXIT.failed;
  }

  const engine = await openEngine(options.threads, options.policy, options.trace);
  const result = await scanWith(
    engine,
    options.threads === 0 ? "no pool" : formatPlural(options.threads, "thread"),
  );
  await engine.close();
  await store?.close();
  const census = takeCensus(tree, result.reports, analysis);
  const info: RunInfo = {
    correlationId,
    root: tree.root,
    threads: options.threads,
    policy: options.threads === 0 ? null : options.policy,
    startedAt,
    walkMs: Math.round(walkMs),
    analysisMs: Math.round(result.elapsedMs),
    cpuMs: Math.round(result.cpuMs),
    delayP99Ms: Number(result.delayP99Ms.toFixed(2)),
  };
  report(options, census, info);
  return census.complete ? EXIT.done : EXIT.interrupted;
}

async function findFiles(directory: string, signal: AbortSignal): Promise<Tree> {
  const onTerminal = process.stderr.isTTY;
  const tree = await walk(directory, signal, (found) => {
    if (onTerminal) process.stderr.write(`\r\u001b[2Klooking for files: ${formatPlural(found, "file")}`);
  });
  if (onTerminal) process.stderr.write("\r\u001b[2K");
  return tree;
}

async function openEngine(threads: number, policy: Policy, trace: string | null = null): Promise<Engine> {
  if (threads === 0) return openDirectEngine();
  const { openPoolEngine } = await import("./pool-engine.ts");
  return openPoolEngine(threads, policy, trace);
}

async function openStore(file: string | null, scan: string): Promise<RowStore | null> {
  if (file === null) return null;
  // Only then: before Node 26 the module announces itself as experimental.
  const { RowStore } = await import("./row-store.ts");
  return new RowStore(file, scan);
}

async function scanWithProgress(
  tree: Tree,
  engine: Engine,
  label: string,
  correlationId: string,
  analysis: AnalysisOptions,
  signal: AbortSignal,
): Promise<ScanResult> {
  const bytes = tree.files.reduce((sum, file) => sum + file.bytes, 0);
  const progress = new Progress(process.stderr, label, tree.files.length, bytes);
  try {
    return await scan(tree, engine, {
      correlationId,
      analysis,
      signal,
      onFile: (file) => progress.advance(file.bytes),
    });
  } finally {
    progress.close();
  }
}

function report(options: CensusOptions, census: Census, info: RunInfo): void {
  if (options.html !== null) writeFileSync(options.html, renderPage(census, info));
  if (options.json === "-") {
    process.stdout.write(toJson(census, info));
    return;
  }
  if (options.json !== null) writeFileSync(options.json, toJson(census, info));
  const digest = digestOf(census);
  const style = styleFor(process.stdout, process.env);
  process.stdout.write(summarise(census, { ...info, digest }, style, widthFor(process.stdout)));
}
