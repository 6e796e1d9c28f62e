/** How many threads there are, and how many jobs each has. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { ThreadPool, type ThreadPoolOptions } from "../../src/index.ts";
import type * as Jobs from "../fixtures/thread-counts.jobs.ts";
import { availableCores } from "../../src/host/available-cores.ts";
import { allStarted, makeGate, open, opened } from "../gate.ts";

const url = new URL("../fixtures/thread-counts.jobs.ts", import.meta.url);

function totalOf(pool: ThreadPool): number {
  return pool.stats().threads.total;
}

/** Resolves when the pool has so many threads. */
async function threads(pool: ThreadPool, count: number): Promise<void> {
  while (totalOf(pool) !== count) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("minThreads and maxThreads", () => {
  it("A3.13 setMinThreads is false above maxThreads and below 0; 0 reads back as 1", async () => {
    await using pool = new ThreadPool({ minThreads: 1, maxThreads: 3 });
    expect([pool.setMinThreads(4), pool.setMinThreads(-1), pool.minThreads]).toEqual([false, false, 1]);
    expect([pool.setMinThreads(3), pool.minThreads]).toEqual([true, 3]);
    expect([pool.setMinThreads(0), pool.minThreads]).toEqual([true, 1]);
  });

  it("A3.13 setMaxThreads is false below minThreads and at 0; more than four per core is clamped", async () => {
    await using pool = new ThreadPool({ minThreads: 2, maxThreads: 3 });
    expect([pool.setMaxThreads(1), pool.setMaxThreads(0), pool.maxThreads]).toEqual([false, false, 3]);
    expect([pool.setMaxThreads(2), pool.maxThreads]).toEqual([true, 2]);
    expect(pool.setMaxThreads(100_000)).toBe(true);
    expect(pool.maxThreads).toBe(Math.max(3, 4 * availableCores()));
    await using many = new ThreadPool({ minThreads: 1, maxThreads: 300 });
    expect([many.setMaxThreads(100_000), many.maxThreads]).toEqual([true, 300]);
  });

  it.each([
    ["setMinThreads", undefined, TypeError],
    ["setMinThreads", "2", TypeError],
    ["setMaxThreads", 1.5, RangeError],
    ["setMaxThreads", Number.NaN, RangeError],
  ] as const)("%s(%s) is an error that names the argument", async (method, count, type) => {
    await using pool = new ThreadPool();
    expect(() => pool[method](count as number)).toThrow(type);
    expect(() => pool[method](count as number)).toThrow(
      method === "setMinThreads" ? "`minThreads`" : "`maxThreads`",
    );
  });

  it.each([
    [{ minThreads: -1 }, RangeError, "minThreads"],
    [{ minThreads: 3, maxThreads: 2 }, RangeError, "minThreads"],
    [{ idleTimeoutMs: 0 }, RangeError, "idleTimeoutMs"],
    [{ idleTimeoutMs: "1" }, TypeError, "idleTimeoutMs"],
    [{ jobsPerThread: 0 }, RangeError, "jobsPerThread"],
  ])("%o is an error that names the option", (options, type, name) => {
    expect(() => new ThreadPool(options as ThreadPoolOptions)).toThrow(type);
    expect(() => new ThreadPool(options as ThreadPoolOptions)).toThrow(name);
  });

  it("the default of minThreads is at most maxThreads, and that of maxThreads at least minThreads", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    await using many = new ThreadPool({ minThreads: 200 });
    expect([one.minThreads, one.maxThreads]).toEqual([1, 1]);
    expect([many.minThreads, many.maxThreads]).toEqual([200, 200]);
  });

  it("A3.14 up to minThreads start at once when jobs wait", async () => {
    await using pool = new ThreadPool({ minThreads: 3, maxThreads: 3 });
    const jobs = pool.module<typeof Jobs>(url);
    const results = [jobs.double(1), jobs.double(2), jobs.double(3), jobs.double(4)];
    expect(totalOf(pool)).toBe(3);
    expect(await Promise.all(results)).toEqual([2, 4, 6, 8]);
  });

  it.each(["blockUntilOpen", "awaitOpen"] as const)(
    "A3.14 one more starts when no thread takes the next job: %s waits for a job behind it",
    async (first) => {
      await using pool = new ThreadPool({ minThreads: 1, maxThreads: 2 });
      const jobs = pool.module<typeof Jobs>(url);
      const gate = makeGate();
      const waits = jobs[first](gate);
      const opens = jobs.open(gate);
      expect(totalOf(pool)).toBe(1);
      expect(await Promise.all([waits, opens])).toEqual(["passed", "opened"]);
      expect(totalOf(pool)).toBe(2);
    },
  );

  it("A3.15 raising minThreads while jobs wait starts threads at once", async () => {
    await using pool = new ThreadPool({ minThreads: 1, maxThreads: 4 });
    const jobs = pool.module<typeof Jobs>(url);
    const gate = makeGate();
    const waits = jobs.blockUntilOpen(gate);
    const opens = jobs.open(gate);
    pool.setMinThreads(4);
    // As many as jobs wait.
    expect(totalOf(pool)).toBeGreaterThanOrEqual(2);
    expect(await Promise.all([waits, opens])).toEqual(["passed", "opened"]);
  });

  it("A3.15 lowering maxThreads ends no job: threads that are too many finish theirs, then end", async () => {
    await using pool = new ThreadPool({ minThreads: 3, maxThreads: 3 });
    const jobs = pool.module<typeof Jobs>(url);
    await allStarted(pool, 3);
    const gate = makeGate();
    const first = [jobs.blockUntilOpen(gate), jobs.blockUntilOpen(gate), jobs.awaitOpen(gate)];
    const later = Array.from({ length: 20 }, (_, i) => jobs.double(i));
    pool.setMinThreads(1);
    expect(pool.setMaxThreads(1)).toBe(true);
    expect(totalOf(pool)).toBe(3);
    open(gate);
    expect(await Promise.all(first)).toEqual(["passed", "passed", "passed"]);
    await threads(pool, 1);
    expect(await Promise.all(later)).toEqual(later.map((_, i) => i * 2));
    expect(pool.stats().crashed).toBe(0);
    pool.setMaxThreads(3);
    pool.setMinThreads(3);
    await allStarted(pool, 3);
  });

  it("a thread that is stuck in a timer of its own is not relied on: another one takes the job", async () => {
    await using pool = new ThreadPool({ minThreads: 2, maxThreads: 2 });
    const jobs = pool.module<typeof Jobs>(url);
    await allStarted(pool, 2);
    const gate = makeGate();
    await jobs.blockLater(gate);
    await opened(gate, 1);
    // It may be the one that is woken; and then nobody else is.
    expect(await Promise.all([jobs.double(4), jobs.double(5), jobs.open(gate)])).toEqual([8, 10, "opened"]);
  });
});

