import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, threadId } from "node:worker_threads";
import { Task } from "@skein/scheduling";
import { afterAll, describe, expect, it, vi } from "vitest";
import { NotCloneableError, PoolClosedError, ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { allStarted, makeGate, open, opened, sampleJobs } from "../gate.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const pool = new ThreadPool({ maxThreads: 2 });
const jobs = pool.module<typeof Sample>(sampleJobs);
afterAll(() => pool.close());

describe("running jobs", () => {
  it("runs an exported function on another thread", async () => {
    expect(isMainThread).toBe(true);
    expect(await jobs.thread()).not.toBe(threadId);
    expect(await jobs.add(2, 3)).toBe(5);
    expect(await pool.run(jobs.add, [4, 5])).toBe(9);
  });

  it("takes a function without an argument list, and options all the same", async () => {
    expect(await pool.run(() => 42)).toBe(42);
    expect(await pool.run(jobs.thread)).not.toBe(threadId);
    expect(await pool.run(() => 42, undefined, { priority: "high" })).toBe(42);
    expect(await pool.run((...args: unknown[]) => args.length, [])).toBe(0);
    expect(await pool.broadcast(() => 42)).toContain(42);
  });

  it("A3.3 never runs or settles a job on the submitting stack", async () => {
    let settled = false;
    const task = pool.run(jobs.echo, [1], { continuations: "inline" });
    void task.then(() => (settled = true));
    expect(settled).toBe(false);
    await task;
    expect(task.status).toBe("succeeded");
  });

  it("runs async functions, one at a time per thread, and unwraps what they return", async () => {
    expect(await jobs.echoLater({ a: [1, 2] })).toEqual({ a: [1, 2] });
  });

  it("A3.2 runs a function once per submission, with the arguments of that submission", async () => {
    const results = await Promise.all(Array.from({ length: 1000 }, (_, i) => jobs.echo(i)));
    expect(results).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it("copies the arguments at the call: later changes do not reach the job", async () => {
    const list = [1, 2, 3];
    const gate = makeGate();
    const blockers = [jobs.block(gate), jobs.block(gate)];
    const task = jobs.echo(list);
    list.push(4);
    open(gate);
    await Promise.all(blockers);
    expect(await task).toEqual([1, 2, 3]);
  });

  it("has no handle for `then`: a module can be awaited and returned from async functions", async () => {
    expect(await Promise.resolve(jobs)).toBe(jobs);
  });

  it("returns a Task that is assignable to Promise", async () => {
    const promise: Promise<number> = jobs.add(1, 1);
    expect(promise).toBeInstanceOf(Task);
    expect(await promise).toBe(2);
  });
});

describe("payloads", () => {
  it.each([10, 180, 200, 5_000, 300_000, 3 << 20])("carries %i bytes there and back", async (length) => {
    const bytes = new Uint8Array(length).map((_, i) => i % 251);
    expect(Buffer.compare((await jobs.echo(bytes)) as Uint8Array, bytes)).toBe(0);
  });

  it("gives large payloads back: the same memory serves the next ones", async () => {
    for (let i = 0; i < 50; i++) {
      const text = String(i).repeat(30_000);
      expect(await jobs.echo(text)).toBe(text);
    }
  });

  it("carries aliases and cycles, as structured clone does", async () => {
    const shared = { n: 1 };
    const value: Record<string, unknown> = { a: shared, b: shared };
    value["self"] = value;
    const copy = (await jobs.echo(value)) as typeof value;
    expect(copy["a"]).toBe(copy["b"]);
    expect(copy["self"]).toBe(copy);
  });

  it("shares a SharedArrayBuffer between any two threads", async () => {
    const memory = makeGate();
    const returned = (await jobs.echo(memory)) as Int32Array;
    open(returned, 1);
    expect(memory[1]).toBe(1);
    expect(await pool.run((words: Int32Array) => Atomics.load(words, 1), [returned])).toBe(1);
  });

  it("rejects what cannot be cloned, by path, and goes on", async () => {
    await expect(jobs.echo({ a: [() => 1] })).rejects.toMatchObject({
      code: "ERR_SKEIN_NOT_CLONEABLE",
      path: "args[0].a[0]",
    });
    await expect(jobs.returnFunction()).rejects.toMatchObject({ path: "result.nested[0]" });
    await expect(jobs.throwFunction()).rejects.toBeInstanceOf(NotCloneableError);
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("a getter that throws rejects with its error, and nothing is claimed", async () => {
    const bad = {
      get x(): number {
        throw new RangeError("no x");
      },
    };
    for (let i = 0; i < 20_000; i++) pool.run(jobs.echo, [bad]).catch(() => {});
    await expect(jobs.echo(bad)).rejects.toThrow("no x");
    expect(await jobs.add(1, 2)).toBe(3);
  });
});

describe("inline functions", () => {
  it("are shipped as source", async () => {
    expect(await pool.run((a: number, b: number) => a * b, [6, 7])).toBe(42);
    expect(await pool.run(async (text: string) => `${text} ${typeof process.pid}`, ["pid is a"])).toBe(
      "pid is a number",
    );
  });

  it("capture nothing: the free variable is named", async () => {
    const outside = 3;
    const error: unknown = await pool
      .run(() => outside, [])
      .then(
        () => null,
        (reason: unknown) => reason,
      );
    expect(error).toBeInstanceOf(ReferenceError);
    expect(error).toMatchObject({ code: "ERR_SKEIN_FREE_VARIABLE" });
    expect((error as Error).message).toContain("outside");
  });

  it("refuse native functions at the door", () => {
    expect(() => pool.run(Math.max, [1, 2])).toThrow(TypeError);
  });
});

describe("queues", () => {
  it("takes more jobs than there are slots", async () => {
    const gate = makeGate();
    const blockers = [jobs.block(gate), jobs.block(gate)];
    const tasks = Array.from({ length: 40_000 }, (_, i) => jobs.echo(i));
    open(gate);
    const results = await Promise.all(tasks);
    await Promise.all(blockers);
    expect(results.every((value, i) => value === i)).toBe(true);
  });

  it("A3.7 starts jobs of one priority in the order of submission, also through the backlog", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    const gate = makeGate();
    const blocker = own.block(gate);
    const log = makeGate(30_001);
    const tasks = Array.from({ length: 30_000 }, (_, i) => own.append(log, i));
    open(gate);
    await Promise.all([blocker, ...tasks]);
    expect(log.subarray(1).every((value, i) => value === i)).toBe(true);
  });

  it("starts higher priorities first, and lower ones in between", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    await own.append(makeGate(4), 0);
    const gate = makeGate();
    const blocker = own.block(gate);
    const log = makeGate(1000);
    const tasks = [
      ...Array.from({ length: 5 }, () => one.run(own.append, [log, 3], { priority: "low" })),
      ...Array.from({ length: 5 }, () => one.run(own.append, [log, 2])),
      ...Array.from({ length: 500 }, () => one.run(own.append, [log, 1], { priority: "high" })),
    ];
    open(gate);
    await Promise.all([blocker, ...tasks]);
    const order = [...log.subarray(1, 511)];
    expect(order[0]).toBe(1);
    expect(order.indexOf(2)).toBeLessThan(100);
    expect(order.indexOf(3)).toBeLessThan(500);
    expect(order.indexOf(2)).toBeLessThan(order.indexOf(3));
  });
});

it("A3.14 threads are started while jobs wait, also when the first thread was about to take them", async () => {
  for (let round = 0; round < 3; round++) {
    await using fresh = new ThreadPool({ maxThreads: 3 });
    await fresh.run(() => 1, []);
    // Needs all three at once: the sleeping one, and two that have to be started.
    await allStarted(fresh, 3);
    expect(fresh.stats().threads.total).toBe(3);
  }
});

describe("maxQueue and maxQueueBytes", () => {
  it("refuse what would wait beyond them, and run nothing of it", async () => {
    await using one = new ThreadPool({ maxThreads: 1, maxQueue: 2 });
    const own = one.module<typeof Sample>(sampleJobs);
    const gate = makeGate();
    const log = makeGate(4);
    const accepted = [own.block(gate), own.append(log, 1), own.append(log, 2)];
    await expect(own.append(log, 3)).rejects.toMatchObject({
      code: "ERR_SKEIN_QUEUE_FULL",
      limit: "maxQueue",
      value: 2,
    });
    open(gate);
    await Promise.all(accepted);
    expect(log[0]).toBe(2);
    expect(await own.add(1, 2)).toBe(3);
  });

  it("0: an idle thread takes one job after the other", async () => {
    await using one = new ThreadPool({ maxThreads: 1, maxQueue: 0 });
    const own = one.module<typeof Sample>(sampleJobs);
    for (let i = 0; i < 100; i++) expect(await own.echo(i)).toBe(i);
    const gate = makeGate();
    const running = own.block(gate);
    await expect(own.add(1, 1)).rejects.toMatchObject({ code: "ERR_SKEIN_QUEUE_FULL" });
    open(gate);
    await running;
  });

  it("bytes come back with the jobs, cancelled ones included", async () => {
    await using one = new ThreadPool({ maxThreads: 1, maxQueueBytes: 100_000 });
    const own = one.module<typeof Sample>(sampleJobs);
    const text = "x".repeat(60_000);
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController();
      const first = one.run(own.echo, [text], { signal: controller.signal });
      await expect(own.echo(text)).rejects.toMatchObject({ limit: "maxQueueBytes", value: 100_000 });
      if (i % 2 === 0) controller.abort();
      await Promise.allSettled([first]);
      await own.thread();
    }
  });

  it("large payloads beyond the limit are refused with an error, not with a crash", async () => {
    await using one = new ThreadPool({ maxThreads: 1, maxQueueBytes: 128 << 20 });
    const own = one.module<typeof Sample>(sampleJobs);
    const gate = makeGate();
    const blocker = own.block(gate);
    const chunk = Buffer.alloc(32 << 20);
    const tasks = Array.from({ length: 5 }, () => one.run((bytes: Uint8Array) => bytes.length, [chunk]));
    const outcomes = Promise.allSettled(tasks);
    await expect(tasks[4]).rejects.toMatchObject({ limit: "maxQueueBytes" });
    open(gate);
    await blocker;
    // With the errors, should it be others.
    const full = { reason: expect.objectContaining({ code: "ERR_SKEIN_QUEUE_FULL" }) };
    const taken = { value: chunk.length };
    expect(await outcomes).toMatchObject([taken, taken, taken, full, full]);
  });
});

describe("the thread's event loop (hazard H1)", () => {
  it("keeps running while the thread is idle", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    await own.startTicking();
    // On a busy machine it takes some tries; a thread that does not look at its timers never passes.
    await vi.waitFor(
      async () => {
        const before = await own.readTicks();
        await sleep(50);
        expect(await own.readTicks()).toBeGreaterThan(before + 5);
      },
      { timeout: timeLimit(60_000), interval: 0 },
    );
  });

  it("A3.12 keeps running while jobs follow each other without a pause", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    await own.startTicking();
    const before = await own.readTicks();
    const busy = Array.from({ length: 40 }, () =>
      one.run(() => {
        const end = Date.now() + 5;
        while (Date.now() < end) {
          // 200 ms in all.
        }
      }, []),
    );
    const after = own.readTicks();
    await Promise.all(busy);
    expect(await after).toBeGreaterThan(before + 2);
  });
});

