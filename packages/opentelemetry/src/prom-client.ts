/** `@skein/opentelemetry/prom-client`: the metrics of a pool as collectors of prom-client. */
import { argumentTypeError, type OptionNames } from "@skein/context/errors";
import { Counter, Gauge, Histogram, register, type Registry } from "prom-client";
import { NewValues } from "./new-values.ts";
import {
  type MeasuredPool,
  nameTaken,
  outcomes,
  type PoolMetricsOptions,
  priorities,
  resolveMetricsOptions,
  threadsIn,
  threadStates,
} from "./pool-metrics.ts";

export type { MeasuredPool, PoolMetricsOptions } from "./pool-metrics.ts";

/** Options of {@link collectMetrics}. */
export interface CollectMetricsOptions extends PoolMetricsOptions {
  /** Where the metrics are registered. @default the global registry of prom-client */
  registry?: Registry | undefined;
}

const optionNames: OptionNames<CollectMetricsOptions> = { name: true, registry: true };

interface Source {
  readonly pool: MeasuredPool;
  readonly durations: NewValues;
  readonly waits: NewValues;
}
/** Metrics are registered once in a registry, whatever the number of pools, and of copies of this package in this thread. */
interface Registered {
  readonly pools: Map<string, Source>;
  readonly histograms: readonly Histogram[];
}
/** Its number says in which form that is. */
const sharedKey: unique symbol = Symbol.for("skein.opentelemetry.prom-client.1");
const holder = globalThis as { [sharedKey]?: WeakMap<Registry, Registered> };
const registered = (holder[sharedKey] ??= new WeakMap<Registry, Registered>());

const names = {
  jobs: "skein_jobs_total",
  threads: "skein_pool_threads",
  queued: "skein_pool_queued",
  duration: "skein_job_duration_seconds",
  wait: "skein_job_wait_seconds",
} as const;

/** In seconds, from 100 us to a minute. */
const buckets = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/**
 * Reports a pool in a registry: `skein_jobs_total` by outcome, `skein_job_duration_seconds` (from start to outcome),
 * `skein_job_wait_seconds` (from call to start), `skein_pool_threads` by state, `skein_pool_queued` by priority. Over all threads, and jobs
 * that jobs submit are among them. Costs nothing per job: what the threads have counted is read at each scrape. The histograms get
 * 1,000 values then at the most, an even choice, each right to 6 %; `skein_jobs_total` counts all.
 *
 * @returns what ends it. The pool is kept until then; its values leave the registry.
 * @throws TypeError for an option that is unknown or has the wrong type; SkeinError ERR_SKEIN_METRICS_NAME when the registry has a pool, or other metrics, of that name.
 * @example
 * collectMetrics(pool, { name: "images" });
 * server.get("/metrics", async () => await register.metrics());
 */
export function collectMetrics(pool: MeasuredPool, options?: CollectMetricsOptions): Disposable {
  const { name, registry = register } = resolveMetricsOptions(pool, options, optionNames);
  if (typeof (registry as Registry | null)?.registerMetric !== "function")
    throw argumentTypeError("options.registry", "a Registry of prom-client", registry);
  let known = registered.get(registry);
  if (known === undefined || registry.getSingleMetric(names.jobs) === undefined)
    registered.set(registry, (known = registerIn(registry)));
  const { pools, histograms } = known;
  if (pools.has(name))
    throw nameTaken(`The registry has a pool named "${name}": give each pool a \`name\` of its own`);
  const source: Source = { pool, durations: new NewValues(), waits: new NewValues() };
  pools.set(name, source);
  return {
    [Symbol.dispose]() {
      if (pools.get(name) !== source) return;
      pools.delete(name);
      for (const histogram of histograms) histogram.remove({ pool: name });
    },
  };
}

function registerIn(registry: Registry): Registered {
  // All of them, or none.
  const taken = Object.values(names).find((name) => registry.getSingleMetric(name) !== undefined);
  if (taken !== undefined)
    throw nameTaken(
      `The registry has a metric named "${taken}" already: give the pools a \`registry\` of their own`,
    );
  const pools = new Map<string, Source>();
  const jobs = new Counter({
    name: names.jobs,
    help: "Jobs that have settled",
    labelNames: ["pool", "outcome"],
    registers: [],
    collect() {
      this.reset();
      for (const [name, { pool }] of pools) {
        const stats = pool.stats();
        for (const outcome of outcomes) this.inc({ pool: name, outcome }, stats[outcome]);
      }
    },
  });
  const threads = new Gauge({
    name: names.threads,
    help: "Threads, by what they do",
    labelNames: ["pool", "state"],
    registers: [],
    collect() {
      this.reset();
      for (const [name, { pool }] of pools) {
        const stats = pool.stats();
        for (const state of threadStates) this.set({ pool: name, state }, threadsIn(state, stats));
      }
    },
  });
  const queued = new Gauge({
    name: names.queued,
    help: "Jobs that no thread has taken",
    labelNames: ["pool", "priority"],
    registers: [],
    collect() {
      this.reset();
      for (const [name, { pool }] of pools) {
        const { queued } = pool.stats();
        for (const priority of priorities) this.set({ pool: name, priority }, queued[priority]);
      }
    },
  });
  const histogram = (name: string, help: string, newValues: (source: Source) => number[]): Histogram =>
    new Histogram({
      name,
      help,
      labelNames: ["pool"],
      buckets,
      registers: [],
      collect() {
        for (const [pool, source] of pools)
          for (const value of newValues(source)) this.observe({ pool }, value);
      },
    });
  const histograms = [
    histogram(names.duration, "Time from the start of a job to its outcome", (source) =>
      source.durations.take(source.pool.stats().runMs),
    ),
    histogram(names.wait, "Time from the call of a job to its start", (source) =>
      source.waits.take(source.pool.stats().waitMs),
    ),
  ];
  for (const metric of [jobs, threads, queued, ...histograms]) registry.registerMetric(metric);
  return { pools, histograms };
}
