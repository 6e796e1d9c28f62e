/** One scan, from its first file to its digest: what is found is stored as it comes. */
import { join } from "node:path";
import { DEFAULT_ANALYSIS } from "../file-report.ts";
import type { FileReport } from "../file-report.ts";
import { PackageFinder } from "../package-of.ts";
import { scan } from "../scan.ts";
import { walk } from "../walk.ts";
import type { SourceFile, Tree } from "../walk.ts";
import type { ScanPool } from "./scan-pool.ts";
import type { ScanRecord } from "./scan-record.ts";
import type { ScanStore, StoredReport } from "./scan-store.ts";

export interface ScanPlaces {
  readonly pool: ScanPool;
  readonly store: ScanStore;
  /** Of the database. */
  readonly file: string;
  readonly logFile: string;
  /** The record has changed. */
  readonly progressed: (record: ScanRecord) => void;
}

/** So many files of a scan are logged even if there is nothing to say about them. */
const SAMPLES_LOGGED = 8;
/** In one transaction, on the main thread. */
const FILES_STORED = 16;
const STORED_AFTER_MS = 250;

/**
 * Scans what is below `root`, and is not stored yet. When the signal is aborted, stores what is there by then.
 * @throws the signal's reason; what is wrong with the root, or the database.
 */
export async function runScan(
  record: ScanRecord,
  root: string,
  places: ScanPlaces,
  stop: AbortController,
): Promise<void> {
  const { pool, store, file: database, logFile, progressed } = places;
  const { signal } = stop;
  let tree = store.treeOf(record.id);
  if (tree === null) {
    tree = await findFiles(root, signal);
    signal.throwIfAborted();
    store.setTree(record.id, tree);
  }
  record.files.total = tree.files.length;
  progressed(record);

  const stored = store.storedPositions(record.id);
  const writer = new ReportWriter(store, record, tree);
  await scan(tree, pool.engine, {
    correlationId: record.id,
    analysis: { ...DEFAULT_ANALYSIS, logFile, verbose: false },
    signal,
    policy: () => pool.settings.policy,
    isKnown: (index) => stored.has(index),
    samplesLogged: SAMPLES_LOGGED,
    onFile: (file, report, index) => {
      try {
        writer.add(file, report, index);
        progressed(record);
      } catch (error) {
        stop.abort(error);
      }
    },
  });
  writer.flush();
  signal.throwIfAborted();
  record.digest = await pool.digestOf(database, record.id, tree, signal);
}

/** @throws when the root is another folder by now than the one that was allowed. */
async function findFiles(root: string, signal: AbortSignal): Promise<Tree> {
  const tree = await walk(root, signal);
  if (tree.root !== root) throw new Error("the folder was replaced by a link");
  return tree;
}

/** Adds up what is found, and stores it: a few files in one transaction. */
class ReportWriter {
  readonly #store: ScanStore;
  readonly #record: ScanRecord;
  readonly #root: string;
  readonly #owners = new PackageFinder();
  #waiting: StoredReport[] = [];
  #storedAt = performance.now();

  constructor(store: ScanStore, record: ScanRecord, { root }: Tree) {
    this.#store = store;
    this.#record = record;
    this.#root = root;
  }

  /** @throws what SQLite has against it. */
  add({ path }: SourceFile, report: FileReport, position: number): void {
    const { name: owner } = this.#owners.packageOf(join(this.#root, path));
    this.#waiting.push({ position, path, owner, report });
    const record = this.#record;
    record.files.done++;
    record.bytes += report.bytes;
    if (report.kind === "parsed") {
      record.functions += report.functions;
      record.errors += report.problemCount;
    }
    if (this.#waiting.length >= FILES_STORED || performance.now() - this.#storedAt > STORED_AFTER_MS)
      this.flush();
  }

  /** @throws what SQLite has against it. */
  flush(): void {
    const reports = this.#waiting;
    this.#waiting = [];
    this.#storedAt = performance.now();
    if (reports.length > 0) this.#store.addReports(this.#record, reports);
  }
}
