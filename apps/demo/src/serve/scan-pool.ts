/** The pool that all scans share, and how it is set. */
import { availableParallelism } from "node:os";
import { AsyncScope } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import type { JobModule } from "@skein/pool";
import type { Engine } from "../engine.ts";
import { POLICIES } from "../options.ts";
import type { PolicyChoice } from "../options.ts";
import { poolEngine } from "../pool-engine.ts";
import { ATTEMPTS, wasEnded } from "../scan.ts";
import type { Tree } from "../walk.ts";
import { CensusError } from "./census-error.ts";
import type * as DigestJobs from "./digest.jobs.ts";

export interface Settings {
  readonly policy: PolicyChoice;
  readonly threads: number;
}

/** What they do at this moment. */
export interface Threads {
  readonly total: number;
  readonly running: number;
  readonly queued: number;
}

export const MAX_THREADS: number = 2 * availableParallelism();
/** How often the last job of a scan runs again when its thread dies. */
const RETRIES = 2;
/** Of each scan: enough for all threads, and few, so that those of another scan soon have their turn. */
const FILES_UNDER_WAY = 4 * MAX_THREADS;

export class ScanPool {
  readonly pool: ThreadPool;
  readonly engine: Engine;
  readonly #digests: JobModule<typeof DigestJobs>;
  #settings: Settings;

  constructor(settings: Settings) {
    this.pool = new ThreadPool({
      name: "census",
      minThreads: settings.threads,
      maxThreads: settings.threads,
    });
    this.engine = { ...poolEngine(this.pool), lookAhead: FILES_UNDER_WAY };
    this.#digests = this.pool.module<typeof DigestJobs>(new URL("./digest.jobs.ts", import.meta.url));
    this.#settings = settings;
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Takes effect at once: on the results that come in, and on the threads as soon as they have finished a file. */
  set(settings: Settings): void {
    this.pool.setMinThreads(1);
    this.pool.setMaxThreads(settings.threads);
    this.pool.setMinThreads(settings.threads);
    this.#settings = settings;
  }

  threads(): Threads {
    const { threads, queued } = this.pool.stats();
    const { high, normal, low, local, placed } = queued;
    return {
      total: threads.total,
      running: threads.running,
      queued: high + normal + low + local + placed,
    };
  }

  /** Of a scan whose reports are in the database. */
  async digestOf(database: string, scan: string, tree: Tree, signal: AbortSignal): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        // Before the files of other scans, which may be many.
        return await this.pool.run(this.#digests.digestOfScan, [database, scan, tree], {
          signal,
          priority: "high",
          retries: RETRIES,
        });
      } catch (error) {
        if (signal.aborted || attempt === ATTEMPTS || !wasEnded(error)) throw error;
      }
    }
  }

  /** Ends a thread, whatever it does. @returns its id; null: there is none */
  async killThread(): Promise<number | null> {
    const thread = this.pool.threads.find(({ isLeaving }) => !isLeaving);
    if (thread === undefined) return null;
    await AsyncScope.root.run(() => thread.terminate());
    return thread.threadId;
  }

  async close(): Promise<void> {
    await this.engine.close();
  }
}

/** @throws CensusError for anything but settings. */
export function settingsFrom(body: unknown): Settings {
  const { policy, threads, ...unknown } = Object(body) as Record<string, unknown>;
  const refused = (message: string): CensusError => new CensusError("ERR_CENSUS_REQUEST", message);
  const [name] = Object.keys(unknown);
  if (name !== undefined)
    throw refused(`There is no setting ${JSON.stringify(name)}. Known are: policy, threads.`);
  const choice = [...POLICIES, "each" as const].find((known) => known === policy);
  if (choice === undefined) {
    throw refused(
      `"policy" must be one of ${POLICIES.join(", ")}, each, not ${JSON.stringify(policy) ?? "missing"}.`,
    );
  }
  if (!Number.isInteger(threads) || (threads as number) < 1 || (threads as number) > MAX_THREADS) {
    throw refused(
      `"threads" must be a whole number from 1 to ${MAX_THREADS}, not ${JSON.stringify(threads) ?? "missing"}.`,
    );
  }
  return { policy: choice, threads: threads as number };
}
