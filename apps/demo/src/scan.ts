/** One scan: every file of a tree through an engine, with a bounded number under way. */
import { join } from "node:path";
import { ThreadCrashedError } from "@skein/pool";
import { AsyncSemaphore } from "@skein/scheduling";
import { childId, fileId, scanId } from "./correlation.ts";
import { DeepFiles } from "./deep-files.ts";
import type { Engine } from "./engine.ts";
import type { AnalysisOptions, FileReport } from "./file-report.ts";
import type { LoopWatch } from "./loop-watch.ts";
import { POLICIES } from "./options.ts";
import type { Policy, PolicyChoice } from "./options.ts";
import type { SourceFile, Tree } from "./walk.ts";
import { describeFileError } from "./wording.ts";

export interface ScanResult {
  /** By index of `tree.files`; undefined where a cancelled scan did not get to, and where `isKnown`. */
  readonly reports: (FileReport | undefined)[];
  readonly elapsedMs: number;
  /** Of the whole process in that time, V8's own threads included. */
  readonly cpuMs: number;
}

export interface ScanOptions {
  readonly correlationId: string;
  readonly analysis: AnalysisOptions;
  readonly signal: AbortSignal;
  /** A function is asked for each file anew. */
  readonly policy: PolicyChoice | (() => PolicyChoice);
  /** The files by index that are left out, because their reports are there already. @default none */
  readonly isKnown?: (index: number) => boolean;
  /** Is told which policy results continue under. */
  readonly loop?: LoopWatch;
  /** Ends the thread that gets the file in the middle, see `AnalysisOptions.lethal`. */
  readonly lethal?: Int32Array;
  /** So many files, here and there in the tree, are logged whatever there is to say about them. @default 0 */
  readonly samplesLogged?: number;
  /** Must not throw. */
  readonly onFile?: (file: SourceFile, report: FileReport, index: number) => void;
}

const MICROSECONDS_PER_MS = 1e3;
/** How often a job is tried whose thread somebody ended. */
export const ATTEMPTS = 3;

/** Never rejects because of a file. When the signal is aborted, resolves with what is done by then. */
export function scan(tree: Tree, engine: Engine, options: ScanOptions): Promise<ScanResult> {
  return scanId.run(options.correlationId, () => scanFiles(tree, engine, options));
}

async function scanFiles(tree: Tree, engine: Engine, options: ScanOptions): Promise<ScanResult> {
  const { correlationId, analysis, signal, isKnown, loop, lethal, samplesLogged = 0, onFile } = options;
  const reports: (FileReport | undefined)[] = tree.files.map(() => undefined);
  const deep = new DeepFiles();
  const room = new AsyncSemaphore(engine.lookAhead);
  const policyOf = policiesFor(options.policy, tree.files);
  const loggedEvery = Math.ceil(tree.files.length / samplesLogged);
  const middle = tree.files.length >> 1;
  const start = performance.now();
  const cpuBefore = process.cpuUsage();

  const analyseOne = async (index: number, file: SourceFile): Promise<void> => {
    const report = await reportOf(index, file, join(tree.root, file.path));
    if (report !== undefined) {
      reports[index] = report;
      onFile?.(file, report, index);
    }
    room.release();
  };
  const reportOf = async (
    index: number,
    file: SourceFile,
    path: string,
    attempt = 1,
  ): Promise<FileReport | undefined> => {
    try {
      const own: AnalysisOptions = {
        ...analysis,
        verbose: analysis.verbose || index % loggedEvery === 0,
        ...(index === middle && lethal !== undefined ? { lethal } : {}),
      };
      const policy = policyOf(index);
      const report = await engine.analyse(path, own, signal, policy);
      loop?.enter(policy);
      return report.kind === "deep" ? await deep.analyse(path, own, signal) : report;
    } catch (error) {
      if (signal.aborted) return undefined;
      // Rows must not be pushed twice.
      if (wasEnded(error) && attempt < ATTEMPTS && analysis.rows === undefined)
        return await reportOf(index, file, path, attempt + 1);
      // Not the file's content, which never throws: the thread died, or ran out of memory.
      return { kind: "unreadable", bytes: file.bytes, message: `not analysed: ${describeFileError(error)}` };
    }
  };

  for (const [index, file] of tree.files.entries()) {
    if (isKnown?.(index) === true) continue;
    if (!room.tryWait()) await room.waitAsync();
    if (signal.aborted) {
      room.release();
      break;
    }
    void fileId.run(childId(correlationId, index), analyseOne, index, file);
  }
  // All have left when the room is mine.
  for (let place = 0; place < engine.lookAhead; place++) await room.waitAsync();
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  await deep.close();
  return { reports, elapsedMs, cpuMs: (user + system) / MICROSECONDS_PER_MS };
}

/**
 * Whether a job failed because somebody ended its thread, which says nothing about the job. The pool fails such a job, whatever its
 * `retries`, when it has to leave the thread behind because it is slow to end.
 */
export function wasEnded(error: unknown): boolean {
  return error instanceof ThreadCrashedError && error.wasTerminated;
}

function policiesFor(
  policy: PolicyChoice | (() => PolicyChoice),
  files: readonly SourceFile[],
): (index: number) => Policy {
  const shares = policiesByBytes(files);
  return (index) => {
    const choice = typeof policy === "function" ? policy() : policy;
    return choice === "each" ? shares(index) : choice;
  };
}

/** Divides the files into as many parts as there are policies, about the same work each. */
function policiesByBytes(files: readonly SourceFile[]): (index: number) => Policy {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  const policies = files.map(({ bytes }) => {
    const share = total === 0 ? 0 : before / total;
    before += bytes;
    return POLICIES[Math.min(POLICIES.length - 1, Math.floor(share * POLICIES.length))]!;
  });
  return (index) => policies[index]!;
}
