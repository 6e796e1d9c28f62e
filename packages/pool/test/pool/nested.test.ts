/** Jobs that submit jobs. */
import { afterAll, describe, expect, it, vi } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { allStarted, blockMainThread, makeGate, opened } from "../gate.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const url = new URL("../fixtures/nested.jobs.ts", import.meta.url);
const single = new ThreadPool({ maxThreads: 1 });
const pool = new ThreadPool({ maxThreads: 3 });
afterAll(() => Promise.all([single.close(), pool.close()]));

describe.each([
  ["one thread", () => single],
  ["three threads", () => pool],
] as const)("a job that submits jobs to its own pool, %s", (_, get) => {
  const jobs = get().module<typeof Nested>(url);

  it("gets their results", async () => {
    expect(await jobs.sumOfSquares(100)).toBe(328_350);
  });

  it("to any depth: a pool of one thread does not deadlock", async () => {
    expect(await jobs.fibonacci(12)).toBe(144);
    expect(await jobs.nest(100)).toBe(100);
  });

  it("that share memory which the job has made", async () => {
    for (let round = 0; round < 10; round++) expect(await jobs.shareOwn(20)).toBe(20);
  });

  it("more of them than a thread has slots", async () => {
    expect(await jobs.sumOfSquares(10_000)).toBe(333_283_335_000);
  });

  it("errors, and what cannot be cloned, reject there", async () => {
    expect(await jobs.errorsInside()).toEqual(["RangeError: inner", "args[0] is a function"]);
  });

  it("inline functions, large payloads and contexts included", async () => {
    expect(await jobs.inlineInside(5)).toBe(25);
    expect(await jobs.largeInside(300_000)).toBe(300_000);
    expect(await jobs.contextInside("acme")).toEqual(["acme", "inner", "acme"]);
  });

  it("all that they report, before they settle", async () => {
    const heard = jobs.reportsInside(5, 3);
    blockMainThread();
    expect(await heard).toEqual(Array.from({ length: 5 }, () => [0, 1, 2]));
  });

  it("cancellation inside", async () => {
    expect(await jobs.cancelInside()).toBe("AbortError");
  });

  it("many at once", async () => {
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => jobs.sumOfSquares(i % 10)));
    expect(results[9]).toBe(204);
  });
});

it("ThreadPool.current is null outside a job", () => {
  expect(ThreadPool.current).toBeNull();
});

it("a blocked main thread stops nobody: nested jobs go on", async () => {
  const jobs = pool.module<typeof Nested>(url);
  const log = new Int32Array(new SharedArrayBuffer(8));
  await Promise.all([jobs.ready(), jobs.ready(), jobs.ready()]);
  const task = jobs.countInto(log, 2000);
  // Blocks this event loop until the job is done: no message of ours is delivered meanwhile.
  expect(Atomics.wait(log, 1, 0, 600_000)).not.toBe("timed-out");
  expect(log[0]).toBe(2000);
  await task;
});

it("jobs of a job are stolen by idle threads", async () => {
  await allStarted(pool, 3);
  const jobs = pool.module<typeof Nested>(url);
  const threads = await jobs.threadsOf(makeGate(), 64);
  expect(new Set(threads).size).toBeGreaterThan(1);
});

describe("jobs that may be terminated, of a job whose pool has all threads waiting", () => {
  it.each([0, 1, 5])("run on a thread more, and that leaves: nested %i deep", async (depth) => {
    await using narrow = new ThreadPool({ maxThreads: 1 });
    const jobs = narrow.module<typeof Nested>(url);
    expect(await jobs.nestExclusive(depth)).toBe(depth);
    expect(narrow.stats()).toMatchObject({ crashed: 0, completed: depth + 1 });
    await vi.waitUntil(() => narrow.stats().threads.total === 1, { timeout: timeLimit(60_000) });
  });

  it("on every thread at once", async () => {
    await using two = new ThreadPool({ maxThreads: 2 });
    const jobs = two.module<typeof Nested>(url, { onCancel: "terminate" });
    expect(await Promise.all(Array.from({ length: 6 }, () => jobs.nestExclusive(2)))).toEqual(
      Array(6).fill(2),
    );
  });
});

describe("a thread that dies", () => {
  it("rejects the nested job that it ran, where that was submitted", async () => {
    const jobs = pool.module<typeof Nested>(url);
    expect(await jobs.crashInside(makeGate())).toBe("ERR_SKEIN_THREAD_CRASHED");
    expect(await jobs.sumOfSquares(11)).toBe(385);
  });

  it("keeps nobody waiting for an outcome that it had taken in and not settled", async () => {
    const two = new ThreadPool({ minThreads: 2, maxThreads: 2 });
    await allStarted(two, 2);
    const gate = makeGate(3);
    const dies = two.module<typeof Nested>(url).dieBeforeReports(gate);
    await opened(gate);
    // The main thread does nothing until it has died.
    Atomics.wait(gate, 2, 0, timeLimit(30_000));
    await expect(dies).rejects.toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
    await two.close();
  });

  it("takes the jobs that it had submitted with it; the pool goes on", async () => {
    const jobs = pool.module<typeof Nested>(url);
    for (let round = 0; round < 5; round++) {
      await expect(jobs.submitAndDie(500)).rejects.toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
      expect(await jobs.sumOfSquares(11)).toBe(385);
    }
  });
});