describe("closing", () => {
  it("drains by default: queued and running jobs finish", async () => {
    const one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    const tasks = Array.from({ length: 100 }, (_, i) => own.echoLater(i));
    const closing = one.close();
    expect(one.close()).toBe(closing);
    await closing;
    expect(tasks.every((task) => task.status === "succeeded")).toBe(true);
  });

  it("with drain: false queued jobs reject and running ones are asked to stop", async () => {
    const one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    const gate = makeGate();
    const running = own.spinUntilCancelled(gate);
    await opened(gate);
    const queued = Promise.allSettled(Array.from({ length: 20_000 }, () => own.add(1, 1)));
    await one.close({ drain: false });
    expect(await running).toBe("stopped");
    const outcomes = await queued;
    expect(outcomes.every((o) => o.status === "rejected" && o.reason instanceof PoolClosedError)).toBe(true);
  });

  it("after timeoutMs ends what still runs, and resolves", async () => {
    const one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    const gate = makeGate();
    const stuck = own.block(gate);
    const queued = own.add(1, 1);
    const [a, b] = await Promise.all([
      stuck.then(null, (error: unknown) => error),
      queued.then(null, (error: unknown) => error),
      one.close({ timeoutMs: 50 }),
    ]);
    expect(a).toBeInstanceOf(PoolClosedError);
    expect(b).toBeInstanceOf(PoolClosedError);
  });

  it("rejects what is submitted after the close, and closes a pool that never ran", async () => {
    const one = new ThreadPool();
    await one.close();
    await expect(one.run(() => 1, [])).rejects.toBeInstanceOf(PoolClosedError);
  });

  it("a later close hurries an earlier one, and is the same task", async () => {
    const one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    const gate = makeGate();
    const running = own.spinUntilCancelled(gate);
    await opened(gate);
    const queued = own.add(1, 1);
    const closing = one.close();
    expect(one.close({ drain: false })).toBe(closing);
    await expect(queued).rejects.toBeInstanceOf(PoolClosedError);
    expect(await running).toBe("stopped");
    await closing;
  });

  it("a later deadline ends what an earlier close waits for; one that is weaker changes nothing", async () => {
    const one = new ThreadPool({ maxThreads: 1 });
    const own = one.module<typeof Sample>(sampleJobs);
    const gate = makeGate();
    const stuck = own.spinForever(gate);
    await opened(gate);
    const closing = one.close();
    expect(one.close({ timeoutMs: 1 })).toBe(closing);
    expect(one.close({ timeoutMs: 60_000 })).toBe(closing);
    expect(one.close()).toBe(closing);
    await expect(stuck).rejects.toBeInstanceOf(PoolClosedError);
    await closing;
  });

  it("await using closes, after the jobs", async () => {
    let task: Task<number>;
    {
      await using one = new ThreadPool({ maxThreads: 1 });
      task = one.run(() => 7, []);
    }
    expect(task.status).toBe("succeeded");
  });

  it.each(["new ThreadPool", "ThreadPool.shared"])("%s in a request keeps nothing of it", async (kind) => {
    const storage = new AsyncLocalStorage<object>();
    const made: ThreadPool[] = [];
    const request = (store: object): Promise<number> =>
      storage.run(store, async () => {
        made[0] ??= kind === "ThreadPool.shared" ? ThreadPool.shared : new ThreadPool({ maxThreads: 1 });
        return await made[0].run((n: number) => n + 1, [1]);
      });
    const first = await (async () => {
      const store = {};
      await request(store);
      return new WeakRef(store);
    })();
    for (let i = 0; i < 100 && first.deref() !== undefined; i++) {
      await request({});
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc!();
    }
    expect(first.deref()).toBeUndefined();
    await made[0]!.close();
  });

  it("ThreadPool.shared is one pool, and a new one after it was closed", async () => {
    const first = ThreadPool.shared;
    expect(ThreadPool.shared).toBe(first);
    await first.close();
    expect(await ThreadPool.shared.run(() => 1, [])).toBe(1);
    expect(ThreadPool.shared).not.toBe(first);
    await ThreadPool.shared.close();
  });
});

