import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import { ThreadPool } from "@skein/pool";
import { resolveJobUrl } from "@skein/pool/engine";
import { type ClusterConnection, storeOf } from "./connection.ts";
import {
  clusterName,
  milliseconds,
  nonNegative,
  onErrorOption,
  payloadBytes,
  positive,
} from "./option-values.ts";
import { ModuleNames } from "./module-names.ts";
import type { Store } from "./store.ts";
import { isName } from "./wire.ts";

export interface ServeOptions {
  /**
   * The modules that are served: a list, or by their names, which are the names of the files without `.jobs.ts`, as callers of `cluster.module` know
   * them. Nothing else is ever loaded: a job names a module of this list and one of its exports.
   */
  readonly modules: readonly (URL | string)[] | Readonly<Record<string, URL | string>>;
  /** @default the environment variable SKEIN_CLUSTER_URL; else the embedded database in `.skein/cluster` of the working directory */
  readonly connection?: ClusterConnection | undefined;
  /** The cluster's name: several may share a server. @default "default" */
  readonly name?: string | undefined;
  /** Where jobs run. It is not closed. What it refuses, as it is full or closed, goes back to the store, for other workers. Jobs that wait for others of the cluster need `jobsPerThread` above 1. @default a pool of its own */
  readonly pool?: ThreadPool | undefined;
  /**
   * How many jobs of one module run at once. Jobs that await want more than there are threads. One that has submitted jobs to the cluster
   * which are not over counts as waiting for them, and not as running. While jobs of all modules are short and await nothing, up to 16 more are fetched ahead of their turn, unless
   * they have `retries: 0`; if that has not come after a tenth of a second, they are left to other workers. @default the number of cores
   */
  readonly concurrency?: number | undefined;
  /** After so many milliseconds without a sign of life a worker's jobs are taken for lost. @default 5000 */
  readonly lockMs?: number | undefined;
  /**
   * How long a job that this worker cannot run, because it was sent by another version or its module here has no such function, is left to
   * others before it rejects with VersionSkewError or JobNotFoundError. 0: it rejects at once. @default 60000
   */
  readonly skewMs?: number | undefined;
  /** How long `close` waits for jobs that run. @default 30000 */
  readonly closeTimeoutMs?: number | undefined;
  /** How long the store may take to answer at first. @default 10000, and 60000 for the embedded database, which has to start */
  readonly connectTimeoutMs?: number | undefined;
  /** The most bytes that arguments, and a result, may take as text. @default 1048576 */
  readonly maxPayloadBytes?: number | undefined;
  /**
   * Hears of errors that are no job's, such as a connection that was lost: it is made again by itself. Of the same error at most once a minute.
   * @default process.emitWarning
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

export interface ResolvedServeOptions {
  readonly modules: ReadonlyMap<string, string>;
  readonly store: Store;
  readonly name: string;
  readonly pool: ThreadPool | undefined;
  readonly concurrency: number | undefined;
  readonly lockMs: number;
  readonly skewMs: number;
  readonly closeTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxPayloadBytes: number;
  readonly onError: (error: Error) => void;
}

const names: OptionNames<ServeOptions> = {
  modules: true,
  connection: true,
  name: true,
  pool: true,
  concurrency: true,
  lockMs: true,
  skewMs: true,
  closeTimeoutMs: true,
  connectTimeoutMs: true,
  maxPayloadBytes: true,
  onError: true,
};

/** @throws TypeError or RangeError for a bad option, naming it. */
export function resolveServeOptions(options: ServeOptions): ResolvedServeOptions {
  const own = ownOptions(options, names);
  if (own.pool !== undefined && !(own.pool instanceof ThreadPool))
    throw argumentTypeError("pool", "a ThreadPool", own.pool);
  const store = storeOf(own.connection);
  const { lockMs = 5000, skewMs = 60_000, closeTimeoutMs = 30_000 } = own;
  const { connectTimeoutMs = store.connectTimeoutMs } = own;
  return {
    modules: modulesOf(own.modules),
    store,
    name: clusterName(own.name),
    pool: own.pool,
    concurrency: own.concurrency === undefined ? undefined : positive("concurrency", own.concurrency),
    lockMs: milliseconds("lockMs", lockMs),
    skewMs: nonNegative("skewMs", skewMs),
    closeTimeoutMs: milliseconds("closeTimeoutMs", closeTimeoutMs),
    connectTimeoutMs: milliseconds("connectTimeoutMs", connectTimeoutMs),
    maxPayloadBytes: payloadBytes(own.maxPayloadBytes),
    onError: onErrorOption(own.onError),
  };
}

function modulesOf(modules: unknown): ReadonlyMap<string, string> {
  if (typeof modules !== "object" || modules === null)
    throw argumentTypeError("modules", "the modules that are served: [new URL(…)]", modules);
  const byName = new Map<string, string>();
  const names = new ModuleNames();
  for (const [key, url] of Object.entries(modules)) {
    const href = resolveJobUrl(url as URL);
    const name = Array.isArray(modules) ? names.of(href) : key;
    if (!isName(name)) throw argumentTypeError("modules", "names of letters, digits, _ and -", name);
    byName.set(name, href);
  }
  if (byName.size === 0) throw argumentTypeError("modules", "at least one module", modules);
  return byName;
}
