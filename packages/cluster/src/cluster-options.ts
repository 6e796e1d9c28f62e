import { type OptionNames, ownOptions } from "@skein/context/errors";
import { type ClusterConnection, storeOf } from "./connection.ts";
import { clusterName, milliseconds, onErrorOption, payloadBytes, positive } from "./option-values.ts";
import type { Store } from "./store.ts";

export interface ClusterOptions {
  /** @default the environment variable SKEIN_CLUSTER_URL; else the embedded database in `.skein/cluster` of the working directory */
  readonly connection?: ClusterConnection | undefined;
  /** The same as the workers': several clusters may share a server. @default "default" */
  readonly name?: string | undefined;
  /** How many jobs of this caller may be under way, waiting or running. Those of a flow count until all of it is over. @default 10000 */
  readonly maxInFlight?: number | undefined;
  /** The most bytes that arguments may take as text. @default 1048576 */
  readonly maxPayloadBytes?: number | undefined;
  /** How long the store keeps an outcome that nobody has fetched. @default 3600000 */
  readonly resultTtlMs?: number | undefined;
  /** How often jobs are asked for whose end was not heard of, and how long after they were sent for the first time. @default 1000 */
  readonly pollMs?: number | undefined;
  /** How long the store may take to accept a job. @default 10000, and 60000 for the embedded database, which has to start */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Hears of errors that are no job's, such as a connection that was lost: it is made again by itself. Of the same error at most once a minute.
   * @default process.emitWarning
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

export interface ResolvedClusterOptions {
  readonly store: Store;
  readonly name: string;
  readonly maxInFlight: number;
  readonly maxPayloadBytes: number;
  readonly resultTtlMs: number;
  readonly pollMs: number;
  readonly connectTimeoutMs: number;
  readonly onError: (error: Error) => void;
}

const names: OptionNames<ClusterOptions> = {
  connection: true,
  name: true,
  maxInFlight: true,
  maxPayloadBytes: true,
  resultTtlMs: true,
  pollMs: true,
  connectTimeoutMs: true,
  onError: true,
};

/** @throws TypeError or RangeError for a bad option, naming it. */
export function resolveClusterOptions(options: ClusterOptions | undefined): ResolvedClusterOptions {
  const own = ownOptions(options, names);
  const store = storeOf(own.connection);
  const { maxInFlight = 10_000, resultTtlMs = 3_600_000, pollMs = 1000 } = own;
  const { connectTimeoutMs = store.connectTimeoutMs } = own;
  return {
    store,
    name: clusterName(own.name),
    maxInFlight: positive("maxInFlight", maxInFlight),
    maxPayloadBytes: payloadBytes(own.maxPayloadBytes),
    resultTtlMs: milliseconds("resultTtlMs", resultTtlMs),
    pollMs: milliseconds("pollMs", pollMs),
    connectTimeoutMs: milliseconds("connectTimeoutMs", connectTimeoutMs),
    onError: onErrorOption(own.onError),
  };
}
