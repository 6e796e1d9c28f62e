import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { contextFields } from "@skein/context/log";
import { ManualScheduler, SynchronizationContext, TaskScheduler } from "@skein/scheduling";
import { describe, expect, it } from "vitest";
import { jobModule } from "../../src/engine.ts";
import { JobCanceledError, PoolClosedError, stream, ThreadPool } from "../../src/index.ts";
import { InlineEngine } from "../../src/inline.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, open, opened, sampleJobs } from "../gate.ts";

const jobs = jobModule<typeof Sample>(sampleJobs);
const one = (log: Int32Array, mark: number): number => (log[Atomics.add(log, 0, 1) + 1] = mark);
const nothing = (): void => {};

/** What inline functions find, which capture nothing. */
interface Nested {
  readonly engine: InlineEngine;
  readonly down: (depth: number) => Promise<number>;
}

describe("with a ManualScheduler", () => {
  it("nothing begins by itself, and each step is one job, whole", async () => {
    const scheduler = new ManualScheduler();
    await using engine = new InlineEngine({ scheduler });
    const log = makeGate(8);
    const tasks = [1, 2, 3].map((mark) => engine.run(one, [log, mark]));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log[0]).toBe(0);
    for (const [i, task] of tasks.entries()) {
      expect(task.isCompleted).toBe(false);
      scheduler.runOne();
      expect([log[0], task.result]).toEqual([i + 1, i + 1]);
    }
    expect(scheduler.pending).toBe(0);
  });

  it("a job of high priority that comes last is the first", () => {
    const scheduler = new ManualScheduler();
    const engine = new InlineEngine({ scheduler });
    const log = makeGate(8);
    for (const [mark, priority] of (["low", "normal", "high"] as const).entries())
      void engine.run(one, [log, mark], { priority });
    scheduler.runAll();
    expect([...log.subarray(0, 4)]).toEqual([3, 2, 1, 0]);
  });

  it("a module is loaded first; then its job waits for its turn again", async () => {
    const scheduler = new ManualScheduler();
    await using engine = new InlineEngine({ scheduler });
    const task = engine.run(jobs.add, [1, 2]);
    scheduler.runAll();
    while (scheduler.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(task.isCompleted).toBe(false);
    expect(scheduler.runUntil(task)).toBe(3);
    expect(scheduler.runUntil(engine.run(jobs.add, [3, 4]))).toBe(7);
  });

  it("a job that is given up needs no step", async () => {
    const scheduler = new ManualScheduler();
    const engine = new InlineEngine({ scheduler });
    const controller = new AbortController();
    const log = makeGate(4);
    const task = engine.run(one, [log, 1], { signal: controller.signal });
    controller.abort();
    await expect(task).rejects.toBe(controller.signal.reason);
    await engine.close();
    scheduler.runAll();
    expect(log[0]).toBe(0);
  });

  it("gives the stream of a job that a scheduler begins at once, while it is submitted", async () => {
    class AtOnce extends TaskScheduler {
      override queueTask(item: Parameters<TaskScheduler["queueTask"]>[0]): void {
        this.tryExecuteTask(item);
      }
    }
    await using engine = new InlineEngine({ scheduler: new AtOnce() });
    const items = await engine.run(async function* () {
      yield 1;
      yield 2;
    });
    expect(await items.next()).toEqual({ done: false, value: 1 });
    expect(await items.next()).toEqual({ done: false, value: 2 });
    expect(await items.next()).toMatchObject({ done: true });
    expect(await engine.run(() => 3)).toBe(3);
  });

  it("fails a job that the scheduler does not take, and goes on", async () => {
    class Full extends TaskScheduler {
      isFull = true;
      queueTask(item: Parameters<TaskScheduler["queueTask"]>[0]): void {
        if (this.isFull) throw new Error("full");
        TaskScheduler.default.queueTask(item);
      }
    }
    const scheduler = new Full();
    await using engine = new InlineEngine({ scheduler });
    await expect(engine.run(() => 1)).rejects.toMatchObject({
      cause: expect.objectContaining({ message: "full" }),
    });
    scheduler.isFull = false;
    await expect(engine.run(() => 1)).resolves.toBe(1);
  });
});

