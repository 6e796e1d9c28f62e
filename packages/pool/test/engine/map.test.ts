import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { AsyncLocal } from "@skein/context";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { allStarted, makeGate, open, opened, sampleJobs } from "../gate.ts";
import { brokenSources, looseSources } from "../loose-iterator.ts";

const pool = new ThreadPool({ maxThreads: 3 });
const jobs = pool.module<typeof Sample>(sampleJobs);
afterAll(() => pool.close());

const tenant = new AsyncLocal<string>({ name: "test.tenant", flow: "thread" });

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

  it("ends where the language says that an iterator ends, and throws when a step is no object", async () => {
    for (const source of looseSources([3, 2, 1]))
      expect(await collect(pool.map(jobs.echo, source))).toEqual([3, 2, 1]);
    for (const source of brokenSources(1)) {
      const results = pool.map(jobs.echo, source);
      expect((await results.next()).value).toBe(1);
      await expect(results.next()).rejects.toThrow(TypeError);
    }
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

  describe("never has more jobs under way than its concurrency", () => {
    it.each(
      [1, 2, 3].flatMap((concurrency) =>
        [true, false].flatMap((ordered) => [1, 3].map((chunkSize) => ({ concurrency, ordered, chunkSize }))),
      ),
    )("%o", async (options) => {
      await using wide = new ThreadPool({ maxThreads: 2, jobsPerThread: 8 });
      const own = wide.module<typeof Sample>(sampleJobs);
      const counts = makeGate();
      await collect(wide.map(own.countAtOnce, Array<Int32Array>(12).fill(counts), options));
      expect(counts[0]).toBe(0);
      expect(counts[1]).toBeLessThanOrEqual(options.concurrency);
    });

    it("nor reads further ahead: until a result is taken, its item counts", async () => {
      let read = 0;
      function* gates(): Generator<Int32Array> {
        for (;;) {
          read++;
          yield gate;
        }
      }
      const gate = makeGate();
      const results = pool.map(jobs.block, gates(), { concurrency: 2 });
      const first = results.next();
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      const readMeanwhile = read;
      open(gate);
      await first;
      expect(readMeanwhile).toBe(2);
      await results.return?.();
      // One was taken, so one more was read.
      expect(read).toBeLessThanOrEqual(3);
    });
  });

  it("does not wait for an item that the source owes when it ends", async () => {
    let asked = (): void => {};
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    async function* silent(): AsyncGenerator<number> {
      yield 1;
      asked();
      await new Promise(() => {});
    }
    for await (const item of pool.map(jobs.echo, silent(), { concurrency: 4 })) {
      expect(item).toBe(1);
      await wasAsked;
      break;
    }
    const controller = new AbortController();
    const results = pool.map(jobs.echo, silent(), { signal: controller.signal });
    await results.next();
    const next = results.next();
    controller.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
  });

  it("a source that fails while it is closed does not replace the error that ended the iteration", async () => {
    function* stubborn(): Generator<string> {
      try {
        yield "the job";
        yield "never";
      } finally {
        // oxlint-disable-next-line no-unsafe-finally -- what is tested
        throw new Error("closing");
      }
    }
    await expect(collect(pool.map(jobs.fail, stubborn(), { concurrency: 1 }))).rejects.toThrow("the job");
    const results = pool.map(jobs.echo, stubborn(), { concurrency: 1 });
    await results.next();
    await expect(results.return?.()).rejects.toThrow("closing");
  });

  it.each([1, 2])(
    "return() cancels the job that a pending next() waits for (chunkSize %i)",
    async (chunkSize) => {
      const gate = makeGate();
      const results = pool.map(jobs.spinUntilCancelled, [gate, gate], { chunkSize, concurrency: 1 });
      const next = results.next();
      await opened(gate);
      expect(await results.return?.()).toEqual({ done: true, value: undefined });
      expect(await next).toEqual({ done: true, value: undefined });
      await opened(gate, 1);
      expect((await results.next()).done).toBe(true);
    },
  );

  it("sees a signal that fires while the source gives its iterator, and closes that", async () => {
    const controller = new AbortController();
    const asked: string[] = [];
    const source: Iterable<number> = {
      [Symbol.iterator]() {
        controller.abort(new Error("no more"));
        const next = (): IteratorResult<number> => {
          asked.push("next");
          return { done: false, value: 1 };
        };
        return { next, return: () => (asked.push("return"), { done: true, value: undefined }) };
      },
    };
    const results = pool.map(jobs.echo, source, { signal: controller.signal });
    await expect(results.next()).rejects.toThrow("no more");
    expect(asked).toEqual(["return"]);
  });

  it("with a signal that has fired does not touch the source", async () => {
    const touched = {
      [Symbol.iterator](): Iterator<number> {
        throw new Error("touched");
      },
    };
    const results = pool.map(jobs.echo, touched, { signal: AbortSignal.abort("why not") });
    await expect(results.next()).rejects.toMatchObject({ code: "ERR_SKEIN_JOB_CANCELED", reason: "why not" });
    expect((await results.next()).done).toBe(true);
  });

  it.each([1, 3])(
    "the source and the jobs see the context of the call, whoever iterates (chunkSize %i)",
    async (chunkSize) => {
      const storage = new AsyncLocalStorage<string>();
      const seen = new Set<unknown>();
      const look = (what: string): void => void seen.add(`${what} ${tenant.value} ${storage.getStore()}`);
      async function* source(): AsyncGenerator<number> {
        try {
          for (let i = 0; i < 6; i++) {
            look("next");
            await Promise.resolve();
            look("later");
            yield i;
          }
        } finally {
          look("return");
        }
      }
      const onSubmit = (): void => look("submit");
      subscribe("skein:job:submit", onSubmit);
      const make = (): AsyncIterableIterator<number> =>
        pool.map((item: number) => item, source(), { chunkSize });
      const called = tenant.run("caller", () => storage.run("caller", make));
      const contexts = tenant.run("caller", () =>
        pool.map(jobs.contextOf, [1, 2, 3, 4], { chunkSize, concurrency: 1 }),
      );
      await tenant.run("consumer", () =>
        storage.run("consumer", async () => {
          await called.next();
          look("consumer");
          await called.return?.();
          for await (const context of contexts) expect(context).toBe("caller");
        }),
      );
      unsubscribe("skein:job:submit", onSubmit);
      expect(seen).toEqual(
        new Set([
          "consumer consumer consumer",
          "later caller caller",
          "next caller caller",
          "return caller caller",
          "submit caller caller",
          "submit caller undefined",
        ]),
      );
    },
  );

  it("refuses a function that cannot be shipped at once", () => {
    expect(() => pool.map(Math.abs, [1])).toThrow("native or bound");
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

  it("fails the job when this thread cannot read a value, before and behind its end; the thread stays", async () => {
    const own = new ThreadPool({ maxThreads: 2, resourceLimits: { stackSizeMb: 32 } });
    const deep = own.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    const seen: unknown[] = [];
    for (const waits of [true, false]) {
      const job = own.run(deep.reportDeep, [waits], { onProgress: (value) => seen.push(value) });
      await expect(job).rejects.toMatchObject({ name: "NotCloneableError", path: "progress" });
      // What a job of a job reports comes by way of this thread.
      expect(await deep.hearDeep(waits)).toEqual(["NotCloneableError", "progress"]);
    }
    expect(seen).toEqual([]);
    expect(own.stats()).toMatchObject({ completed: 2, failed: 4, crashed: 0 });
    await own.close();
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