describe("idleTimeoutMs", () => {
  it("threads above minThreads end, the others stay", async () => {
    await using pool = new ThreadPool({ minThreads: 3, maxThreads: 3, idleTimeoutMs: 30, name: "retires" });
    const exitCodes: unknown[] = [];
    const onExit = (message: unknown): void => {
      const { pool: name, exitCode } = message as { pool: string; exitCode: number };
      if (name === "retires") exitCodes.push(exitCode);
    };
    subscribe("skein:thread:exit", onExit);
    await allStarted(pool, 3);
    pool.setMinThreads(1);
    await threads(pool, 1);
    expect(exitCodes).toEqual([0, 0]);
    unsubscribe("skein:thread:exit", onExit);
    const jobs = pool.module<typeof Jobs>(url);
    expect(await jobs.double(21)).toBe(42);
    await threads(pool, 1);
  });

  it("a thread whose job awaits is not idle", async () => {
    await using pool = new ThreadPool({ minThreads: 2, maxThreads: 2, idleTimeoutMs: 1 });
    await allStarted(pool, 2);
    const jobs = pool.module<typeof Jobs>(url);
    const gate = makeGate();
    const waits = [jobs.awaitOpen(gate), jobs.awaitOpen(gate)];
    while (pool.stats().queued.normal > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    pool.setMinThreads(1);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(totalOf(pool)).toBe(2);
    open(gate);
    expect(await Promise.all(waits)).toEqual(["passed", "passed"]);
  });

  it("every job runs exactly once while threads leave and come", async () => {
    await using pool = new ThreadPool({ minThreads: 1, maxThreads: 4, idleTimeoutMs: 1 });
    const jobs = pool.module<typeof Jobs>(url);
    const exits: unknown[] = [];
    const onExit = (message: unknown): void => void exits.push(message);
    subscribe("skein:thread:exit", onExit);
    // On a slow machine 30 rounds may pass before a thread has left.
    for (let round = 0; round < 30 || exits.length === 0; round++) {
      pool.setMinThreads(1 + (round % 4));
      const count = 1 + ((round * 7) % 23);
      const results = await Promise.all(Array.from({ length: count }, (_, i) => jobs.double(i)));
      expect(results).toEqual(results.map((_, i) => i * 2));
      pool.setMinThreads(1);
      // Around the idle timeout, so that some rounds begin while threads are about to leave.
      await new Promise((resolve) => setTimeout(resolve, round % 6));
    }
    await threads(pool, 1);
    unsubscribe("skein:thread:exit", onExit);
    const { submitted, completed, crashed } = pool.stats();
    expect({ completed, crashed }).toEqual({ completed: submitted, crashed: 0 });
  });
});

describe("jobsPerThread", () => {
  it.each([1, 3])("%i: so many jobs that await overlap, and no more", async (jobsPerThread) => {
    await using pool = new ThreadPool({ maxThreads: 1, jobsPerThread });
    const jobs = pool.module<typeof Jobs>(url);
    const counts = makeGate(1);
    const most = await Promise.all(Array.from({ length: 10 }, () => jobs.countOverlapping(counts, 10)));
    expect(Math.max(...most)).toBe(jobsPerThread);
  });

  it("a job may wait for one that starts after it on the same thread", async () => {
    await using pool = new ThreadPool({ maxThreads: 1, jobsPerThread: 2 });
    const jobs = pool.module<typeof Jobs>(url);
    const gate = makeGate();
    expect(await Promise.all([jobs.awaitOpen(gate), jobs.open(gate)])).toEqual(["passed", "opened"]);
    expect(totalOf(pool)).toBe(1);
  });

  it("counts for maxQueue: 0", async () => {
    await using pool = new ThreadPool({ maxThreads: 1, jobsPerThread: 2, maxQueue: 0 });
    const jobs = pool.module<typeof Jobs>(url);
    const gate = makeGate();
    const waits = [jobs.awaitOpen(gate), jobs.awaitOpen(gate)];
    await expect(jobs.double(1)).rejects.toMatchObject({ code: "ERR_SKEIN_QUEUE_FULL" });
    open(gate);
    expect(await Promise.all(waits)).toEqual(["passed", "passed"]);
  });
});
