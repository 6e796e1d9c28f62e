/** One scan: every file of a tree through an engine, with a bounded number under way. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { join } from "node:path";
import { childId, fileId, scanId } from "./correlation.ts";
import { DeepFiles } from "./deep-files.ts";
import type { Engine } from "./engine.ts";
import type { AnalysisOptions, FileReport } from "./file-report.ts";
import type { SourceFile, Tree } from "./walk.ts";
import { describeFileError } from "./wording.ts";

export interface ScanResult {
  /** By index of `tree.files`; undefined where a cancelled scan did not get to. */
  readonly reports: (FileReport | undefined)[];
  readonly elapsedMs: number;
  /** Of the whole process in that time, V8's own threads included. */
  readonly cpuMs: number;
  /** The 99th percentile of how late the event loop of this thread was. */
  readonly delayP99Ms: number;
}

export interface ScanOptions {
  readonly correlationId: string;
  readonly analysis: AnalysisOptions;
  readonly signal: AbortSignal;
  readonly onFile?: (file: SourceFile, report: FileReport) => void;
}

const DELAY_RESOLUTION_MS = 1;
const NANOSECONDS_PER_MS = 1e6;
const MICROSECONDS_PER_MS = 1e3;

/** Never rejects because of a file. When the signal is aborted, resolves with what is done by then. */
export function scan(tree: Tree, engine: Engine, options: ScanOptions): Promise<ScanResult> {
  return scanId.run(options.correlationId, () => scanFiles(tree, engine, options));
}

async function scanFiles(tree: Tree, engine: Engine, options: ScanOptions): Promise<ScanResult> {
  const { correlationId, analysis, signal, onFile } = options;
  const reports: (FileReport | undefined)[] = tree.files.map(() => undefined);
  const deep = new DeepFiles();
  const gate = new Gate(engine.lookAhead);
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const start = performance.now();
  const cpuBefore = process.cpuUsage();

  const analyseOne = async (index: number, file: SourceFile): Promise<void> => {
    const report = await reportOf(file, join(tree.root, file.path));
    gate.leave();
    if (report === undefined) return;
    reports[index] = report;
    onFile?.(file, report);
  };
  const reportOf = async (file: SourceFile, path: string): Promise<FileReport | undefined> => {
    try {
      const report = await engine.analyse(path, analysis, signal);
      return report.kind === "deep" ? await deep.analyse(path, analysis, signal) : report;
    } catch (error) {
      if (signal.aborted) return undefined;
      // Not the file's content, which never throws: the thread died, or ran out of memory.
      return { kind: "unreadable", bytes: file.bytes, message: `not analysed: ${describeFileError(error)}` };
    }
  };

  for (const [index, file] of tree.files.entries()) {
    await gate.enter();
    if (signal.aborted) {
      gate.leave();
      break;
    }
    void fileId.run(childId(correlationId, index), analyseOne, index, file);
  }
  await gate.empty();
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  delay.disable();
  await deep.close();
  // The monitor's timer fires every DELAY_RESOLUTION_MS when nothing is late.
  const delayP99Ms = Math.max(0, delay.percentile(99) / NANOSECONDS_PER_MS - DELAY_RESOLUTION_MS);
  return { reports, elapsedMs, cpuMs: (user + system) / MICROSECONDS_PER_MS, delayP99Ms };
}

/** Lets at most so many be inside. For a single caller of `enter`. */
class Gate {
  readonly #capacity: number;
  #inside = 0;
  #waiting: { for: number; resolve: () => void } | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async enter(): Promise<void> {
    await this.#atMost(this.#capacity - 1);
    this.#inside++;
  }

  leave(): void {
    this.#inside--;
    if (this.#waiting !== undefined && this.#inside <= this.#waiting.for) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve();
    }
  }

  async empty(): Promise<void> {
    await this.#atMost(0);
  }

  async #atMost(count: number): Promise<void> {
    if (this.#inside <= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { for: count, resolve };
    await promise;
  }
}
