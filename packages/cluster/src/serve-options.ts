import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import { ThreadPool } from "@skein/pool";
import { jobModule } from "@skein/pool/engine";
import type { RedisOptions } from "ioredis";
import { checkConnection, type ClusterConnection } from "./connection.ts";
import { clusterName, milliseconds, onErrorOption, payloadBytes, positive } from "./option-values.ts";
import { isName } from "./wire.ts";

export interface ServeOptions {
  /**
   * The modules that are served, by name: the file's name without `.jobs.ts` as callers of `cluster.module` know it. Nothing else is ever
   * loaded: a job names a module of this list and one of its exports.
   */
  readonly modules: Readonly<Record<string, URL | string>>;
  /** @default the environment variable SKEIN_CLUSTER_URL */
  readonly connection?: ClusterConnection | undefined;
  /** The cluster's name: several may share a server. @default "default" */
  readonly name?: string | undefined;
  /** Where jobs run. It is not closed. @default a pool of its own */
  readonly pool?: ThreadPool | undefined;
  /** How many jobs of one module are taken at once. Jobs that await want more than there are threads. @default the number of cores */
  readonly concurrency?: number | undefined;
  /** After so many milliseconds without a sign of life a worker's jobs are taken for lost. @default 5000 */
  readonly lockMs?: number | undefined;
  /** How long `close` waits for jobs that run. @default 30000 */
  readonly closeTimeoutMs?: number | undefined;
  /** @default 10000 */
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
  readonly connection: string | RedisOptions;
  readonly name: string;
  readonly pool: ThreadPool | undefined;
  readonly concurrency: number | undefined;
  readonly lockMs: number;
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
  return {
    modules: modulesOf(own.modules),
    connection: checkConnection(own.connection),
    name: clusterName(own.name),
    pool: own.pool,
    concurrency: own.concurrency === undefined ? undefined : positive("concurrency", own.concurrency),
    lockMs: milliseconds("lockMs", own.lockMs ?? 5000),
    closeTimeoutMs: milliseconds("closeTimeoutMs", own.closeTimeoutMs ?? 30_000),
    connectTimeoutMs: milliseconds("connectTimeoutMs", own.connectTimeoutMs ?? 10_000),
    maxPayloadBytes: payloadBytes(own.maxPayloadBytes),
    onError: onErrorOption(own.onError),
  };
}

function modulesOf(modules: unknown): ReadonlyMap<string, string> {
  if (typeof modules !== "object" || modules === null)
    throw argumentTypeError("modules", "the modules that are served: { geo: new URL(…) }", modules);
  const byName = new Map<string, string>();
  for (const [name, url] of Object.entries(modules)) {
    if (!isName(name)) throw argumentTypeError("modules", "names of letters, digits, _ and -", name);
    // Checks it as every engine does.
    jobModule(url as URL);
    byName.set(name, String(url));
  }
  if (byName.size === 0) throw argumentTypeError("modules", "at least one module", modules);
  return byName;
}
