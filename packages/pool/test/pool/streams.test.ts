import { AsyncLocal } from "@skein/context";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import {
  JobCanceledError,
  type JobStream,
  JobTimeoutError,
  PoolClosedError,
  ThreadCrashedError,
  ThreadPool,
} from "../../src/index.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import type * as Streams from "../fixtures/stream.jobs.ts";
import { makeGate, open, opened } from "../gate.ts";

const url = new URL("../fixtures/stream.jobs.ts", import.meta.url);
const tenant = new AsyncLocal<string>({ name: "test.stream.tenant", flow: "thread" });
const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Streams>(url);
const two = new ThreadPool({ minThreads: 2, maxThreads: 2 });
const jobsOfTwo = two.module<typeof Streams>(url);
afterAll(async () => {
  await Promise.all([pool.close(), two.close()]);
});

/** Keeps its thread until the gate opens; says when it has begun. */
const hold = (gate: Int32Array): void => {
  Atomics.store(gate, 1, 1);
  Atomics.wait(gate, 0, 0);
};

const upTo = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function collector(): Promise<() => void> {
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--expose-gc");
  return (await import("node:vm")).runInNewContext("gc") as () => void;
}

const errorOf = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => expect.unreachable("it resolved"),
    (error: unknown) => error,
  );

