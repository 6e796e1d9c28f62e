/** The metrics of a real pool, in the real SDK and in the real prom-client. */
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { ThreadPool } from "@skein/pool";
import { Gauge, Registry } from "prom-client";
import { afterAll, expect, it, vi } from "vitest";
import { instrumentMetrics } from "../src/index.ts";
import { collectMetrics } from "../src/prom-client.ts";
import type * as Jobs from "./fixtures/metric.jobs.ts";

const taken = (message: RegExp): object =>
  expect.objectContaining({ code: "ERR_SKEIN_METRICS_NAME", message: expect.stringMatching(message) });

const pool = new ThreadPool({ maxThreads: 2 });
const jobs = pool.module<typeof Jobs>(new URL("fixtures/metric.jobs.ts", import.meta.url));
afterAll(() => pool.close());

/** Ten jobs on two threads, each of which submits one; and one that fails. */
async function work(): Promise<void> {
  await Promise.all(Array.from({ length: 10 }, () => jobs.nested()));
  await jobs.fail().catch(() => {});
  while (pool.stats().threads.running > 0) await new Promise((resolve) => setImmediate(resolve));
}

it("OpenTelemetry: histograms in seconds, jobs by outcome, threads by state, what waits; over all threads", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  const before = pool.stats();
  {
    using _ = instrumentMetrics(pool, { name: "images", meter: provider.getMeter("test") });
    await reader.forceFlush();
    exporter.reset();
    await work();
    await reader.forceFlush();
  }
  const points = new Map(
    exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap(({ metrics }) => metrics)
      .map(({ descriptor, dataPoints }) => [descriptor.name, { descriptor, dataPoints }]),
  );
  const valueOf = (metric: string, key: string, value: string): unknown =>
    points.get(metric)!.dataPoints.find(({ attributes }) => attributes[key] === value)?.value;
  expect(valueOf("skein.jobs", "skein.job.outcome", "completed")).toBe(20);
  expect(valueOf("skein.jobs", "skein.job.outcome", "failed")).toBe(1);
  expect(valueOf("skein.pool.threads", "skein.thread.state", "running")).toBe(0);
  const states = points.get("skein.pool.threads")!.dataPoints.map(({ value }) => value as number);
  expect(states.reduce((sum, value) => sum + value, 0)).toBe(pool.stats().threads.total);
  expect(points.get("skein.pool.queued")!.dataPoints.map(({ value }) => value)).toEqual([0, 0, 0, 0]);

  const { descriptor, dataPoints } = points.get("skein.job.duration")!;
  expect(descriptor.unit).toBe("s");
  expect(dataPoints[0]!.attributes).toEqual({ "skein.pool.name": "images" });
  const duration = dataPoints[0]!.value as Histogram;
  const counted = (stats: typeof before): number => stats.runMs.histogram.reduce((sum, [, n]) => sum + n, 0);
  expect(duration.count).toBe(counted(pool.stats()) - counted(before));
  // Each of the ten computes for 5 ms at least.
  expect(duration.sum).toBeGreaterThanOrEqual(0.04);
  expect((points.get("skein.job.wait")!.dataPoints[0]!.value as Histogram).count).toBeGreaterThan(0);

  exporter.reset();
  await work();
  await reader.forceFlush();
  expect(JSON.stringify(exporter.getMetrics())).not.toContain('"value":20');
  await provider.shutdown();
});

it("OpenTelemetry: each pool has a name of its own, and one that is reported anew goes on where it ended", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  const meter = provider.getMeter("test");
  await work();
  const counts: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    using first = instrumentMetrics(pool, { name: "images", meter });
    expect(() => instrumentMetrics(pool, { name: "images", meter })).toThrow(taken(/"images".*`name`/));
    exporter.reset();
    await reader.forceFlush();
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics[0]!.metrics);
    const duration = metrics.find(({ descriptor }) => descriptor.name === "skein.job.duration")!;
    counts.push((duration.dataPoints[0]!.value as Histogram).count);
    first[Symbol.dispose]();
    using _ = instrumentMetrics(pool, { name: "other", meter });
  }
  expect(counts[0]).toBeGreaterThan(0);
  expect(counts[1]).toBe(counts[0]);
  await provider.shutdown();
});