describe("InlineEngine", () => {
  it("runs as many jobs at once as `jobsPerThread` says", async () => {
    await using engine = new InlineEngine({ jobsPerThread: 2 });
    const gates = [1, 2, 3].map(() => makeGate());
    const hold = async (gate: Int32Array): Promise<void> => {
      Atomics.store(gate, 1, 1);
      while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    };
    const tasks = gates.map((gate) => engine.run(hold, [gate]));
    await Promise.all(gates.slice(0, 2).map((gate) => opened(gate, 1)));
    expect(gates[2]![1]).toBe(0);
    open(gates[0]!);
    await opened(gates[2]!, 1);
    for (const gate of gates) open(gate);
    await Promise.all(tasks);
  });

  it("a job may wait for jobs that it submits, at any depth", async () => {
    await using engine = new InlineEngine();
    const down = async (depth: number): Promise<number> => {
      const { nested } = globalThis as unknown as { nested: Nested };
      return depth === 0 ? 0 : (await nested.engine.run(nested.down, [depth - 1])) + 1;
    };
    const holder = globalThis as { nested?: Nested };
    holder.nested = { engine, down };
    expect(await engine.run(down, [5])).toBe(5);
    delete holder.nested;
  });

  it("a job sees nothing that is current where it runs, and leaves nothing", async () => {
    await using engine = new InlineEngine();
    const storage = new AsyncLocalStorage<string>();
    const context = new SynchronizationContext();
    const task = storage.run("theirs", () =>
      SynchronizationContext.run(context, () => engine.run(() => typeof process)),
    );
    expect(await task).toBe("object");
    expect(SynchronizationContext.current).toBeNull();
    expect(ThreadPool.current).toBeNull();
  });

  it("tells the channels of each job, once", async () => {
    const names = ["submit", "start", "end", "error", "cancel"].map((name) => `skein:job:${name}`);
    const heard: string[] = [];
    const listeners = names.map((name) => (): void => void heard.push(name.slice(10)));
    for (const [i, name] of names.entries()) subscribe(name, listeners[i]!);
    const engine = new InlineEngine();
    await engine.run(() => 1);
    await engine
      .run(() => {
        throw new Error("no");
      })
      .catch(nothing);
    await engine.close();
    for (const [i, name] of names.entries()) unsubscribe(name, listeners[i]!);
    expect(heard).toEqual(["submit", "start", "end", "submit", "start", "error"]);
  });

  it("log lines of a job have its id, and those outside have none", async () => {
    await using engine = new InlineEngine();
    const ask = async (log: string): Promise<unknown> =>
      ((await import(log)) as { contextFields: () => unknown }).contextFields();
    const fields = await engine.run(ask, [import.meta.resolve("@skein/context/log")]);
    expect(fields).toEqual({ threadId: 0, jobId: expect.stringMatching(/^0-\d+$/) });
    expect(contextFields()).toEqual({});
  });

  it("`broadcast` is one call", async () => {
    await using engine = new InlineEngine();
    expect(await engine.broadcast((n: number) => n + 1, [1])).toEqual([2]);
  });

  it("refuses bad options by name", () => {
    expect(() => new InlineEngine({ jobsPerThread: 0 })).toThrow(/jobsPerThread/);
    expect(() => new InlineEngine({ scheduler: {} as never })).toThrow(/scheduler/);
    expect(() => new InlineEngine({ threads: 1 } as never)).toThrow(/threads/);
  });
});

