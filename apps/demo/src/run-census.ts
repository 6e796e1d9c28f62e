/** From the command line to the exit code. Whatever goes wrong is one line on standard error, never a stack trace. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { takeCensus, wordsOf } from "./census.ts";
import type { Census } from "./census.ts";
import { checkPlaces } from "./check-places.ts";
import { compareEngines } from "./compare.ts";
import { openDirectEngine } from "./engine.ts";
import type { Engine } from "./engine.ts";
import { DEFAULT_ANALYSIS } from "./file-report.ts";
import type { AnalysisOptions } from "./file-report.ts";
import { Interrupt } from "./interrupt.ts";
import { digestOf, toJson } from "./json.ts";
import type { RunInfo } from "./json.ts";
import { closing, firstLines } from "./closing.ts";
import type { WhatWasSeen } from "./closing.ts";
import { UsageError } from "./command-line.ts";
import { LoopWatch } from "./loop-watch.ts";
import { HELP, parseOptions } from "./options.ts";
import type { CensusOptions } from "./options.ts";
import { renderPage } from "./page.ts";
import { Progress } from "./progress.ts";
import { importQuietly } from "./quiet-import.ts";
import type { RowStore } from "./row-store.ts";
import { scan } from "./scan.ts";
import type { ScanOptions, ScanResult } from "./scan.ts";
import { summarise } from "./summary.ts";
import { styleFor, widthFor } from "./terminal.ts";
import { walk } from "./walk.ts";
import type { Tree } from "./walk.ts";
import { describeFileError, formatPlural, printable } from "./wording.ts";

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Of the log, at the end. */
const LINES_SHOWN = 4;
/** Of the strip beside the progress. */
const STRIP_WIDTH = 10;