it("OpenTelemetry: a meter that fails has reported nothing", () => {
  const meter = new MeterProvider().getMeter("test");
  meter.createObservableCounter = () => {
    throw new Error("not now");
  };
  expect(() => instrumentMetrics(pool, { name: "images", meter })).toThrow("not now");
  delete (meter as { createObservableCounter?: unknown }).createObservableCounter;
  instrumentMetrics(pool, { name: "images", meter })[Symbol.dispose]();
});

it("prom-client: two copies of this package report to one registry", async () => {
  const registry = new Registry();
  vi.resetModules();
  const copy = await import("../src/prom-client.ts");
  expect(copy.collectMetrics).not.toBe(collectMetrics);
  using _ours = collectMetrics(pool, { name: "ours", registry });
  using _theirs = copy.collectMetrics(pool, { name: "theirs", registry });
  expect(() => copy.collectMetrics(pool, { name: "ours", registry })).toThrow(taken(/"ours"/));
  const text = await registry.metrics();
  for (const name of ["ours", "theirs"]) expect(text).toContain(`pool="${name}",outcome="completed"`);
});

it("prom-client: the same by its names, a label for each pool, and nothing of a pool that was let go", async () => {
  const registry = new Registry();
  await using other = new ThreadPool({ maxThreads: 1 });
  const ended = collectMetrics(pool, { name: "images", registry });
  using _ = collectMetrics(other, { name: "other", registry });
  expect(() => collectMetrics(other, { name: "other", registry })).toThrow(taken(/"other"/));
  await work();
  const text = await registry.metrics();
  const valueIn = (line: string): number => Number(text.match(new RegExp(`^${line} (.*)$`, "m"))?.[1]);
  const { completed, failed, threads } = pool.stats();
  const { count } = pool.histograms.runMs;
  expect(count).toBeGreaterThan(0);
  expect(valueIn('skein_jobs_total{pool="images",outcome="completed"}')).toBe(completed);
  expect(valueIn('skein_jobs_total{pool="images",outcome="failed"}')).toBe(failed);
  expect(valueIn('skein_jobs_total{pool="other",outcome="completed"}')).toBe(0);
  expect(valueIn('skein_pool_threads{pool="images",state="running"}')).toBe(0);
  expect(valueIn('skein_pool_threads{pool="images",state="parked"}')).toBeLessThanOrEqual(threads.total);
  expect(valueIn('skein_pool_queued{pool="images",priority="normal"}')).toBe(0);
  // Not the number of jobs: short ones are sampled.
  expect(valueIn('skein_job_duration_seconds_count{pool="images"}')).toBe(count);
  expect(valueIn('skein_job_duration_seconds_sum{pool="images"}')).toBeGreaterThanOrEqual(0.04);
  expect(valueIn('skein_job_wait_seconds_bucket{le="\\+Inf",pool="images"}')).toBeGreaterThan(0);
  ended[Symbol.dispose]();
  expect(await registry.metrics()).not.toContain("images");
});

it("a registry that has a metric of such a name stays as it is", () => {
  const registry = new Registry();
  registry.registerMetric(new Gauge({ name: "skein_pool_threads", help: "of the program", registers: [] }));
  expect(() => collectMetrics(pool, { registry })).toThrow(taken(/"skein_pool_threads".*`registry`/));
  expect(registry.getMetricsAsArray()).toHaveLength(1);
  registry.removeSingleMetric("skein_pool_threads");
  collectMetrics(pool, { registry })[Symbol.dispose]();
});

it("unknown options and wrong values are refused", () => {
  expect(() => instrumentMetrics(pool, { meters: 1 } as never)).toThrow(/meter/);
  expect(() => instrumentMetrics(pool, { meter: {} as never })).toThrow(/options\.meter/);
  expect(() => instrumentMetrics({} as never)).toThrow(/`pool`/);
  expect(() => collectMetrics(pool, { registry: {} as never })).toThrow(/options\.registry/);
  expect(() => collectMetrics(pool, { name: 1 as never })).toThrow(/options\.name/);
});