describe("results piece by piece", () => {
  it("of a generator, an async one, one that is promised, one that a plain function returns", async () => {
    expect(await collect(jobs.count(1000))).toEqual(upTo(1000));
    expect(await collect(jobs.countLater(1000))).toEqual(upTo(1000));
    expect(await collect(jobs.promised(40))).toEqual(upTo(40));
    expect(await collect(jobs.wrapped(40))).toEqual(upTo(40));
    expect(await collect(jobs.count(0))).toEqual([]);
  });

  it("with `run`, and of an inline function", async () => {
    expect(await collect(await pool.run(jobs.count, [3]))).toEqual([0, 1, 2]);
    const squares = pool.run(
      function* (to: number) {
        for (let i = 0; i < to; i++) yield i * i;
      },
      [4],
    );
    expect(await collect(await squares)).toEqual([0, 1, 4, 9]);
  });

  it("what the generator returns is its completion, and the value of the first end", async () => {
    const stream = await jobs.count(2);
    expect([await stream.next(), await stream.next(), await stream.next(), await stream.next()]).toEqual([
      { done: false, value: 0 },
      { done: false, value: 1 },
      { done: true, value: "done" },
      { done: true, value: undefined },
    ]);
    expect(await stream.completion).toBe("done");
    expect(await jobs.countLater(1).completion).toBe("done later");
  });

  it("several calls of `next` at once are answered in order", async () => {
    const stream = await jobs.countLater(3);
    const results = await Promise.all([1, 2, 3, 4].map(() => stream.next()));
    expect(results.map(({ value }) => value)).toEqual([0, 1, 2, "done later"]);
  });

  it("values of all kinds are copied, and large ones lie apart", async () => {
    const values = [
      undefined,
      null,
      "text",
      2 ** 60,
      Number.NaN,
      { a: [1n] },
      new Map([[1, new Set("ab")]]),
      new Date(7),
    ];
    expect(await collect(jobs.echoEach(values))).toEqual(values);
    for (const bytes of [0, 1, 64 << 10, 300 << 10]) {
      const chunks = await collect(jobs.chunks(20, bytes));
      expect(chunks.map((chunk) => [chunk.length, chunk[0], chunk.at(-1)])).toEqual(
        upTo(20).map((i) => [bytes, bytes > 0 ? i : undefined, bytes > 0 ? i : undefined]),
      );
    }
  });

  it("read by a job: what a generator returns may come after its items, by message", async () => {
    expect(await jobsOfTwo.readsWithBlobs(100)).toBe(true);
  });

  it("moved items are detached, shared ones stay shared", async () => {
    for (const bytes of [100, 4095, 4096, 8192, 16_384, 16_385, 200 << 10]) {
      const lengths = new Int32Array(new SharedArrayBuffer(12)).fill(-1);
      const chunks = await collect(jobs.movedChunks(3, bytes, lengths));
      expect(chunks).toEqual(upTo(3).map((i) => new Uint8Array(bytes).fill(i)));
      expect([...lengths]).toEqual([0, 0, 0]);
    }
    const shared = await collect(jobs.shared(30));
    expect(shared.map(([i]) => i)).toEqual(upTo(30));
    expect(shared.map(({ buffer }) => buffer[Symbol.toStringTag])).toEqual(
      upTo(30).map(() => "SharedArrayBuffer"),
    );
  });

  it("the reader may be slow, and the thread ends meanwhile: nothing of the pool is needed any more", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    const stream = await own.module<typeof Streams>(url).count(5);
    await own.close();
    expect(await collect(stream)).toEqual(upTo(5));
  });

  it("as a Web stream, of items or of bytes, and as a Node stream", async () => {
    expect(await collect(jobs.count(50).toReadable())).toEqual(upTo(50));
    const reader = (await jobs.chunks(3, 10)).toReadable({ type: "bytes" }).getReader({ mode: "byob" });
    const { value } = await reader.read(new Uint8Array(4));
    expect(value).toEqual(new Uint8Array(4).fill(0));
    await reader.cancel();
    expect(await collect(Readable.from(jobs.count(3)))).toEqual([0, 1, 2]);
    expect(() => jobs.count(1).toReadable({ type: "byte" as "bytes" })).toThrow(TypeError);
    const wrong = jobs.count(1).toReadable({ type: "bytes" }).getReader();
    expect(await errorOf(wrong.read())).toMatchObject({
      message: expect.stringContaining("typed array") as string,
    });
  });

  it("what a stream of bytes does not take ends the generator", async () => {
    const stream = await jobs.shared(1_000_000);
    const reader = stream.toReadable({ type: "bytes" }).getReader();
    expect(await errorOf(reader.read())).toBeInstanceOf(TypeError);
    expect(await stream.completion).toBe(undefined);
  });

  it("`map` gives the items: stream after stream, or as they come", async () => {
    const items = await collect(pool.map(jobs.count, [2, 0, 3]));
    expect(items).toEqual([0, 1, 0, 1, 2]);
    const unordered = await collect(two.map(jobsOfTwo.countLater, [20, 30], { ordered: false }));
    expect(unordered.toSorted((a, b) => a - b)).toEqual([...upTo(20), ...upTo(30)].toSorted((a, b) => a - b));
    for await (const item of pool.map(jobs.count, [1e9, 1e9])) if (item === 100) break;
    expect(await errorOf(collect(pool.map(jobs.count, [1, 2], { chunkSize: 2 })))).toMatchObject({
      code: "ERR_SKEIN_NOT_SUPPORTED",
    });
  });

  it("`broadcast` gives a stream of each thread", async () => {
    const streams = await two.broadcast(jobsOfTwo.count, [3]);
    for (const stream of streams) expect(await collect(stream)).toEqual([0, 1, 2]);
  });

  it("a result in one piece cannot be iterated", async () => {
    expect(await errorOf(collect(jobs.thread() as unknown as AsyncIterable<number>))).toBeInstanceOf(
      TypeError,
    );
  });

  it("a forked generator is refused, whoever runs it", async () => {
    expect(await errorOf(jobs.forked())).toMatchObject({
      code: "ERR_SKEIN_NOT_SUPPORTED",
      capability: "streams",
    });
    expect(await errorOf(jobsOfTwo.forked())).toMatchObject({ code: "ERR_SKEIN_NOT_SUPPORTED" });
  });
});

