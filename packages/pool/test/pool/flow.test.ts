import { AsyncLocalStorage } from "node:async_hooks";
import { ExecutionContext, flow } from "@skein/context";
import { afterAll, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import type * as Jobs from "../fixtures/flow.jobs.ts";
import { counts, notes, refused, request } from "../fixtures/flow-storages.ts";
import type * as Unknown from "../fixtures/flow-unknown.jobs.ts";
import { makeGate, open, opened } from "../gate.ts";

const url = new URL("../fixtures/flow.jobs.ts", import.meta.url);
const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Jobs>(url);
afterAll(() => pool.close());

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("a storage that flows", () => {
  it("is there in the first job of a module that registers it while it loads, and not in the next", async () => {
    await using fresh = new ThreadPool({ maxThreads: 1 });
    const own = fresh.module<typeof Jobs>(url);
    expect(await request.run({ id: 1 }, () => own.seen())).toBe(1);
    expect(await own.seen()).toBeUndefined();
  });

  it("is there where `initialize` registers it, in a function that is shipped as source", async () => {
    const initialize = new URL("../fixtures/flow-storages.ts", import.meta.url);
    await using fresh = new ThreadPool({ maxThreads: 1, initialize });
    const seen = await request.run({ id: 2 }, () =>
      fresh.run(
        async (file: string) => {
          const storages = (await import(file)) as { request: { getStore(): unknown } };
          return storages.request.getStore();
        },
        [initialize.href],
      ),
    );
    expect(seen).toEqual({ id: 2 });
  });

  it("is there behind an await, in forks, in nested jobs", async () => {
    await request.run({ id: 3 }, async () => {
      expect(await jobs.seenLater()).toEqual([3, 3]);
      expect(await jobs.seenInForks()).toEqual([undefined, -1, 3, 3]);
      expect(await jobs.seenInForkAwaited()).toEqual([3, 3]);
    });
    await using two = new ThreadPool({ maxThreads: 2 });
    const nested = two.module<typeof Jobs>(url);
    expect(await request.run({ id: 4 }, () => nested.seenInNested())).toEqual([4, -1, 4]);
  });

  it("is there in each job of map, in chunks too, and in broadcast", async () => {
    await request.run({ id: 5 }, async () => {
      expect(await collected(pool.map(jobs.seen, [1, 2, 3]))).toEqual([5, 5, 5]);
      expect(await collected(pool.map(jobs.seen, [1, 2, 3, 4], { chunkSize: 2 }))).toEqual([5, 5, 5, 5]);
      expect(await pool.broadcast(jobs.seen, [])).toEqual([5]);
    });
  });

  it("is there for listeners of the job's signal", async () => {
    const gate = makeGate(1);
    const controller = new AbortController();
    const { signal } = controller;
    const task = request.run({ id: 6 }, () => pool.run(jobs.keepSeenAtAbort, [gate], { signal }));
    await opened(gate);
    controller.abort();
    await expect(task).rejects.toMatchObject({ name: "AbortError" });
    // Behind the first job: its listener has run.
    expect(await jobs.readSeenAtAbort()).toBe(6);
    expect(await jobs.seen()).toBeUndefined();
  });

  it("leaves nothing, whatever a job enters; contexts stay apart", async () => {
    await request.run({ id: 7 }, () => jobs.leaveBehind());
    expect(await jobs.seen()).toBeUndefined();
    const ids = Array.from({ length: 2000 }, (_, i) => i % 300);
    const stores = Array.from({ length: 300 }, (_, id) => ({ id }));
    const seen = await Promise.all(ids.map((id) => request.run(stores[id]!, () => jobs.seen())));
    expect(seen).toEqual(ids);
  });

  it("stays where flow is suppressed, and for flowContext: false", async () => {
    await request.run({ id: 8 }, async () => {
      const control = ExecutionContext.suppressFlow();
      const task = jobs.seen();
      const chunks = [1, 2].map((chunkSize) => pool.map(jobs.seen, [1, 2], { chunkSize }));
      control.undo();
      expect(await task).toBeUndefined();
      for (const each of chunks) expect(await collected(each)).toEqual([undefined, undefined]);
      expect(await pool.run(jobs.seen, [], { flowContext: false })).toBeUndefined();
    });
  });

  it("travels on over jobs that do not know it", async () => {
    await using two = new ThreadPool({ maxThreads: 2 });
    const passing = two.module<typeof Unknown>(new URL("../fixtures/flow-unknown.jobs.ts", import.meta.url));
    expect(await request.run({ id: 9 }, () => passing.passOn(2))).toBe(9);
  });

  it("that ends here while jobs are queued: they have what they came with, later ones nothing", async () => {
    const storage = new AsyncLocalStorage<number>();
    const registration = flow(storage, { name: "flow.ends" });
    const gate = makeGate();
    const blocking = jobs.blockUntil(gate);
    await opened(gate);
    const queued = storage.run(1, () => jobs.endingSeen());
    registration[Symbol.dispose]();
    const later = storage.run(2, () => jobs.endingSeen());
    open(gate, 1);
    await blocking;
    expect(await Promise.all([queued, later])).toEqual([1, undefined]);
  });

  it("that ends on the thread while jobs are queued: those that begin afterwards have nothing of it", async () => {
    const storage = new AsyncLocalStorage<number>();
    using _ = flow(storage, { name: "flow.ends" });
    const seen = await storage.run(3, () =>
      Promise.all([
        jobs.endingSeen(),
        jobs.endFlow(),
        jobs.endingSeen(),
        jobs.beginFlow(),
        jobs.endingSeen(),
      ]),
    );
    expect(seen).toEqual([3, 3, undefined, undefined, 3]);
  });

  it("is encoded once, and entered once for all jobs of its store", async () => {
    await using fresh = new ThreadPool({ maxThreads: 1 });
    const own = fresh.module<typeof Jobs>(url);
    await own.seen();
    const before = { ...counts };
    await request.run({ id: 10 }, async () => {
      const gate = makeGate(1);
      // While it runs, nothing of the context is forgotten on either side.
      const running = fresh.run(
        (word: Int32Array) => {
          Atomics.wait(word, 0, 0);
        },
        [gate],
      );
      const tasks = Array.from({ length: 100 }, () => own.seen());
      open(gate);
      await running;
      expect(new Set(await Promise.all(tasks))).toEqual(new Set([10]));
    });
    expect(counts.encoded - before.encoded).toBe(1);
    expect(await own.counted()).toMatchObject({ entered: 1, decoded: 1 });
  });

  it("a mutable store is read for each submission, and each job changes a copy of its own", async () => {
    await notes.run(new Map([["calls", 10]]), async () => {
      expect(await Promise.all([jobs.count(), jobs.count()])).toEqual([11, 11]);
      notes.getStore()!.set("calls", 20);
      expect(await jobs.count()).toBe(21);
      expect(notes.getStore()!.get("calls")).toBe(20);
    });
  });

  it("counts in maxQueueBytes, once for each text", async () => {
    await using small = new ThreadPool({ maxThreads: 1, maxQueueBytes: 1000 });
    const own = small.module<typeof Jobs>(url);
    await own.seen();
    const gate = makeGate(2);
    const blocking = small.run(
      (word: Int32Array) => {
        Atomics.store(word, 0, 1);
        Atomics.wait(word, 1, 0);
      },
      [gate],
    );
    await opened(gate);
    const large = { id: 1, text: "x".repeat(700) };
    const first = request.run(large, () => own.seen());
    const second = request.run(large, () => own.seen());
    await expect(request.run({ ...large, id: 2 }, () => own.seen())).rejects.toMatchObject({
      code: "ERR_SKEIN_QUEUE_FULL",
    });
    open(gate, 1);
    await blocking;
    expect(await Promise.all([first, second])).toEqual([1, 1]);
  });
});

describe("errors of a flow", () => {
  it("of capture are the caller's, and claim nothing", async () => {
    const bad = new Error("not today");
    const registration = flow({
      name: "flow.bad",
      capture: () => {
        throw bad;
      },
      enter: (_, fn) => fn(),
    });
    const submitted = pool.stats().submitted;
    await expect(jobs.seen()).rejects.toBe(bad);
    expect(pool.stats()).toMatchObject({ submitted, queued: { high: 0, normal: 0, low: 0 } });
    registration[Symbol.dispose]();
    expect(await jobs.seen()).toBeUndefined();
  });

  it("on the thread fail the job, which does not begin, and no other", async () => {
    const failed = refused.run("x", () => jobs.leaveBehind());
    await expect(failed).rejects.toMatchObject({ code: "ERR_SKEIN_INVALID_CARRIER" });
    await using fresh = new ThreadPool({ maxThreads: 1 });
    const first = refused.run("x", () => fresh.module<typeof Jobs>(url).seen());
    await expect(first).rejects.toMatchObject({ code: "ERR_SKEIN_INVALID_CARRIER" });
    expect(await request.run({ id: 11 }, () => jobs.seen())).toBe(11);
    // Nor is it the job of what others leave behind.
    const leaves = (fails: boolean): void => {
      if (fails)
        setTimeout(() => {
          throw new RangeError("left behind");
        });
    };
    await fresh.run(leaves, [false]);
    await fresh.run(leaves, [true]);
    await eventually("the error, or the end of the thread", () => {
      const { stray, threads } = fresh.stats();
      return stray > 0 || threads.total === 0;
    });
    expect(fresh.stats()).toMatchObject({ stray: 1, threads: { total: 1 } });
  });

  it("a capture that submits jobs itself gets them done, without flows", async () => {
    const inner: PromiseLike<unknown>[] = [];
    const registration = flow({
      name: "flow.submits",
      capture: () => {
        inner.push(jobs.seen());
        return 1;
      },
      enter: (_, fn) => fn(),
    });
    expect(await request.run({ id: 12 }, () => jobs.seen())).toBe(12);
    registration[Symbol.dispose]();
    expect(await Promise.all(inner)).toEqual([undefined]);
  });
});