describe("streams", () => {
  it("a generator that comes to its end by itself while it is to stop has completed", async () => {
    const engine = new InlineEngine();
    const stream = await engine.run(async function* () {
      yield 1;
      await new Promise((resolve) => setImmediate(resolve));
      return "its own end";
    }, []);
    await stream.next();
    const next = stream.next();
    // It is at its second step.
    await Promise.resolve();
    const closed = engine.close({ drain: false });
    expect(await next).toEqual({ done: true, value: "its own end" });
    expect(await stream.completion).toBe("its own end");
    await closed;
  });

  it("one that is ended at its `yield` was cancelled", async () => {
    const engine = new InlineEngine();
    const stream = await engine.run(function* () {
      for (let i = 0; ; i++) yield i;
    }, []);
    await stream.next();
    await engine.close({ drain: false });
    await expect(stream.completion).rejects.toBeInstanceOf(JobCanceledError);
  });
});

describe("a job that reads a stream of its caller", () => {
  /** Has one item, and nothing more: `asked` resolves when the job waits for the second. */
  function makeSource() {
    const asked = Promise.withResolvers<void>();
    const counts = { pulled: 0, returned: 0 };
    const iterator: AsyncIterator<number> = {
      next() {
        if (counts.pulled++ === 0) return Promise.resolve({ done: false, value: 7 });
        asked.resolve();
        return new Promise(() => {});
      },
      return: async () => ({ done: true, value: void counts.returned++ }),
    };
    const items: AsyncIterable<number> = { [Symbol.asyncIterator]: () => iterator };
    return { asked: asked.promise, counts, items };
  }

  it("hears that the engine closes, where it waits for an item", async () => {
    const engine = new InlineEngine();
    const { asked, counts, items } = makeSource();
    const task = engine.run(
      async (given: AsyncIterable<number>) => {
        const seen: unknown[] = [];
        try {
          for await (const item of given) seen.push(item);
        } catch (error) {
          seen.push((error as Error).name);
        }
        return seen;
      },
      [stream(items)],
    );
    await asked;
    await engine.close({ drain: false });
    expect(await task).toEqual([7, "AbortError"]);
    expect(counts.returned).toBe(1);
  });

  it("hears there that its own reader has left, who waits for it", async () => {
    await using engine = new InlineEngine();
    const { asked, counts, items } = makeSource();
    const passing = await engine.run(
      async function* (given: AsyncIterable<number>) {
        for await (const item of given) yield item;
      },
      [stream(items)],
    );
    expect(await passing.next()).toEqual({ done: false, value: 7 });
    void passing.next();
    await asked;
    expect(await passing.return()).toEqual({ done: true, value: undefined });
    expect(counts.returned).toBe(1);
  });
});

describe("at the deadline of close", () => {
  it("a generator is ended at its `yield`", async () => {
    const engine = new InlineEngine();
    const gate = makeGate();
    const held = await engine.run(
      function* (word: Int32Array) {
        try {
          yield 1;
        } finally {
          word[0] = 1;
        }
      },
      [gate],
    );
    await held.next();
    await engine.close({ timeoutMs: 1 });
    await eventually("the generator has ended", () => gate[0] === 1);
    await expect(held.completion).rejects.toBeInstanceOf(PoolClosedError);
  });

  it("what was moved to a job that waits is given up", async () => {
    const engine = new InlineEngine();
    const running = engine.run(() => new Promise(() => {}));
    const { port1, port2 } = new MessageChannel();
    const closed = once(port1, "close");
    const waiting = engine.run((port: MessagePort) => port.close(), [port2], { transfer: [port2] });
    const failures = Promise.allSettled([running, waiting]);
    await engine.close({ timeoutMs: 1 });
    await closed;
    expect((await failures).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});

it("what was moved to a job whose module does not load is given up", async () => {
  await using engine = new InlineEngine();
  const { port1, port2 } = new MessageChannel();
  const closed = once(port1, "close");
  const { take } = jobModule<{ take(port: MessagePort): void }>(new URL("./nowhere.ts", import.meta.url));
  await expect(engine.run(take, [port2], { transfer: [port2] })).rejects.toMatchObject({
    code: "ERR_SKEIN_JOB_MODULE",
  });
  await closed;
});