describe("backpressure", () => {
  it("the generator runs at most highWaterMark items ahead, and its thread takes other jobs meanwhile", async () => {
    for (const name of ["count", "countLater"] as const) {
      for (const highWaterMark of [1, 16, 100]) {
        const counter = makeGate();
        const stream = await pool.run(jobs[name], [1_000_000, counter], { highWaterMark });
        expect(await stream.next()).toEqual({ done: false, value: 0 });
        // The thread is free: whatever it could do for the stream it has done.
        expect(await jobs.thread()).toBeGreaterThan(0);
        expect(counter[0]).toBeLessThanOrEqual(highWaterMark + 2);
        await stream.return();
        expect(counter[1]).toBe(1);
      }
    }
  });

  it("not more than a megabyte ahead", async () => {
    const counter = makeGate();
    const stream = await pool.run(
      function* (gate: Int32Array) {
        for (;;) {
          gate[0]!++;
          yield new Uint8Array(100_000);
        }
      },
      [counter],
      { highWaterMark: 1000 },
    );
    await stream.next();
    await jobs.thread();
    expect(counter[0]).toBeGreaterThan(5);
    expect(counter[0]).toBeLessThan(15);
    await stream.return();
  });

  it("what is moved counts, too", async () => {
    const lengths = new Int32Array(new SharedArrayBuffer(400)).fill(-1);
    const stream = await pool.run(jobs.movedChunks, [100, 100_000, lengths], { highWaterMark: 1000 });
    await stream.next();
    await jobs.thread();
    const ahead = lengths.filter((length) => length === 0).length;
    expect(ahead).toBeGreaterThan(5);
    expect(ahead).toBeLessThan(15);
    await stream.return();
  });

  it("many streams on one thread, read in turn", async () => {
    const streams = await Promise.all(upTo(20).map(() => jobs.count(100)));
    for (let i = 0; i < 100; i++)
      for (const stream of streams) expect(await stream.next()).toEqual({ done: false, value: i });
    await Promise.all(streams.map((stream) => stream.completion));
  });

  it("a generator that is never suspended leaves the event loop of its thread its turns", async () => {
    const stream = await pool.run(jobs.untilTimer, [40_000], { highWaterMark: 50_000 });
    expect(await stream.completion).toBe(true);
  });

  it("nor does one that is alone on its thread, and goes on after its first turn", async () => {
    for (const way of [jobs.slowly, jobs.slowlyLater]) {
      // New: how often its thread looks at the clock depends on the jobs before.
      await using fresh = new ThreadPool({ maxThreads: 1 });
      expect(await collect(await fresh.run(way, [3], { onCancel: "terminate" }))).toEqual(upTo(3));
    }
  });

  it("a bad highWaterMark is refused", () => {
    expect(() => pool.module(url, { highWaterMark: 0 })).toThrow(RangeError);
    expect(() => pool.module(url, { highWaterMark: 1.5 })).toThrow(RangeError);
  });
});

describe("a thread that sleeps", () => {
  const parked = async (sleepy: ThreadPool): Promise<void> => {
    while (sleepy.stats().threads.parked === 0) await new Promise((resolve) => setImmediate(resolve));
  };

  it("hears that the reader of a suspended stream has left before it sleeps again", async () => {
    await using sleepy = new ThreadPool({ maxThreads: 1, spinLimitUs: 0 });
    const sleepyJobs = sleepy.module<typeof Streams>(url);
    for (let round = 0; round < 10; round++) {
      const counter = makeGate();
      const stream = await sleepyJobs.count(1_000_000, counter);
      // Woken when half of them are read, it has just fallen asleep.
      for (let i = 0; i < 40; i++) await stream.next();
      await parked(sleepy);
      const left = stream.return();
      await parked(sleepy);
      expect(counter[1]).toBe(1);
      await left;
    }
  });

  it("has a turn of its event loop before it sleeps again, though it was woken in vain", async () => {
    await using sleepy = new ThreadPool({ maxThreads: 1, spinLimitUs: 0 });
    const countTurns = (turns: Int32Array): void => {
      const count = (): void => {
        Atomics.add(turns, 0, 1);
        if (Atomics.load(turns, 1) === 0) setImmediate(count);
      };
      count();
    };
    const turns = makeGate();
    await sleepy.run(countTurns, [turns]);
    const seen: boolean[] = [];
    while (seen.length < 5) {
      await parked(sleepy);
      const { executed } = sleepy.stats().perThread[0]!;
      const before = turns[0]!;
      const controller = new AbortController();
      const call = sleepy.run((): void => {}, [], { signal: controller.signal });
      controller.abort();
      await Promise.allSettled([call]);
      await parked(sleepy);
      // Unless the thread was faster.
      if (sleepy.stats().perThread[0]!.executed === executed) seen.push(turns[0]! > before);
    }
    expect(seen).toEqual(seen.map(() => true));
    open(turns, 1);
  });
});

