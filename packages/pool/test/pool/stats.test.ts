import * as fc from "fast-check";
import { eventually } from "../../../../test/support/eventually.ts";
import { afterAll, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { Statistics, STATISTICS_WORDS, StatisticsReader } from "../../src/shared/statistics.ts";
import { bucketOf, middleOf } from "../../src/shared/time-histogram.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { allStarted, makeGate, open, opened, sampleJobs } from "../gate.ts";

const pool = new ThreadPool({ maxThreads: 2 });
const jobs = pool.module<typeof Sample>(sampleJobs);
const nested = pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
afterAll(() => pool.close());

describe("stats()", () => {
  it("is all zeros before the first job", async () => {
    await using fresh = new ThreadPool({ maxThreads: 2 });
    expect(fresh.stats()).toMatchObject({
      threads: { total: 0, idle: 0, parked: 0, running: 0 },
      queued: { high: 0, normal: 0, low: 0, local: 0, placed: 0 },
      submitted: 0,
      waitMs: { p50: 0, p99: 0, max: 0, mean: 0, histogram: [] },
      perThread: [],
    });
  });

  it("counts every job once, by its outcome, nested ones included", async () => {
    await allStarted(pool, 2);
    const before = pool.stats();
    await Promise.all(Array.from({ length: 100 }, (_, i) => jobs.echo(i)));
    await nested.sumOfSquares(50);
    await jobs.fail("x").catch(() => {});
    const gate = makeGate();
    const controller = new AbortController();
    const cancelled = pool.run(jobs.spinUntilCancelled, [gate], { signal: controller.signal });
    await opened(gate);
    controller.abort();
    await cancelled.catch(() => {});
    await opened(gate, 1);
    await jobs.exit(1).catch(() => {});
    await allStarted(pool, 2);
    const after = pool.stats();
    expect(after.submitted - before.submitted).toBe(100 + 51 + 1 + 1 + 1 + 2);
    expect(after.completed - before.completed).toBe(100 + 51 + 2);
    expect(after.failed - before.failed).toBe(1);
    expect(after.canceled - before.canceled).toBe(1);
    expect(after.crashed - before.crashed).toBe(1);
    expect(after.threads.total).toBe(2);
    const executed = (stats: typeof after): number =>
      stats.perThread.reduce((sum, thread) => sum + thread.executed, 0);
    expect(executed(after) - executed(before)).toBe(156);
  });

  it("shows what waits, and who runs", async () => {
    await allStarted(pool, 2);
    const gate = makeGate();
    const busy = [jobs.block(gate), jobs.block(gate)];
    while (pool.stats().queued.normal > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const waiting = [
      pool.run(jobs.echo, [1], { priority: "high" }),
      pool.run(jobs.echo, [2], { priority: "low" }),
      ...Array.from({ length: 20_000 }, (_, i) => jobs.echo(i)),
    ];
    expect(pool.stats()).toMatchObject({
      threads: { total: 2, running: 2, idle: 0 },
      queued: { high: 1, normal: 20_000, low: 1, local: 0, placed: 0 },
    });
    open(gate);
    await Promise.all([...busy, ...waiting]);
    expect(pool.stats().queued).toEqual({ high: 0, normal: 0, low: 0, local: 0, placed: 0 });
  });

  it("counts no job that was cancelled, also when the only thread has ended before it came by", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const gate = makeGate();
    const controller = new AbortController();
    const { signal } = controller;
    const running = one.run(jobs.openThenBlock, [gate], { signal, onCancel: "terminate", graceMs: 0 });
    await opened(gate, 1);
    const waiting = [1, 2, 3].map((value) => one.run(jobs.echo, [value], { signal }));
    expect(one.stats().queued.normal).toBe(3);
    controller.abort();
    await Promise.all([running, ...waiting].map((job) => expect(job).rejects.toThrow("aborted")));
    await eventually("the thread has ended", () => one.threads.length === 0);
    expect(one.stats().queued.normal).toBe(0);
  });

  it("times waiting and running", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    await own.ready();
    await Promise.all(Array.from({ length: 10 }, () => own.burn(10)));
    while (one.stats().threads.running > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const { runMs, waitMs, perThread } = one.stats();
    expect(runMs.max).toBeGreaterThanOrEqual(10);
    expect(runMs.p50).toBeGreaterThanOrEqual(8);
    expect(waitMs.max).toBeGreaterThanOrEqual(80);
    const burnt = runMs.histogram.filter(([ms]) => ms >= 8);
    // `ready` loads the module, which may take as long.
    expect(burnt.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(10);
    expect(perThread[0]!.busyMs).toBeGreaterThanOrEqual(80);
  });
});

describe("pool.histograms", () => {
  it("count and time jobs, and begin anew by reset; stats() and others go on", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    const { runMs, waitMs } = one.histograms;
    expect([runMs.count, runMs.min, runMs.max, runMs.mean, runMs.stddev, runMs.percentile(99)]).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    for (let i = 0; i < 3; i++) await own.burn(10);
    // A thread counts a run when its outcome is on the way.
    await eventually("three runs", () => runMs.count === 3);
    expect(runMs.percentile(100)).toBeGreaterThanOrEqual(9);
    expect(runMs.max).toBeGreaterThanOrEqual(10);
    runMs.reset();
    expect([runMs.count, runMs.max, waitMs.count]).toEqual([0, 0, 3]);
    expect(one.stats().runMs.max).toBeGreaterThanOrEqual(10);
    await own.burn(1);
    await eventually("another run", () => runMs.count === 1);
    expect(one.histograms.runMs).toBe(runMs);
  });

  it.each([0, -1, 100.1, Number.NaN, "50", undefined])("percentile(%o) is refused", (value) => {
    expect(() => pool.histograms.runMs.percentile(value as number)).toThrow("`percentile`");
  });
});

describe("histograms", () => {
  it("a bucket's middle is within an eighth of every value in it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 2 ** 31 - 1 }), (us) => {
        const middle = middleOf(bucketOf(us));
        expect(Math.abs(middle - us)).toBeLessThanOrEqual(us / 8);
      }),
    );
    for (let us = 0; us < 8; us++) expect(middleOf(bucketOf(us))).toBe(us);
    expect(bucketOf(-5)).toBe(0);
  });

  it("quantiles of several blocks together", () => {
    const words = new Int32Array(2 * STATISTICS_WORDS);
    const [first, second] = [new Statistics(words, 0), new Statistics(words, STATISTICS_WORDS)];
    for (let i = 0; i < 90; i++) first.record("run", 100, 1);
    second.record("run", 10_000, 10);
    const run = new StatisticsReader(words, 0, 2).histogram("run");
    expect(run.percentileMs(50)).toBeCloseTo(0.1, 1);
    expect(run.percentileMs(99)).toBeCloseTo(10, 0);
    expect(run.maxMs).toBe(10);
    expect(run.meanMs).toBeCloseTo((90 * 0.1 + 10 * 10) / 100, 0);
  });
});
