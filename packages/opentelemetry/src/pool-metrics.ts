/** What the metrics of a pool have in common, whoever reads them: their options, and the labels of their values. */
import { argumentTypeError, type OptionNames, ownOptions, SkeinError } from "@skein/context/errors";
import type { PoolStats } from "@skein/pool";

/** A pool, or whatever else has its statistics. */
export interface MeasuredPool {
  stats(): PoolStats;
}

/** Options of all metrics. */
export interface PoolMetricsOptions {
  /** Tells pools apart: the value of the label `pool`. @default 'skein' */
  name?: string | undefined;
}

/** @throws TypeError for a pool without `stats`, an unknown option, a name that is no string. @returns the options, with a name. */
export function resolveMetricsOptions<T extends PoolMetricsOptions>(
  pool: MeasuredPool,
  options: T | undefined,
  known: OptionNames<T>,
): Readonly<Partial<T> & { name: string }> {
  if (typeof (pool as MeasuredPool | null | undefined)?.stats !== "function")
    throw argumentTypeError("pool", "a pool, with `stats()`", pool);
  const own = ownOptions(options, known);
  const { name = "skein" } = own;
  if (typeof name !== "string") throw argumentTypeError("options.name", "a string", name);
  return { ...own, name };
}

export function nameTaken(message: string): SkeinError {
  return new SkeinError("ERR_SKEIN_METRICS_NAME", message);
}

export const outcomes = ["completed", "failed", "canceled", "crashed"] as const;
export const priorities = ["high", "normal", "low", "local"] as const;
/** Every thread is in one of them. */
export const threadStates = ["running", "parked", "searching"] as const;

export function threadsIn(state: (typeof threadStates)[number], { threads }: PoolStats): number {
  if (state === "searching") return Math.max(0, threads.idle - threads.parked);
  return threads[state];
}
