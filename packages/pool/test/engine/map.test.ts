import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { allStarted, makeGate, opened, sampleJobs } from "../gate.ts";

const pool = new ThreadPool({ maxThreads: 3 });
const jobs = pool.module<typeof Sample>(sampleJobs);
afterAll(() => pool.close());

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("map", () => {
  it("gives the results in the order of the items, or as they come; every item once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        fc.boolean(),
        async (items, concurrency, ordered, later) => {
          const results = await collect(
            pool.map(later ? jobs.echoLater : jobs.echo, items, { concurrency, ordered }),
          );
          const inOrder = ordered ? results : (results as number[]).toSorted((a, b) => a - b);
          expect(inOrder).toEqual(ordered ? items : items.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("starts nothing before it is asked, and reads no further ahead than its concurrency", async () => {
    let read = 0;
    function* numbers(): Generator<number> {
      for (;;) yield read++;
    }
    const results = pool.map(jobs.echo, numbers(), { concurrency: 5 });
    await jobs.add(1, 1);
    expect(read).toBe(0);
    for (let i = 0; i < 20; i++) {
      expect((await results.next()).value).toBe(i);
      expect(read).toBeLessThanOrEqual(i + 1 + 5);
    }
    await results.return?.();
  });

  it("breaking off cancels what is under way and closes the source", async () => {
    let closed = false;
    async function* gates(): AsyncGenerator<Int32Array> {
      try {
        for (;;) yield gate;
      } finally {
        closed = true;
      }
    }
    const gate = makeGate();
    for await (const _ of pool.map(jobs.firstOrWait, gates(), { concurrency: 4, ordered: false })) break;
    expect(closed).toBe(true);
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("a slow source does not hold back results that are there", async () => {
    let release = (): void => {};
    async function* slow(): AsyncGenerator<number> {
      yield 1;
      await new Promise<void>((resolve) => (release = resolve));
      yield 2;
    }
    const results = pool.map(jobs.echo, slow(), { concurrency: 8 });
    expect((await results.next()).value).toBe(1);
    release();
    expect((await results.next()).value).toBe(2);
    expect((await results.next()).done).toBe(true);
  });

  it("throws the first error, of a job or of the source", async () => {
    await expect(collect(pool.map(jobs.fail, ["a", "b"]))).rejects.toThrow("a");
    await expect(collect(pool.map(jobs.fail, ["c"], { ordered: false }))).rejects.toThrow("c");
    function* broken(): Generator<number> {
      yield 1;
      throw new RangeError("the source");
    }
    await expect(collect(pool.map(jobs.echo, broken()))).rejects.toThrow("the source");
  });

  it("a signal that fires while all is under way closes the source", async () => {
    let closed = false;
    function* gates(): Generator<Int32Array> {
      try {
        for (;;) yield gate;
      } finally {
        closed = true;
      }
    }
    const gate = makeGate();
    const controller = new AbortController();
    const { signal } = controller;
    const results = pool.map(jobs.spinUntilCancelled, gates(), { concurrency: 2, signal });
    const first = results.next();
    await opened(gate);
    controller.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect(closed).toBe(true);
  });

  it("ends with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const seen: unknown[] = [];
    const run = (async () => {
      for await (const value of pool.map(jobs.echo, [1, 2, 3], {
        signal: controller.signal,
        concurrency: 1,
      })) {
        seen.push(value);
        controller.abort(reason);
      }
    })();
    await expect(run).rejects.toBe(reason);
    expect(seen).toEqual([1]);
  });

  it.each([[{ concurrency: 0 }], [{ ordered: 1 }], [{ signal: 1 }]])("refuses %j", (options) => {
    expect(() => pool.map(jobs.echo, [], options as never)).toThrow(Object.keys(options)[0]);
  });

  it("refuses what is not iterable", () => {
    expect(() => pool.map(jobs.echo, 3 as never)).toThrow("items");
  });
});

describe("broadcast", () => {
  it("runs once on every live thread", async () => {
    await allStarted(pool, 3);
    const threads = await pool.broadcast(jobs.thread, []);
    expect(new Set(threads).size).toBe(3);
    expect(threads).toHaveLength(3);
  });

  it("starts a thread if there is none", async () => {
    await using fresh = new ThreadPool({ maxThreads: 2 });
    expect(await fresh.broadcast((x: number) => x + 1, [1])).toEqual([2]);
  });

  it("waits for a thread when none can start: it rejects as any job does, and never gives nothing", async () => {
    const initialize = new URL("../fixtures/throws-on-load.ts", import.meta.url);
    await using broken = new ThreadPool({ maxThreads: 1, initialize });
    for (let i = 0; i < 5; i++) {
      await expect(broken.broadcast((x: number) => x, [i])).rejects.toMatchObject({
        code: "ERR_SKEIN_THREAD_CRASHED",
        cause: { message: "initialize failed" },
      });
    }
  });

  it("from an inline continuation of a crash goes to a new thread, not to the one that died", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs, { continuations: "inline" });
    const before = await own.thread();
    const after = await own.exit(1).continueWith(() => one.broadcast(own.thread, []), { policy: "inline" });
    expect(after).toHaveLength(1);
    expect(after).not.toContain(before);
  });

  it("reaches threads that are busy, when their job ends", async () => {
    await allStarted(pool, 3);
    const gate = makeGate();
    const controller = new AbortController();
    const busy = pool.run(jobs.spinUntilCancelled, [gate], { signal: controller.signal });
    await opened(gate);
    const all = pool.broadcast(jobs.thread, []);
    controller.abort();
    await expect(busy).rejects.toMatchObject({ name: "AbortError" });
    expect(new Set(await all).size).toBe(3);
  });

  it("one failure rejects as itself, several as an AggregateError", async () => {
    await allStarted(pool, 3);
    await expect(pool.broadcast(jobs.fail, ["x"])).rejects.toBeInstanceOf(AggregateError);
    await using one = new ThreadPool({ maxThreads: 1 });
    await expect(
      one
        .module<typeof Sample>(sampleJobs)
        .add(1, 1)
        .then(() => one.broadcast(jobs.fail, ["y"])),
    ).rejects.toThrow("y");
  });
});

describe("onProgress", () => {
  it("gets every value in order, before the task settles", async () => {
    const seen: unknown[] = [];
    const result = await pool.run(jobs.report, [100], { onProgress: (value) => seen.push(value) });
    expect(result).toBe(100);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => ({ step: i })));
  });

  it("costs a job without a listener nothing and gets nothing of other jobs", async () => {
    const seen: unknown[] = [];
    await Promise.all([
      jobs.report(50),
      pool.run(jobs.report, [3], { onProgress: (value) => seen.push(value) }),
      jobs.report(50),
    ]);
    expect(seen).toHaveLength(3);
  });
});
