/** What every engine does, and says that it does not. One jobs module, one suite: see engines.ts for the engines. */
import { AsyncLocalStorage } from "node:async_hooks";
import { threadId } from "node:worker_threads";
import {
  JobCanceledError,
  type JobEngine,
  JobNotFoundError,
  JobTimeoutError,
  NotCloneableError,
  NotSupportedError,
  PoolClosedError,
  type RunOptions,
  stream,
  ThreadCrashedError,
  ThreadGoneError,
} from "@skein/pool";
import { type EngineCapabilities, jobModule, onClosing } from "@skein/pool/engine";
import { ManualScheduler } from "@skein/scheduling";
import { afterAll, describe, expect, it } from "vitest";
import { valueProblem } from "../fuzz/oracle.ts";
import { startRedis } from "../support/redis-server.ts";
import { clusterOn } from "./cluster-engine.ts";
import { engines } from "./engines.ts";
import { type Gate, Gates, load, opened, store, words } from "./gates.ts";
import type * as Jobs from "./engines.jobs.ts";
import { OrderError, tenant } from "./engines.jobs.ts";
import { payloads } from "./payloads.ts";

const url = new URL("./engines.jobs.ts", import.meta.url);
const jobs = jobModule<typeof Jobs>(url);

const redis = await startRedis();
afterAll(() => redis?.[Symbol.asyncDispose]());
const all = redis === null ? engines : [...engines, clusterOn(redis.url)];

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const errorOf = (task: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(task).then(
    () => expect.unreachable("it resolved"),
    (reason: unknown) => reason,
  );

/** The same source, but for what it gives. */
function withNext(
  source: AsyncIterable<unknown>,
  next: () => Promise<IteratorResult<{ order: number }>>,
): AsyncIterable<{ order: number }> {
  return {
    [Symbol.asyncIterator]: () => ({ ...(source[Symbol.asyncIterator]() as AsyncIterator<never>), next }),
  };
}

describe.each(all)("$name", ({ capabilities, start }) => {
  const { engine, end, withdrawn } = start();
  const gates = new Gates(capabilities.sharedMemory);
  afterAll(async () => {
    await end();
    gates.remove();
  });

  /** Keeps the engine's one thread until the returned function is called. */
  async function occupy(): Promise<() => Promise<void>> {
    const gate = gates.make();
    const task = engine.run(jobs.hold, [gate]);
    await opened(gate, 1);
    return async () => {
      store(gate, 0, 1);
      await task;
    };
  }

  function crashes(count: number): Gate {
    const gate = gates.make();
    store(gate, 0, count);
    return gate;
  }

  describe("results", () => {
    it("of a job of a module, of a handle of its own, of an inline function", async () => {
      expect(await engine.run(jobs.add, [1, 2])).toBe(3);
      expect(await engine.module<typeof Jobs>(url).add(3, 4)).toBe(7);
      expect(await engine.run(jobs.echoLater, ["later"])).toBe("later");
      if (!capabilities.inlineFunctions) return;
      expect(await engine.run((a: number, b: number) => a * b, [3, 4])).toBe(12);
      const later = await engine.run(async () => (await import("node:path")).basename("/a/b"), []);
      expect(later).toBe("b");
    });

    it("come after the call has returned, in the order of the calls", async () => {
      const log = gates.make(8);
      const tasks = [1, 2, 3].map((mark) => engine.run(jobs.append, [log, mark]));
      expect(tasks.map((task) => task.isCompleted)).toEqual([false, false, false]);
      await Promise.all(tasks);
      expect(words(log, 8)).toEqual([3, 1, 2, 3, 0, 0, 0, 0]);
    });

    it("share nothing with the caller, and arguments are those of the moment of the call", async () => {
      const list = [1, 2, 3];
      const task = engine.run(jobs.change, [list]);
      list.push(9, 9, 9);
      expect(await task).toBe(4);
      expect(list).toEqual([1, 2, 3, 9, 9, 9]);
      const sent = { a: 1 };
      expect(await engine.run(jobs.echo, [sent])).not.toBe(sent);
    });

    it("may come from a Piscina that the job makes", async () => {
      expect(await engine.run(jobs.addOne, [1])).toBe(2);
    });

    it("run on a thread of their own, or on the caller's", async () => {
      const here = `${process.pid}/${threadId}`;
      expect((await engine.run(jobs.place)) === here).toBe(!capabilities.parallel);
    });
  });

  describe("values", () => {
    it.each(payloads)("%s", async (_, make) => {
      const value = make();
      expect(valueProblem(await engine.run(jobs.echo, [value]), value)).toBeNull();
      expect(valueProblem(await engine.run(jobs.echoLater, [value]), value)).toBeNull();
    });

    it.runIf(capabilities.sharedMemory)(
      "shared memory is shared, and stays the same object within a message",
      async () => {
        const words = new Int32Array(new SharedArrayBuffer(8));
        const echoed = await engine.run(jobs.echo, [[words, words.buffer]]);
        const [first, second] = echoed as [Int32Array, SharedArrayBuffer];
        Atomics.store(words, 1, 42);
        expect(Atomics.load(first, 1)).toBe(42);
        expect(first.buffer).toBe(second);
      },
    );

    it.runIf(capabilities.sharedMemory)("what only a message can carry is carried", async () => {
      const blob = await engine.run(jobs.echo, [new Blob(["carried"])]);
      expect(await (blob as Blob).text()).toBe("carried");
    });

    it.runIf(!capabilities.sharedMemory)("what only memory can carry is refused by its path", async () => {
      for (const value of [new SharedArrayBuffer(8), new Blob(["carried"])])
        expect(await errorOf(engine.run(jobs.echo, [{ a: [value] }]))).toMatchObject({
          constructor: NotCloneableError,
          path: "args[0].a[0]",
        });
    });

    it("what cannot be copied is refused by its path", async () => {
      expect(await errorOf(engine.run(jobs.echo, [{ a: [() => 1] }]))).toMatchObject({
        constructor: NotCloneableError,
        path: "args[0].a[0]",
      });
      expect(await errorOf(engine.run(jobs.returnFunction))).toMatchObject({
        constructor: NotCloneableError,
        path: "result.part[0]",
      });
    });

    it.runIf(capabilities.transfer).each([100, 100_000])(
      "`transfer` and `move` leave nothing behind, of %i bytes",
      async (length) => {
        const bytes = new Uint8Array(length).fill(5);
        const task = engine.run(jobs.moveBack, [bytes], { transfer: [bytes.buffer] });
        expect(bytes.buffer.detached).toBe(true);
        expect(await task).toEqual(new Uint8Array(length).fill(5));
      },
    );
  });

  describe("errors", () => {
    it.each(["fail", "failLater"] as const)("of `%s` arrive as themselves", async (name) => {
      async function theCaller(): Promise<unknown> {
        return await errorOf(engine.run(jobs[name], [17]));
      }
      const failure = (await theCaller()) as OrderError & { code: string; details: unknown };
      expect(failure).toBeInstanceOf(OrderError);
      expect(failure).toMatchObject({
        message: "no order 17",
        order: 17,
        code: "E_ORDER",
        details: { tries: [1, 2] },
      });
      expect(failure.cause).toBeInstanceOf(TypeError);
      expect(failure.cause).toMatchObject({ message: "the cause" });
      expect(failure.stack).toMatch(/engines\.jobs\.ts[^]*theCaller/);
    });

    it("an error arrives, whatever of it cannot", async () => {
      const error = await errorOf(engine.run(jobs.failWithBlob, [17]));
      expect(error).toBeInstanceOf(OrderError);
      expect(error).toMatchObject({ order: 17, code: "EORDER" });
    });

    it("any value can be thrown; nothing thrown says so", async () => {
      expect(await errorOf(engine.run(jobs.throwIt, ["text"]))).toBe("text");
      expect(await errorOf(engine.run(jobs.throwIt, [{ a: 1 }]))).toEqual({ a: 1 });
      expect(await errorOf(engine.run(jobs.throwIt, [null]))).toMatchObject({
        code: "ERR_SKEIN_NOTHING_THROWN",
      });
    });

    it.runIf(capabilities.inlineFunctions)(
      "an inline function captures nothing: the error names the variable",
      async () => {
        const captured = 1;
        expect(await errorOf(engine.run(() => captured))).toMatchObject({
          code: "ERR_SKEIN_FREE_VARIABLE",
          variable: "captured",
        });
      },
    );

    it("an unknown function is named, with what there is", async () => {
      const unknown = jobs as unknown as Record<string, typeof jobs.thread>;
      const failure = await errorOf(engine.run(unknown["ad"]!));
      expect(failure).toBeInstanceOf(JobNotFoundError);
      expect(failure).toMatchObject({ exportName: "ad", message: expect.stringContaining('"add"') });
      expect(await errorOf(engine.run(unknown["notAFunction"]!))).toBeInstanceOf(JobNotFoundError);
    });

    it("a module that does not exist rejects its jobs, and no others", async () => {
      const missing = jobModule<typeof Jobs>(new URL("./missing.jobs.ts", import.meta.url));
      expect(await errorOf(engine.run(missing.thread))).toMatchObject({ code: "ERR_SKEIN_JOB_MODULE" });
      expect(await engine.run(jobs.add, [1, 1])).toBe(2);
    });
  });

  describe("cancelling", () => {
    it("a job that waits: it rejects at once with the reason, and never runs", async () => {
      const release = await occupy();
      const log = gates.make(4);
      const controller = new AbortController();
      const task = engine.run(jobs.append, [log, 1], { signal: controller.signal });
      const reason = new Error("changed my mind");
      controller.abort(reason);
      expect(task.status).toBe("canceled");
      expect(await errorOf(task)).toBe(reason);
      await withdrawn?.();
      await release();
      await engine.run(jobs.add, [1, 1]);
      expect(load(log, 0)).toBe(0);
    });

    it("before the call: nothing is submitted", async () => {
      const log = gates.make(4);
      const failure = await errorOf(engine.run(jobs.append, [log, 1], { signal: AbortSignal.abort("why") }));
      expect(failure).toBeInstanceOf(JobCanceledError);
      expect(failure).toMatchObject({ reason: "why" });
      await engine.run(jobs.add, [1, 1]);
      expect(load(log, 0)).toBe(0);
    });

    it.each(["holdUntilStopped", "holdUntilSignalled"] as const)(
      "a job that runs, `%s`: it rejects at once, and the job is asked to stop",
      async (name) => {
        const gate = gates.make(3);
        const controller = new AbortController();
        const task = engine.run(jobs[name], [gate], { signal: controller.signal });
        await opened(gate, 1);
        controller.abort();
        expect(task.status).toBe("canceled");
        expect(await errorOf(task)).toBe(controller.signal.reason);
        await opened(gate, 2);
        expect(load(gate, 2)).toBe(1);
        expect(await engine.run(jobs.add, [1, 1])).toBe(2);
      },
    );

    it.runIf(capabilities.parallel)("a job that computes sees it", async () => {
      const gate = gates.make(3);
      const controller = new AbortController();
      const task = engine.run(jobs.spinUntilStopped, [gate], { signal: controller.signal });
      await opened(gate, 1);
      controller.abort();
      expect(task.status).toBe("canceled");
      await errorOf(task);
      await opened(gate, 2);
      expect(await engine.run(jobs.add, [1, 1])).toBe(2);
    });

    it.runIf(capabilities.terminate)("a job that does not stop ends with its thread", async () => {
      const gate = gates.make();
      const controller = new AbortController();
      const options: RunOptions = { signal: controller.signal, onCancel: "terminate", graceMs: 0 };
      const task = engine.run(jobs.spin, [gate], options);
      await opened(gate, 1);
      controller.abort();
      await errorOf(task);
      expect(await engine.run(jobs.add, [1, 1])).toBe(2);
    });

    it("a job that has ended changes nothing", async () => {
      const controller = new AbortController();
      const task = engine.run(jobs.add, [1, 2], { signal: controller.signal });
      expect(await task).toBe(3);
      controller.abort();
      expect(await task).toBe(3);
    });
  });

  describe("timeouts", () => {
    it("of a job that runs: it is asked to stop", async () => {
      let timeoutMs = 25;
      let gate: Gate;
      let failure: unknown;
      // The job has to begin in that time, on whatever machine.
      do {
        gate = gates.make(3);
        failure = await errorOf(engine.run(jobs.holdUntilStopped, [gate], { timeoutMs: (timeoutMs *= 2) }));
      } while (load(gate, 1) === 0);
      expect(failure).toBeInstanceOf(JobTimeoutError);
      expect(failure).toMatchObject({
        timeoutMs,
        code: "ERR_SKEIN_JOB_TIMEOUT",
        job: expect.stringContaining("holdUntilStopped"),
      });
      await opened(gate, 2);
    });

    it("of a job that waits: it never runs", async () => {
      const release = await occupy();
      const log = gates.make(4);
      const task = engine.run(jobs.append, [log, 1], { timeoutMs: 20 });
      expect(await errorOf(task)).toBeInstanceOf(JobTimeoutError);
      await withdrawn?.();
      await release();
      await engine.run(jobs.add, [1, 1]);
      expect(load(log, 0)).toBe(0);
    });

    it("of the run alone: it begins when the job does", async () => {
      const release = await occupy();
      const gate = gates.make(3);
      const waited = engine.run(jobs.holdUntilStopped, [gate], { runTimeoutMs: 30 });
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect([load(gate, 1), waited.isCompleted]).toEqual([0, false]);
      await release();
      expect(await errorOf(waited)).toMatchObject({
        constructor: JobTimeoutError,
        limit: "runTimeoutMs",
        timeoutMs: 30,
      });
      await opened(gate, 2);
    });

    it("that is not needed does nothing", async () => {
      const options = { timeoutMs: 600_000, runTimeoutMs: 600_000 };
      expect(await engine.run(jobs.add, [1, 1], options)).toBe(2);
    });
  });

  describe("progress", () => {
    it.each(["report", "reportLater"] as const)(
      "of `%s` arrives in order, before the task settles",
      async (name) => {
        const seen: unknown[] = [];
        const task = engine.run(jobs[name], [5], { onProgress: (value) => seen.push(value) });
        const settled = task.then((result) => seen.push(result));
        await settled;
        const values = name === "report" ? [0, 1, 2, 3, 4].map((i) => ({ i })) : [0, 1, 2, 3, 4];
        expect(seen).toEqual([...values, "reported"]);
      },
    );

    it("is heard in the context of the call", async () => {
      const seen: unknown[] = [];
      await tenant.run("listener", () =>
        engine.run(jobs.report, [1], { onProgress: () => seen.push(tenant.value) }),
      );
      expect(seen).toEqual(["listener"]);
    });

    it("costs nobody anything who does not listen", async () => {
      expect(await engine.run(jobs.report, [3])).toBe("reported");
    });
  });

  describe("context", () => {
    it("what flows is there, also after an await; what does not is not", async () => {
      const other = new AsyncLocalStorage<string>();
      const seen = await other.run("theirs", () =>
        tenant.run("acme", () => Promise.all([engine.run(jobs.ambient), engine.run(jobs.ambientLater)])),
      );
      expect(seen).toEqual([
        { tenant: "acme", here: undefined },
        { tenant: "acme", here: undefined },
      ]);
    });

    it("is that of the moment of the call, and nothing of it stays", async () => {
      await tenant.run("before", async () => {
        const task = engine.run(jobs.changeAmbient, ["changed"]);
        tenant.value = "after";
        expect(await task).toBe("before");
        expect(tenant.value).toBe("after");
      });
      expect(await engine.run(jobs.ambient)).toEqual({ tenant: undefined, here: undefined });
    });

    it("stays behind with `flowContext: false`", async () => {
      const seen = await tenant.run("acme", () => engine.run(jobs.ambient, [], { flowContext: false }));
      expect(seen.tenant).toBeUndefined();
    });
  });

  describe("continuations", () => {
    it.each(["inline", "asynchronous", "yield"] as const)(
      "'%s' run in the caller's context",
      async (policy) => {
        const seen = await tenant.run("acme", () =>
          engine.run(jobs.add, [1, 2], { continuations: policy }).then((sum) => [sum, tenant.value]),
        );
        expect(seen).toEqual([3, "acme"]);
      },
    );

    it("of a scheduler wait for it", async () => {
      const scheduler = new ManualScheduler();
      const seen: number[] = [];
      const task = engine.run(jobs.add, [1, 2], { continuations: scheduler });
      task.then((sum) => seen.push(sum)).catch(() => {});
      while (scheduler.pending === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(seen).toEqual([]);
      scheduler.runAll();
      expect(seen).toEqual([3]);
    });
  });

  describe("map", () => {
    it("gives the results in the order of the items, each once", async () => {
      const items = Array.from({ length: 50 }, (_, i) => i);
      expect(await collect(engine.map(jobs.echo, items))).toEqual(items);
      expect(await collect(engine.map(jobs.echoLater, items, { chunkSize: 8 }))).toEqual(items);
      const unordered = await collect(engine.map(jobs.echoLater, items, { ordered: false }));
      expect((unordered as number[]).toSorted((a, b) => a - b)).toEqual(items);
    });

    it("reads no further ahead than its concurrency", async () => {
      let read = 0;
      function* numbers(): Generator<number> {
        for (;;) yield read++;
      }
      const results = engine.map(jobs.echo, numbers(), { concurrency: 3 });
      for (let i = 0; i < 10; i++) {
        expect((await results.next()).value).toBe(i);
        expect(read).toBeLessThanOrEqual(i + 1 + 3);
      }
      await results.return?.();
    });

    it("ends early when the loop does: the source is closed, what is under way is asked to stop", async () => {
      let closed = false;
      const gate = gates.make(3);
      function* sameGate(): Generator<Gate> {
        try {
          for (;;) yield gate;
        } finally {
          closed = true;
        }
      }
      const results = engine.map(jobs.holdUntilStopped, sameGate(), { concurrency: 2 });
      const next = results.next();
      await opened(gate, 1);
      await results.return?.();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(closed).toBe(true);
      await opened(gate, 2);
      expect(await engine.run(jobs.add, [1, 1])).toBe(2);
    });

    it("throws the first error", async () => {
      expect(await errorOf(collect(engine.map(jobs.fail, [3, 4])))).toMatchObject({ order: 3 });
      expect(await errorOf(collect(engine.map(jobs.fail, [3, 4], { chunkSize: 2 })))).toMatchObject({
        order: 3,
        code: "E_ORDER",
      });
    });
  });

  describe("arguments", () => {
    it.each<[option: string, options: object]>([
      ["timeoutMs", { timeoutMs: -1 }],
      ["timeout", { timeout: 5 }],
      ["priority", { priority: "urgent" }],
      ["signal", { signal: 5 }],
      ["onProgress", { onProgress: 5 }],
    ])("a bad `%s` throws at once, and is named", (option, options) => {
      expect(() => engine.run(jobs.add, [1, 2], options)).toThrow(new RegExp(option));
    });

    it("no function, no list, no iterable, no file", () => {
      expect(() => engine.run(5 as never, [])).toThrow(TypeError);
      expect(() => engine.run(jobs.add, 5 as never)).toThrow(/args/);
      expect(() => engine.map(jobs.echo, 5 as never)).toThrow(/items/);
      expect(() => engine.module("https://example.com/jobs.ts")).toThrow(TypeError);
      expect(() => engine.run(Math.max, [1])).toThrow(/native/);
      expect(() => engine.close({ drain: 1 as never })).toThrow(/drain/);
    });
  });

  describe.runIf(capabilities.streams)("streams", () => {
    it("give what a generator yields, in the context of the call, and what it returns", async () => {
      const stream = await engine.run(jobs.upTo, [40]);
      expect(await collect(stream)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      expect(await stream.completion).toBe("all");
      const seen = await tenant.run("acme", () => collect(engine.module<typeof Jobs>(url).tenants(3)));
      expect(seen).toEqual(["acme", "acme", "acme"]);
      expect(await collect(engine.map(jobs.upTo, [2, 1]))).toEqual([0, 1, 0]);
    });

    it("are suspended while nobody reads, and other jobs run", async () => {
      const marks = gates.make();
      for await (const i of engine.module<typeof Jobs>(url).upTo(1_000_000, marks)) {
        expect(await engine.run(jobs.add, [i, 1])).toBe(i + 1);
        if (i === 2) break;
      }
      expect(load(marks, 0)).toBeLessThan(100);
      expect(load(marks, 1)).toBe(1);
    });

    it("end with the error behind the items, at once when cancelled, and when nobody wants more", async () => {
      const failing = await engine.run(jobs.failLate, [7]);
      expect(await failing.next()).toEqual({ done: false, value: 7 });
      expect(await errorOf(failing.next())).toBeInstanceOf(OrderError);
      const marks = gates.make();
      const canceled = await engine.run(jobs.upTo, [1_000_000, marks]);
      await canceled.next();
      canceled.cancel("enough");
      expect(await errorOf(canceled.completion)).toMatchObject({ reason: "enough" });
      await opened(marks, 1);
      const left = await engine.run(jobs.upTo, [1_000_000]);
      await left.next();
      await left.return();
      expect(await left.next()).toEqual({ done: true, value: undefined });
    });
  });

  describe("arguments piece by piece", () => {
    /** Counts what is asked of it. */
    const makeSource = () => {
      const counts = { pulled: 0, returned: 0 };
      const iterator: AsyncIterator<number> = {
        next: async () => ({ done: false, value: counts.pulled++ }),
        return: async () => ({ done: true, value: void counts.returned++ }),
      };
      return { counts, [Symbol.asyncIterator]: () => iterator };
    };

    it.runIf(capabilities.streamArguments)(
      "are read as the job asks, in the context of the call",
      async () => {
        const seen = new Set<string | undefined>();
        const source = async function* () {
          for (let i = 0; i < 40; i++) {
            seen.add(tenant.value);
            yield { order: i };
          }
        };
        const orders = tenant.run("acme", () => engine.run(jobs.orders, [stream(source()), 100]));
        expect(await orders).toEqual(Array.from({ length: 40 }, (_, i) => i));
        expect([...seen]).toEqual(["acme"]);
        const buffers = [1, 2, 3].map((length) => new Uint8Array(length * 10_000));
        const moved = stream(buffers, { move: ({ buffer }) => [buffer] });
        expect(await engine.run(jobs.lengths, [{ parts: moved }])).toEqual([10_000, 20_000, 30_000]);
        expect(buffers.map(({ length }) => length)).toEqual([0, 0, 0]);
      },
    );

    it.runIf(capabilities.streamArguments)(
      "are released once: left, not read, cancelled, refused, or with an item that cannot be copied",
      async () => {
        const left = makeSource();
        const orders = withNext(left, async () => ({ done: false, value: { order: left.counts.pulled++ } }));
        expect(await engine.run(jobs.orders, [stream(orders), 3])).toEqual([0, 1, 2]);
        const ignored = makeSource();
        await engine.run(jobs.echoLater, [1, stream(ignored)] as never);
        const controller = new AbortController();
        const waiting = makeSource();
        const silent = withNext(waiting, () => new Promise(() => {}));
        const marks = gates.make();
        const task = engine.run(jobs.orders, [stream(silent), 3, marks], { signal: controller.signal });
        await opened(marks, 0);
        controller.abort("enough");
        expect(await errorOf(task)).toMatchObject({ reason: "enough" });
        await opened(marks, 1);
        const refused = makeSource();
        expect(await errorOf(engine.run(jobs.echo, [[stream(refused), () => 1]]))).toBeInstanceOf(
          NotCloneableError,
        );
        const uncloneable = makeSource();
        const bad = withNext(uncloneable, async () => ({
          done: false,
          value: { order: (() => 1) as never },
        }));
        expect(await errorOf(engine.run(jobs.orders, [stream(bad), 3]))).toMatchObject({
          code: "ERR_SKEIN_NOT_CLONEABLE",
          path: "args[0] → item 0.order",
        });
        const all = [left, ignored, waiting, refused, uncloneable];
        expect(all.map(({ counts }) => counts.returned)).toEqual([1, 1, 1, 1, 1]);
      },
    );

    it.runIf(capabilities.streamArguments)(
      "end with what the source throws, and belong to one job",
      async () => {
        const failing = async function* () {
          yield { order: 1 };
          throw new OrderError(7);
        };
        const error = await errorOf(engine.run(jobs.orders, [stream(failing()), 3]));
        expect(error).toBeInstanceOf(OrderError);
        expect(error).toMatchObject({ order: 7 });
        const source = stream([{ order: 1 }]);
        expect(await engine.run(jobs.orders, [source, 3])).toEqual([1]);
        expect(await errorOf(engine.run(jobs.orders, [source, 3]))).toMatchObject({
          code: "ERR_SKEIN_STREAM_TAKEN",
        });
      },
    );

    it.runIf(!capabilities.streamArguments)("are refused by name, and released", async () => {
      const source = makeSource();
      expect(await errorOf(engine.run(jobs.echo, [{ deep: stream(source) }]))).toMatchObject({
        code: "ERR_SKEIN_NOT_SUPPORTED",
        capability: "streamArguments",
      });
      const given = makeSource();
      const getter = {
        get deep() {
          return stream(given);
        },
      };
      const error = await errorOf(engine.run(jobs.echo, [getter as never]));
      expect(error).toMatchObject({ code: "ERR_SKEIN_NOT_CLONEABLE" });
      expect(String(error)).toContain("streamArguments");
      for (const { counts } of [source, given]) expect(counts).toEqual({ pulled: 0, returned: 1 });
    });
  });

  it.runIf(!capabilities.streams)("a generator is refused by name", async () => {
    expect(await errorOf(engine.run(jobs.upTo, [3]))).toMatchObject({
      code: "ERR_SKEIN_NOT_SUPPORTED",
      capability: "streams",
    });
  });

  describe("capabilities", () => {
    it("are those that it says", () => {
      expect(engine.capabilities).toEqual(capabilities);
      expect(Object.isFrozen(engine.capabilities)).toBe(true);
    });

    const needs: Partial<Record<keyof EngineCapabilities, () => PromiseLike<unknown>>> = {
      inlineFunctions: () => engine.run(() => 3),
      priorities: () => engine.run(jobs.add, [1, 2], { priority: "high" }),
      terminate: () => engine.run(jobs.add, [1, 2], { onCancel: "terminate" }),
      exclusive: () => engine.run(jobs.add, [1, 2], { exclusive: true }),
      retries: () => engine.run(jobs.add, [1, 2], { retries: 1 }),
      progress: () => engine.run(jobs.add, [1, 2], { onProgress: () => {} }),
      runTimeouts: () => engine.run(jobs.add, [1, 2], { runTimeoutMs: 600_000 }),
      transfer: () => engine.run(jobs.echo, [3], { transfer: [new ArrayBuffer(1)] }),
      placement: () => engine.run(jobs.add, [1, 2], { affinity: "key" }),
      broadcast: () => engine.broadcast(jobs.add, [1, 2]).then(([sum]) => sum),
      forkJoin: () => engine.run(jobs.forkAdd, [1, 2]),
    };
    it.each(Object.keys(needs) as (keyof EngineCapabilities)[])(
      "`%s`: done, or refused by name",
      async (name) => {
        const outcome = needs[name]!().then(null, (reason: unknown) => reason);
        const refusal = expect.objectContaining({
          constructor: NotSupportedError,
          capability: name,
          code: "ERR_SKEIN_NOT_SUPPORTED",
        });
        expect(await outcome).toEqual(capabilities[name] ? 3 : refusal);
      },
    );

    it.runIf(capabilities.priorities)(
      "jobs of high priority begin before those of low priority that have waited longer",
      async () => {
        const release = await occupy();
        const log = gates.make(7);
        const tasks = (["low", "low", "low", "high", "high", "high"] as const).map((priority, mark) =>
          engine.run(jobs.append, [log, mark], { priority }),
        );
        await release();
        await Promise.all(tasks);
        const order = words(log, 7).slice(1);
        const lastHigh = Math.max(...[3, 4, 5].map((mark) => order.indexOf(mark)));
        // Now and then one of low priority goes first, so that a flood of others does not keep it out (A3.7).
        expect(order.slice(0, lastHigh).filter((mark) => mark < 3).length).toBeLessThan(2);
      },
    );

    it.runIf(capabilities.placement)("a job runs on the thread that is named, or fails", async () => {
      const thread = await engine.run(jobs.thread, [], { affinity: "key" });
      expect(await engine.run(jobs.thread, [], { affinity: "key" })).toBe(thread);
      expect(await engine.run(jobs.thread, [], { thread })).toBe(thread);
      const failure = await errorOf(engine.run(jobs.thread, [], { thread: 987_654 }));
      expect(failure).toMatchObject({ constructor: ThreadGoneError, threadId: 987_654 });
    });

    it.runIf(!capabilities.placement)("`thread` is refused like `affinity`", async () => {
      expect(await errorOf(engine.run(jobs.thread, [], { thread: 1 }))).toMatchObject({
        constructor: NotSupportedError,
        capability: "placement",
      });
    });

    it.runIf(capabilities.parallel)(
      "a thread that dies rejects its job, unless that may run again",
      async () => {
        const failure = await errorOf(engine.run(jobs.crash, [crashes(9)]));
        expect(failure).toBeInstanceOf(ThreadCrashedError);
        expect(await engine.run(jobs.add, [1, 1])).toBe(2);
        if (!capabilities.retries) return;
        expect(await engine.run(jobs.crash, [crashes(1)], { retries: 1 })).toBe("survived");
      },
    );
  });
});

describe.each(all)("$name, closing", ({ capabilities, start }) => {
  const gates = new Gates(capabilities.sharedMemory);
  afterAll(() => gates.remove());

  async function begun(engine: JobEngine): Promise<{ gate: Gate; running: PromiseLike<string> }> {
    const gate = gates.make();
    const running = engine.run(jobs.hold, [gate]);
    await opened(gate, 1);
    return { gate, running };
  }

  it("waits for all jobs, and takes no more", async () => {
    const { engine, end } = start();
    const { gate, running } = await begun(engine);
    const waiting = engine.run(jobs.add, [1, 2]);
    let announced = 0;
    onClosing(engine, () => announced++);
    const closing = engine.close();
    expect(engine.close()).toBe(closing);
    expect(announced).toBe(1);
    expect(await errorOf(engine.run(jobs.add, [1, 1]))).toBeInstanceOf(PoolClosedError);
    expect(closing.isCompleted).toBe(false);
    store(gate, 0, 1);
    expect(await running).toBe("released");
    expect(await waiting).toBe(3);
    await closing;
    await end();
  });

  it("with `drain: false` rejects what waits, and asks what runs to stop", async () => {
    const { engine, end } = start();
    const gate = gates.make(3);
    const running = engine.run(jobs.holdUntilStopped, [gate]);
    await opened(gate, 1);
    const waiting = engine.run(jobs.add, [1, 2]);
    const closing = engine.close({ drain: false });
    expect(await errorOf(waiting)).toBeInstanceOf(PoolClosedError);
    expect(await errorOf(running)).toBeInstanceOf(JobCanceledError);
    expect(load(gate, 2)).toBe(1);
    await closing;
    await end();
  });

  it("at the deadline rejects what still runs", async () => {
    const { engine, end } = start();
    const { gate, running } = await begun(engine);
    const waiting = engine.run(jobs.add, [1, 2]);
    const failures = Promise.all([errorOf(running), errorOf(waiting)]);
    await engine.close({ timeoutMs: 20 });
    for (const failure of await failures) expect(failure).toBeInstanceOf(PoolClosedError);
    store(gate, 0, 1);
    await end();
  });

  it("is what `await using` does", async () => {
    const { engine, end } = start();
    const task = engine.run(jobs.add, [1, 2]);
    await engine[Symbol.asyncDispose]();
    expect(task.status).toBe("succeeded");
    await end();
  });
});