describe("an early end runs the generator's finally on its thread", () => {
  it.each(["count", "countLater"] as const)("break, %s", async (name) => {
    const counter = makeGate();
    for await (const i of jobs[name](1_000_000, counter)) if (i === 3) break;
    expect(counter[1]).toBe(1);
  });

  it("a throw in the loop, `throw`, `await using`", async () => {
    const counter = makeGate();
    const error = await errorOf(
      (async () => {
        for await (const i of jobs.count(1_000_000, counter)) if (i === 3) throw new RangeError("mine");
      })(),
    );
    expect(error).toMatchObject({ message: "mine" });
    expect(counter[1]).toBe(1);
    const thrown = makeGate();
    const stream = await jobs.count(1_000_000, thrown);
    await stream.next();
    expect(await errorOf(stream.throw(new RangeError("given")))).toMatchObject({ message: "given" });
    expect(thrown[1]).toBe(1);
    const used = makeGate();
    {
      await using rows = jobs.count(1_000_000, used);
      await rows.next();
    }
    expect(used[1]).toBe(1);
  });

  it("leaving resolves the completion; what was buffered is gone", async () => {
    const stream = await jobs.count(1_000_000);
    await stream.return();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(await stream.completion).toBe(undefined);
  });

  it("`next` after `return`, while items lie unread and the generator has not ended", async () => {
    const stream = await jobs.count(1_000_000);
    await jobs.thread();
    const returned = stream.return();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(await returned).toEqual({ done: true, value: undefined });
  });

  it("an async generator that waits hears of it by job.signal", async () => {
    const counter = makeGate();
    const stream = await jobs.untilStopped(counter);
    await stream.next();
    const next = stream.next();
    await stream.return();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(counter[1]).toBe(1);
  });

  it("the signal, cancel, timeoutMs: `next` and the completion reject at once", async () => {
    const controller = new AbortController();
    const counter = makeGate();
    const stream = await pool.run(jobs.count, [1_000_000, counter], { signal: controller.signal });
    await stream.next();
    controller.abort(new RangeError("enough"));
    expect(await errorOf(stream.next())).toMatchObject({ message: "enough" });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(await errorOf(stream.completion)).toMatchObject({ message: "enough" });
    await opened(counter, 1);

    const second = makeGate();
    const canceled = jobs.countLater(1_000_000, second);
    await canceled.next();
    canceled.cancel("why");
    expect(await errorOf(canceled.completion)).toBeInstanceOf(JobCanceledError);
    expect(await errorOf(canceled.next())).toMatchObject({ reason: "why" });
    await opened(second, 1);

    const third = makeGate();
    const late = await pool.run(jobs.count, [1_000_000, third], { timeoutMs: 20 });
    expect(await errorOf(late.completion)).toBeInstanceOf(JobTimeoutError);
    expect(await errorOf(late.next())).toBeInstanceOf(JobTimeoutError);
    await opened(third, 1);
  });

  it("a signal that fires while it is queued: it never runs", async () => {
    const controller = new AbortController();
    const counter = makeGate();
    const gate = makeGate();
    const before = pool.run(hold, [gate]);
    await opened(gate, 1);
    const task = pool.run(jobs.count, [3, counter], { signal: controller.signal });
    controller.abort();
    expect(await errorOf(task)).toMatchObject({ name: "AbortError" });
    open(gate);
    await before;
    await jobs.thread();
    expect(counter[0]).toBe(0);
  });

  it("an error comes after the items before it, an error of finally to who leaves", async () => {
    const seen: number[] = [];
    const error = await errorOf(
      (async () => {
        for await (const i of jobs.failAfter(5, "five")) seen.push(i);
      })(),
    );
    expect(seen).toEqual(upTo(5));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "five", code: "E_STREAM" });
    const stream = await jobs.failInFinally();
    await stream.next();
    expect(await errorOf(stream.return())).toMatchObject({ message: "in finally" });
  });

  it.each(["throw", "yield", "return", "later"] as const)(
    "an error that nobody has come to is none of who leaves: %s",
    async (how) => {
      const gate = makeGate();
      const stream = await (how === "later" ? jobs.failAheadLater(gate) : jobs.failAhead(gate, how));
      expect(await stream.next()).toEqual({ done: false, value: 1 });
      open(gate);
      // It has failed, and this thread has not heard of it.
      Atomics.wait(gate, 1, 0);
      expect(await stream.return()).toEqual({ done: true, value: undefined });
      await expect(stream.completion).rejects.toThrow(how === "throw" || how === "later" ? "ahead" : "fn");
    },
  );

  it("a generator that yields for ever in its finally does not keep its thread", async () => {
    for (const endless of [jobs.endless, jobs.endlessAsync]) {
      const stream = await endless();
      expect(await stream.next()).toEqual({ done: false, value: 1 });
      expect(await stream.return()).toEqual({ done: true, value: undefined });
      await jobs.thread();
    }
  });

  it("an item that cannot be cloned ends it, after finally", async () => {
    const counter = makeGate();
    const stream = await jobs.uncloneable(counter);
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    expect(await errorOf(stream.next())).toMatchObject({ code: "ERR_SKEIN_NOT_CLONEABLE", path: "item.fn" });
    expect(counter[1]).toBe(1);
  });

  it("terminate: a stream alone on its thread, suspended and over", async () => {
    const options = { onCancel: "terminate", graceMs: 0 } as const;
    const stream = await pool.run(jobs.count, [100], options);
    expect(await collect(stream)).toEqual(upTo(100));
    const left = await pool.run(jobs.count, [1_000_000], options);
    await left.next();
    left.cancel();
    expect(await errorOf(left.completion)).toBeInstanceOf(JobCanceledError);
    expect(await jobs.thread()).toBeGreaterThan(0);
  });

  it("a call of `next` that waits is answered, whoever else has let go of the stream", async () => {
    const gate = makeGate();
    const waiting = (async () => {
      const { value } = await (await pool.run(jobs.afterGate, [gate])).next();
      return value;
    })();
    await opened(gate, 1);
    const gc = await collector();
    for (let i = 0; i < 3; i++) {
      gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
    open(gate);
    expect(await waiting).toBe("item");
  });

  it("a stream that is dropped, read or not, is ended when it is collected", async () => {
    const counters = [makeGate(), makeGate()] as const;
    await (async () => {
      await jobs.count(1_000_000, counters[0]);
      await (await jobs.countLater(1_000_000, counters[1])).next();
    })();
    const gc = await collector();
    const haveEnded = eventually("both generators have ended", () => {
      gc();
      return counters.every((counter) => counter[1] === 1);
    });
    expect(await haveEnded).toBe(true);
  });
});

