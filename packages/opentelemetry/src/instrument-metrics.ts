/** The metrics of a pool as instruments of OpenTelemetry, read from `stats()` whenever a reader collects. */
import { type Attributes, type BatchObservableResult, type Meter, metrics } from "@opentelemetry/api";
import { argumentTypeError, type OptionNames } from "@skein/context/errors";
import {
  type MeasuredPool,
  outcomes,
  type PoolMetricsOptions,
  priorities,
  resolveMetricsOptions,
  threadsIn,
  threadStates,
} from "./pool-metrics.ts";
import { reportIn } from "./reported-pools.ts";

/** Options of {@link instrumentMetrics}. */
export interface InstrumentMetricsOptions extends PoolMetricsOptions {
  /** Makes the instruments. @default the global one, `@skein/opentelemetry`, as it is at the call */
  meter?: Meter | undefined;
}

const optionNames: OptionNames<InstrumentMetricsOptions> = { name: true, meter: true };

/** In seconds, from 100 us to a minute. */
const boundaries = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];
const seconds = { unit: "s", advice: { explicitBucketBoundaries: boundaries } };

/**
 * Reports a pool: `skein.job.duration` (from start to outcome) and `skein.job.wait` (from call to start) in seconds, `skein.jobs` by
 * outcome, `skein.pool.threads` by state, `skein.pool.queued` by priority. Over all threads, and jobs that jobs submit are among them.
 * Costs nothing per job: what the threads have counted is read when a reader collects. The histograms get 1,000 values then at the most, an
 * even choice, each right to 6 %; `skein.jobs` counts all. The SDK is set up before.
 *
 * @returns what ends it. The pool is kept until then.
 * @throws TypeError for an option that is unknown or has the wrong type; SkeinError ERR_SKEIN_METRICS_NAME when the
 * meter has a pool of that name.
 * @example
 * instrumentMetrics(pool, { name: "images" });
 */
export function instrumentMetrics(pool: MeasuredPool, options?: InstrumentMetricsOptions): Disposable {
  const { name, meter = metrics.getMeter("@skein/opentelemetry") } = resolveMetricsOptions(
    pool,
    options,
    optionNames,
  );
  if (typeof (meter as Meter | null)?.addBatchObservableCallback !== "function")
    throw argumentTypeError("options.meter", "a Meter of OpenTelemetry", meter);
  const duration = meter.createHistogram("skein.job.duration", {
    ...seconds,
    description: "Time from the start of a job to its outcome",
  });
  const wait = meter.createHistogram("skein.job.wait", {
    ...seconds,
    description: "Time from the call of a job to its start",
  });
  const jobs = meter.createObservableCounter("skein.jobs", {
    unit: "{job}",
    description: "Jobs that have settled",
  });
  const threads = meter.createObservableUpDownCounter("skein.pool.threads", {
    unit: "{thread}",
    description: "Threads, by what they do",
  });
  const queued = meter.createObservableUpDownCounter("skein.pool.queued", {
    unit: "{job}",
    description: "Jobs that no thread has taken",
  });

  // When nothing can fail any more: the name is the pool's from now on.
  const { durations, waits, end } = reportIn(meter, pool, name);
  const base: Attributes = { "skein.pool.name": name };
  const observe = (result: BatchObservableResult): void => {
    const stats = pool.stats();
    for (const value of durations.take(stats.runMs)) duration.record(value, base);
    for (const value of waits.take(stats.waitMs)) wait.record(value, base);
    for (const outcome of outcomes)
      result.observe(jobs, stats[outcome], { ...base, "skein.job.outcome": outcome });
    for (const state of threadStates)
      result.observe(threads, threadsIn(state, stats), { ...base, "skein.thread.state": state });
    for (const priority of priorities)
      result.observe(queued, stats.queued[priority], { ...base, "skein.job.priority": priority });
  };
  const observed = [jobs, threads, queued];
  meter.addBatchObservableCallback(observe, observed);
  let isOver = false;
  return {
    [Symbol.dispose]() {
      if (isOver) return;
      isOver = true;
      end();
      meter.removeBatchObservableCallback(observe, observed);
    },
  };
}