describe("bad input is refused at the door", () => {
  it.each([
    [{ maxThreads: 0 }, RangeError, "maxThreads"],
    [{ maxThreads: 1.5 }, RangeError, "maxThreads"],
    [{ maxThreads: "2" }, TypeError, "maxThreads"],
    [{ name: 3 }, TypeError, "name"],
    [{ spinLimitUs: -1 }, RangeError, "spinLimitUs"],
    [{ execArgv: "x" }, TypeError, "execArgv"],
    [{ initialize: "./relative.ts" }, TypeError, "relative.ts"],
    [{ resourceLimits: 1 }, TypeError, "resourceLimits"],
    [{ maxQueue: -1 }, RangeError, "maxQueue"],
    [{ maxQueueBytes: 0 }, RangeError, "maxQueueBytes"],
    [null, TypeError, "options"],
  ])("new ThreadPool(%j)", (options, type, named) => {
    const make = (): ThreadPool => new ThreadPool(options as never);
    expect(make).toThrow(type);
    expect(make).toThrow(named);
  });

  it.each([
    [{ timeoutMs: 0 }, RangeError, "timeoutMs"],
    [{ timeoutMs: "1" }, TypeError, "timeoutMs"],
    [{ priority: "urgent" }, TypeError, "priority"],
    [{ signal: {} }, TypeError, "signal"],
    [{ continuations: "later" }, TypeError, "continuations"],
    [{ flowContext: 1 }, TypeError, "flowContext"],
    [{ retries: -1 }, RangeError, "retries"],
    [{ onCancel: "kill" }, TypeError, "onCancel"],
    [{ graceMs: -1 }, RangeError, "graceMs"],
  ])("run(job, args, %j)", (options, type, named) => {
    const run = (): unknown => pool.run(jobs.add, [1, 2], options as never);
    expect(run).toThrow(type);
    expect(run).toThrow(named);
  });

  it("run refuses what is not a function, and arguments that are no array", () => {
    expect(() => pool.run("add" as never, [])).toThrow(TypeError);
    expect(() => pool.run(jobs.add, 1 as never)).toThrow("args");
    // A list that nobody could go through.
    const endless = Object.assign([], { length: 2 ** 32 - 1 }) as never;
    expect(() => pool.run(jobs.add, endless)).toThrow("at most 65535 arguments");
  });

  it.each(["./jobs.ts", "https://example.com/jobs.js", "data:text/javascript,export{}", 3])(
    "module(%j)",
    (url) => {
      expect(() => pool.module(url as string)).toThrow(TypeError);
    },
  );

  it("options come from own properties only (hazard H25)", async () => {
    const polluted = Object.create({ maxThreads: 0, timeoutMs: -1 }) as object;
    await using one = new ThreadPool(polluted);
    expect(await one.run(() => 1, [], polluted)).toBe(1);
  });
});