describe("completion", () => {
  it("of a call that fails: nobody has to look at it", async () => {
    const rejections: unknown[] = [];
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    const take = (error: unknown): void => void rejections.push(error);
    process.on("unhandledRejection", take);
    try {
      const call = jobs.failAfter(1, "one");
      void call.completion;
      expect(await errorOf(collect(call))).toBeInstanceOf(RangeError);
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("unhandledRejection", take);
      for (const other of others) process.on("unhandledRejection", other);
    }
    expect(rejections).toEqual([]);
  });
});

describe("a thread that dies", () => {
  it("the items that have arrived come first, in order, then ThreadCrashedError; jobs behind it run", async () => {
    const seen: number[] = [];
    const stream = await jobs.exitAfter(10);
    const behind = jobs.thread();
    const error = await errorOf(
      (async () => {
        for await (const i of stream) seen.push(i);
      })(),
    );
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect(seen).toEqual(upTo(10));
    expect(await errorOf(stream.completion)).toBe(error);
    expect(await behind).toBeGreaterThan(0);
  });

  it("retries begin again only what nobody has seen", async () => {
    const stream = await pool.run(jobs.exitAfter, [3], { retries: 3 });
    expect(await errorOf(collect(stream))).toBeInstanceOf(ThreadCrashedError);
  });

  it.each(["exitFirst", "exitFirstLater"] as const)(
    "retries: with %s the stream goes on when the job has begun again, whoever waits for it",
    async (name) => {
      const tries = makeGate();
      const stream = await pool.run(jobs[name], [tries, 2], { retries: 2 });
      const first = stream.next();
      expect(await first).toEqual({ done: false, value: 0 });
      expect(await collect(stream)).toEqual([1, 2]);
      expect(await stream.completion).toBe("done");
      expect(tries[0]).toBe(3);
      expect(await collect(await pool.run(jobs[name], [makeGate(), 1], { retries: 1 }))).toEqual(upTo(3));
    },
  );

  it("retries: ThreadCrashedError when there are none left", async () => {
    const tries = makeGate();
    const stream = await pool.run(jobs.exitFirst, [tries, 9], { retries: 2 });
    expect(await errorOf(collect(stream))).toBeInstanceOf(ThreadCrashedError);
    expect(tries[0]).toBe(3);
  });

  it("retries: of a job that a job reads", async () => {
    expect(await jobsOfTwo.readAgain(makeGate())).toEqual(upTo(3));
  });

  it.each([
    ["return", (stream: JobStream<number>) => stream.return(), { done: true, value: undefined }],
    [
      "cancel",
      (stream: JobStream<number>) => {
        stream.cancel();
        return errorOf(stream.completion);
      },
      expect.any(JobCanceledError),
    ],
  ] as const)("retries: no item is made after `%s` meanwhile", async (_how, leave, outcome) => {
    const tries = makeGate();
    const exited = new Promise<void>((resolve) => {
      const onExit = (): void => {
        unsubscribe("skein:thread:exit", onExit);
        resolve();
      };
      subscribe("skein:thread:exit", onExit);
    });
    const stream = pool.run(jobs.exitFirst, [tries, 1], { retries: 1 });
    await exited;
    // The job is queued again, and its next thread has not started.
    expect(await leave(await stream)).toEqual(outcome);
    await jobs.count(0);
    expect(tries[0]).toBe(1);
  });

  it("while it reads: its streams are ended where they run", async () => {
    const counter = makeGate();
    expect(await errorOf(jobsOfTwo.readThenExit(counter))).toBeInstanceOf(ThreadCrashedError);
    await opened(counter, 1);
  });
});

