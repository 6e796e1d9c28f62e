/** Threads that are replaced because of a limit. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, describe, expect, it } from "vitest";
import { ThreadPool, type ThreadPoolOptions } from "../../src/index.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { makeGate, open, opened, sampleJobs } from "../gate.ts";
import { writtenFiles } from "../jobs/written-files.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { join } from "node:path";

let pool: ThreadPool;
function make(options: ThreadPoolOptions): ReturnType<typeof pool.module<typeof Sample>> {
  pool = new ThreadPool({ maxThreads: 1, ...options });
  return pool.module<typeof Sample>(sampleJobs);
}
afterEach(() => pool.close({ drain: false }));

const recycled = (count: number): Promise<unknown> =>
  eventually(`${count} threads replaced`, () => pool.stats().recycled >= count);

describe("maxJobsPerThread", () => {
  it("no thread begins more jobs than that, and none is lost", async () => {
    const jobs = make({ maxThreads: 2, maxJobsPerThread: 3 });
    const threads = await Promise.all(Array.from({ length: 20 }, () => jobs.thread()));
    const counts = Map.groupBy(threads, (thread) => thread);
    for (const ran of counts.values()) expect(ran.length).toBeLessThanOrEqual(3);
    expect(counts.size).toBeGreaterThanOrEqual(7);
    const stats = pool.stats();
    expect([stats.completed, stats.crashed]).toEqual([20, 0]);
    expect(stats.recycled).toBeGreaterThanOrEqual(5);
  });

  it("1: a thread of its own for each job", async () => {
    const jobs = make({ maxJobsPerThread: 1 });
    const threads = await Promise.all(Array.from({ length: 4 }, () => jobs.thread()));
    expect(new Set(threads).size).toBe(4);
  });

  it("jobs that its jobs wait for still run there", async () => {
    make({ maxJobsPerThread: 1 });
    const nested = pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    expect(await nested.sumOfSquares(5)).toBe(30);
    expect(await nested.nest(3)).toBe(3);
  });

  it("jobs that await beside each other are begun only up to it, and end", async () => {
    const jobs = make({ jobsPerThread: 4, maxJobsPerThread: 2 });
    const values = await Promise.all(Array.from({ length: 9 }, (_, i) => jobs.echoLater(i)));
    expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    await recycled(4);
  });
});

describe("the successor", () => {
  it("is ready before the thread leaves, and `dispose` is awaited", async () => {
    const log = makeGate(8);
    const folder = writtenFiles({
      "init.mjs": `import { workerData } from "node:worker_threads";
        const log = workerData;
        const note = (what) => { log[1 + Atomics.add(log, 0, 1)] = what; };
        note(1);
        export const dispose = async () => {
          note(2);
          await new Promise((resolve) => setTimeout(resolve, 1));
          note(3);
        };`,
    });
    const jobs = make({ maxJobsPerThread: 1, initialize: join(folder, "init.mjs"), workerData: log });
    await jobs.echo(1);
    await eventually("the first thread has gone", () => Atomics.load(log, 0) === 4);
    // The first, its successor, then the end of the first.
    expect([...log.subarray(1, 5)]).toEqual([1, 1, 2, 3]);
    await eventually("one thread", () => pool.stats().threads.total === 1);
    expect(pool.stats().recycled).toBe(1);
  });

  it("loads what `start` had the thread load", async () => {
    const folder = writtenFiles({ "a.mjs": "globalThis.loaded = true; export const run = () => 1;" });
    make({ maxJobsPerThread: 1 });
    pool.start(1, { modules: [join(folder, "a.mjs")] });
    await pool.ready();
    const loaded = (): unknown => (globalThis as { loaded?: unknown }).loaded;
    expect([await pool.run(loaded), await pool.run(loaded)]).toEqual([true, true]);
  });

  it("is the only one that starts for it, however many jobs wait", async () => {
    const jobs = make({ minThreads: 1, maxThreads: 4, maxJobsPerThread: 1 });
    let isMaking = false;
    const making = (): void => {
      isMaking = true;
      queueMicrotask(() => (isMaking = false));
    };
    const madeByExit = new Promise<boolean>((resolve) => {
      subscribe("skein:thread:exit", function exited() {
        unsubscribe("skein:thread:exit", exited);
        resolve(isMaking);
      });
    });
    subscribe("worker_threads", making);
    const gate = makeGate();
    const all = [jobs.echo(1), ...Array.from({ length: 6 }, () => jobs.block(gate))];
    const wasMade = await madeByExit;
    unsubscribe("worker_threads", making);
    open(gate);
    await Promise.all(all);
    expect(wasMade).toBe(false);
  });

  it("that does not start leaves the thread at work", async () => {
    const gate = makeGate();
    const folder = writtenFiles({
      "init.mjs": `import { workerData } from "node:worker_threads";
        if (Atomics.add(workerData, 1, 1) > 0) throw new Error("only one");`,
    });
    const jobs = make({ maxJobsPerThread: 1, initialize: join(folder, "init.mjs"), workerData: gate });
    const first = await jobs.thread();
    expect(await jobs.thread()).toBe(first);
    expect(await jobs.thread()).toBe(first);
    expect(Atomics.load(gate, 1)).toBeGreaterThan(1);
    expect(pool.stats()).toMatchObject({ recycled: 0, completed: 3 });
  });

  it("lets a thread go whose job has replaced `process.exit`", async () => {
    make({ maxJobsPerThread: 1 });
    const ended = new Promise<void>((resolve) => {
      subscribe("skein:thread:exit", function exited() {
        unsubscribe("skein:thread:exit", exited);
        resolve();
      });
    });
    await pool.run(() => {
      process.exit = (() => {}) as never;
    });
    await ended;
    expect(pool.stats().recycled).toBe(1);
  });

  it("counts when the thread crashes instead", async () => {
    const jobs = make({ maxThreads: 1, maxThreadAgeMs: 1 });
    await jobs.echo(1);
    await jobs.exit(3).catch(() => {});
    expect(await jobs.add(1, 2)).toBe(3);
    await eventually("one thread", () => pool.stats().threads.total === 1);
  });
});

describe("maxThreadAgeMs, maxHeapBytesPerThread", () => {
  it("a thread that has reached its age goes on until its successor is ready", async () => {
    const jobs = make({ maxThreadAgeMs: 1 });
    const first = await jobs.thread();
    await eventually("another thread", async () => (await jobs.thread()) !== first);
    expect(pool.stats().recycled).toBeGreaterThan(0);
  });

  it("an idle thread stays, however old it is", async () => {
    const jobs = make({ maxThreadAgeMs: 60_000 });
    const first = await jobs.thread();
    expect(await jobs.thread()).toBe(first);
    expect(pool.stats().recycled).toBe(0);
  });

  it("a full heap is replaced", async () => {
    make({ maxHeapBytesPerThread: 2 ** 26 });
    const hoard = (): number => {
      const kept = ((globalThis as { kept?: unknown[] }).kept ??= []);
      kept.push(Array.from({ length: 200_000 }, (_, i) => ({ i })));
      return kept.length;
    };
    let most = 0;
    await eventually("a thread replaced", async () => {
      most = Math.max(most, await pool.run(hoard));
      return pool.stats().recycled > 0;
    });
    expect(most).toBeGreaterThan(1);
    // The thread that is told to leave may take one more job before it hears of it.
    await eventually("a heap with nothing in it", async () => (await pool.run(hoard)) < most);
  });
});

describe("at the end", () => {
  it("`close` waits for threads that are being replaced, and loses no job", async () => {
    const jobs = make({ maxThreads: 2, maxJobsPerThread: 1 });
    const tasks = Array.from({ length: 6 }, (_, i) => jobs.echo(i));
    await pool.close();
    expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(pool.stats().threads.total).toBe(0);
  });

  it("a lowered maxThreads holds while threads are being replaced", async () => {
    const jobs = make({ minThreads: 1, maxThreads: 3, maxThreadAgeMs: 1 });
    pool.start(3);
    await pool.ready();
    const gates = Array.from({ length: 3 }, () => makeGate());
    const running = gates.map((gate) => jobs.openThenBlock(gate));
    await Promise.all(gates.map((gate) => opened(gate, 1)));
    pool.setMaxThreads(1);
    for (const gate of gates) open(gate);
    await Promise.all(running);
    await eventually("one thread", () => pool.stats().threads.total === 1);
    expect(await jobs.add(2, 2)).toBe(4);
  });
});