/** The exit code. */
export async function runCensus(given: readonly string[]): Promise<number> {
  // As in `pnpm demo -- --threads 2`: pnpm hands it on.
  const args = given[0] === "--" ? given.slice(1) : given;
  // A reader that went away, as in `census | head`, is not an error.
  process.stdout.on("error", () => process.exit(EXIT.done));
  try {
    if (args[0] === "tour") {
      const { runTour } = await import("./tour/run-tour.ts");
      return (await runTour(args.slice(1))) ? EXIT.done : EXIT.failed;
    }
    if (args[0] === "serve") {
      const { runServe } = await import("./serve/run-serve.ts");
      await runServe(args.slice(1));
      return EXIT.done;
    }
    const options = parseOptions(args);
    if (options === null) {
      process.stdout.write(HELP);
      return EXIT.done;
    }
    checkPlaces(options);
    const interrupt = new Interrupt();
    try {
      return await (options.compare ? compare : takeOne)(options, interrupt.signal);
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

async function compare(options: CensusOptions, signal: AbortSignal): Promise<number> {
  const correlationId = options.correlationId ?? randomUUID();
  const logFile = options.log === null ? null : resolve(options.log);
  const analysis: AnalysisOptions = { ...analysisOf(options), logFile };
  const tree = await findFiles(options.directory, signal);
  const agree = await compareEngines({
    tree,
    threads: options.threads,
    signal,
    openEngine,
    runScan: (engine, label, policy, loop) =>
      scanWithProgress(tree, engine, label, { correlationId, analysis, signal, policy, loop }),
    digest: async (engine, { reports }) => {
      const { marks } = await engine.findRepeats(wordsOf(reports));
      return digestOf(takeCensus(tree, reports, analysis, marks));
    },
    write: (text) => process.stdout.write(text),
    style: styleFor(process.stdout, process.env),
    width: widthFor(process.stdout),
  });
  if (signal.aborted) return EXIT.interrupted;
  return agree ? EXIT.done : EXIT.failed;
}

async function takeOne(options: CensusOptions, signal: AbortSignal): Promise<number> {
  // For what nobody asked to keep, however the process ends.
  const scratch = mkdtempSync(join(tmpdir(), "census-"));
  process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
  const { threads, workers } = options;
  const correlationId = options.correlationId ?? randomUUID();
  const logFile = options.log === null ? join(scratch, "census.log") : resolve(options.log);
  const store = await openStore(options.db, scratch, correlationId);
  const analysis: AnalysisOptions = { ...analysisOf(options), logFile, rows: store.producers };
  const startedAt = new Date().toISOString();
  const walkStart = performance.now();
  const tree = await findFiles(options.directory, signal);
  const walkMs = performance.now() - walkStart;

  const engine = await openEngine(threads, options.trace, workers);
  const loop = new LoopWatch();
  const lethal = options.chaos ? new Int32Array(new SharedArrayBuffer(4)) : undefined;
  const result = await scanWithProgress(tree, engine, labelOf(threads, workers), {
    correlationId,
    analysis,
    signal,
    policy: options.policy,
    loop,
    ...(lethal === undefined ? {} : { lethal }),
    samplesLogged: options.log === null ? LINES_SHOWN : 0,
  });
  loop.stop();
  const repeats = await engine.findRepeats(wordsOf(result.reports));
  await engine.close();
  const stored = await store.close();
  const census = takeCensus(tree, result.reports, analysis, repeats.marks);
  const info: RunInfo = {
    correlationId,
    root: tree.root,
    threads,
    policy: threads === 0 ? null : options.policy,
    startedAt,
    walkMs: Math.round(walkMs),
    analysisMs: Math.round(result.elapsedMs),
    cpuMs: Math.round(result.cpuMs),
    delayP99Ms: Number(loop.delayP99Ms.toFixed(2)),
  };
  report(options, census, info, {
    loops: threads === 0 ? [] : loop.records,
    logLines: firstLines(logFile, LINES_SHOWN),
    compared: repeats.marks.length,
    stolen: repeats.stolen,
    stored,
    killed:
      lethal === undefined || Atomics.load(lethal, 0) === 0
        ? null
        : workers > 0
          ? "worker process"
          : "thread",
    options,
  });
  return census.complete ? EXIT.done : EXIT.interrupted;
}

function analysisOf({ maxFileBytes, minNodes, verbose }: CensusOptions): Omit<AnalysisOptions, "logFile"> {
  return { maxFileBytes, minNodes, top: DEFAULT_ANALYSIS.top, verbose };
}

function labelOf(threads: number, workers: number): string {
  if (workers > 0) return formatPlural(workers, "worker");
  return threads === 0 ? "no pool" : formatPlural(threads, "thread");
}

async function findFiles(directory: string, signal: AbortSignal): Promise<Tree> {
  const onTerminal = process.stderr.isTTY;
  const tree = await walk(directory, signal, (found) => {
    if (onTerminal) process.stderr.write(`\r\u001b[2Klooking for files: ${formatPlural(found, "file")}`);
  });
  if (onTerminal) process.stderr.write("\r\u001b[2K");
  return tree;
}

async function openEngine(threads: number, trace: string | null = null, workers = 0): Promise<Engine> {
  if (workers > 0) {
    const { openClusterEngine } = await import("./cluster-engine.ts");
    return await openClusterEngine(workers, threads);
  }
  if (threads === 0) return openDirectEngine();
  const { openPoolEngine } = await import("./pool-engine.ts");
  return openPoolEngine(threads, trace);
}

async function openStore(file: string | null, scratch: string, scan: string): Promise<RowStore> {
  const { RowStore } = await importQuietly(() => import("./row-store.ts"));
  return file === null ? new RowStore(join(scratch, "census.db"), scan, true) : new RowStore(file, scan);
}

async function scanWithProgress(
  tree: Tree,
  engine: Engine,
  label: string,
  options: ScanOptions,
): Promise<ScanResult> {
  const bytes = tree.files.reduce((sum, file) => sum + file.bytes, 0);
  const progress = new Progress(
    process.stderr,
    label,
    tree.files.length,
    bytes,
    () => options.loop?.drawNow(STRIP_WIDTH) ?? "",
  );
  try {
    return await scan(tree, engine, { ...options, onFile: (file) => progress.advance(file.bytes) });
  } finally {
    progress.close();
  }
}

function report(options: CensusOptions, census: Census, info: RunInfo, seen: WhatWasSeen): void {
  if (options.html !== null) writeFileSync(options.html, renderPage(census, info));
  if (options.json === "-") {
    process.stdout.write(toJson(census, info));
    return;
  }
  if (options.json !== null) writeFileSync(options.json, toJson(census, info));
  const digest = digestOf(census);
  const style = styleFor(process.stdout, process.env);
  const width = widthFor(process.stdout);
  process.stdout.write(summarise(census, { ...info, digest }, style, width) + closing(seen, style, width));
}