describe("context", () => {
  it("each step runs in that of the call, and leaves nothing behind", async () => {
    await tenant.run("acme", async () => {
      expect(await collect(jobs.contexts(40))).toEqual(upTo(40).map(() => "acme"));
      expect(await collect(jobs.contextsLater(40))).toEqual(upTo(40).map(() => "acme"));
      const stream = await jobs.contexts(40);
      await tenant.run("other", async () => expect((await stream.next()).value).toBe("acme"));
      await stream.return();
    });
    expect(await collect(jobs.contexts(3))).toEqual([undefined, undefined, undefined]);
  });

  it("nor does what a step makes current", async () => {
    for (const name of ["currentLater", "currentPromised"] as const)
      for await (const item of jobs[name](3)) expect(item).toEqual({ isAnyCurrent: false });
  });

  it("the continuations policy holds for each item", async () => {
    const log: string[] = [];
    const stream = await pool.run(jobs.countLater, [3], { continuations: "inline" });
    for (let i = 0; i < 3; i++) {
      await stream.next().then(({ value }) => log.push(`item ${value}`));
    }
    expect(log).toEqual(["item 0", "item 1", "item 2"]);
    const yielding = await pool.run(jobs.count, [2], { continuations: "yield" });
    let turned = false;
    await yielding.next();
    setImmediate(() => (turned = true));
    await yielding.next();
    expect(turned).toBe(true);
  });
});

describe("streams of jobs of jobs", () => {
  it.each([
    ["on one thread", jobs],
    ["on two", jobsOfTwo],
  ])("%s", async (_, each) => {
    expect(await each.sumOf(1000)).toBe(499_500);
    expect(await collect(each.doubled(100))).toEqual(upTo(100).map((i) => 2 * i));
    expect(await each.movedTo(5)).toBe(10);
  });
});

describe("close", () => {
  it("drains: the stream is read to its end", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    const stream = await own.module<typeof Streams>(url).count(200);
    const closed = own.close();
    expect(await collect(stream)).toEqual(upTo(200));
    await closed;
  });

  it("drain: false ends the generator, and tells that it was not the end", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    const counter = makeGate();
    const stream = await own.module<typeof Streams>(url).count(1_000_000, counter);
    await stream.next();
    await own.close({ drain: false });
    expect(counter[1]).toBe(1);
    expect(await errorOf(collect(stream))).toBeInstanceOf(JobCanceledError);
  });

  it("at the deadline: PoolClosedError", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    const stream = await own.module<typeof Streams>(url).count(1_000_000);
    await stream.next();
    await own.close({ timeoutMs: 1 });
    expect(await errorOf(stream.next())).toBeInstanceOf(PoolClosedError);
  });
});

describe("statistics", () => {
  it("a stream is one job, from its call to its end", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    const stream = await own.module<typeof Streams>(url).count(100);
    expect(own.stats()).toMatchObject({ submitted: 1, completed: 0 });
    await collect(stream);
    expect(own.stats()).toMatchObject({ submitted: 1, completed: 1, failed: 0, canceled: 0 });
    await own.close();
  });
});
