import { createReadStream } from "node:fs";
import { AsyncLocal } from "@skein/context";
import { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import {
  move,
  JobCanceledError,
  JobTimeoutError,
  PoolClosedError,
  stream,
  type StreamArgument,
  ThreadCrashedError,
  ThreadPool,
} from "../../src/index.ts";
import { InlineEngine } from "../../src/inline.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import type * as Jobs from "../fixtures/stream-arguments.jobs.ts";
import { makeGate, open, opened } from "../gate.ts";
import { brokenSources, looseSources } from "../loose-iterator.ts";

const url = new URL("../fixtures/stream-arguments.jobs.ts", import.meta.url);
const tenant = new AsyncLocal<string>({ name: "test.stream-arguments.tenant", flow: "thread" });
const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Jobs>(url);
const two = new ThreadPool({ minThreads: 2, maxThreads: 2 });
const jobsOfTwo = two.module<typeof Jobs>(url);
afterAll(async () => {
  await Promise.all([pool.close(), two.close()]);
});

const upTo = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const errorOf = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => expect.unreachable("it resolved"),
    (error: unknown) => error,
  );

/** Keeps its thread until the gate opens; says when it has begun. */
const hold = (gate: Int32Array): void => {
  Atomics.store(gate, 1, 1);
  Atomics.wait(gate, 0, 0);
};

/** Gives the numbers from 0 on, and counts what is asked of it. From `stallsAt` on it gives nothing. */
class Source implements AsyncIterable<number> {
  pulled = 0;
  returned = 0;
  readonly #stallsAt: number;

  constructor(stallsAt = Infinity) {
    this.#stallsAt = stallsAt;
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    return {
      next: async () => {
        const value = this.pulled++;
        if (value >= this.#stallsAt) await new Promise(() => {});
        return { done: false, value };
      },
      return: async () => {
        this.returned++;
        return { done: true, value: undefined };
      },
    };
  }
}

function* generate(to: number): Generator<number> {
  for (let i = 0; i < to; i++) yield i;
}

async function* generateLater(to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) {
    await new Promise(setImmediate);
    yield i;
  }
}

const webStream = (to: number): ReadableStream<number> => ReadableStream.from(generate(to));

describe("arguments piece by piece", () => {
  it("of an array, generators, promises, a ReadableStream, a Readable", async () => {
    const makers: (() => Parameters<typeof stream<number>>[0])[] = [
      () => upTo(100),
      () => generate(100),
      () => generateLater(100),
      () => webStream(100),
      () => Readable.from(generate(100)) as AsyncIterable<number>,
      () => new Set(upTo(100)),
    ];
    for (const make of makers) expect(await jobs.collect(stream(make()))).toEqual(upTo(100));
    const promises = upTo(9).map((i) => Promise.resolve(i));
    expect(await pool.run(jobs.collect, [stream(promises)])).toEqual(upTo(9));
    const thenables = upTo(9).map((i) => ({ then: (resolve: (value: number) => void) => resolve(i) }));
    expect(await pool.run(jobs.collect, [stream(thenables as never)])).toEqual(upTo(9));
    expect(await jobs.collect(stream([]))).toEqual([]);
  });

  it("whatever the global ReadableStream is now", async () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, "ReadableStream")!;
    const web = webStream(20);
    Reflect.deleteProperty(globalThis, "ReadableStream");
    try {
      expect(await jobs.collect(stream(web))).toEqual(upTo(20));
      expect(await jobs.collect(stream(upTo(3)))).toEqual(upTo(3));
      expect(() => stream({} as never)).toThrow(/Expected `source`/);
    } finally {
      Object.defineProperty(globalThis, "ReadableStream", own);
    }
  });

  it("of an inline function, of a generator, in `map`, in chunks too", async () => {
    const count = pool.run(
      async (items: AsyncIterable<number>) => {
        let seen = 0;
        for await (const _ of items) seen++;
        return seen;
      },
      [stream(upTo(30))],
    );
    expect(await count).toBe(30);
    const results = jobs.doubled(stream(generateLater(50)));
    expect(await collect(results)).toEqual(upTo(50).map((i) => 2 * i));
    const lists = [3, 0, 5];
    for (const chunkSize of [1, 2]) {
      const seen = pool.map(
        jobs.collect,
        lists.map((to) => stream(generate(to))),
        { chunkSize },
      );
      expect(await collect(seen)).toEqual(lists.map(upTo));
    }
  });

  it("of an iterator that ends where the language says that it ends", async () => {
    const inline = new InlineEngine();
    for (const source of looseSources([3, 2, 1])) {
      expect(await jobs.collect(stream(source))).toEqual([3, 2, 1]);
      expect(await inline.run(collect, [stream(source)])).toEqual([3, 2, 1]);
      expect(await collect(stream(source))).toEqual([3, 2, 1]);
    }
    await inline.close();
  });

  it("at any depth, several in one job, and one that comes twice in its arguments", async () => {
    const lists = new Map([
      ["a", [stream(upTo(5)), stream(generate(4))]],
      ["b", [stream(generateLater(3))]],
    ]);
    expect(await jobs.sumOf({ lists })).toBe(10 + 6 + 3);
    expect(await jobs.zip(stream(upTo(40)), stream(generateLater(50)))).toEqual([upTo(40), upTo(50)]);
    const twice: StreamArgument<number> = stream(upTo(10));
    const [left, right] = await jobs.zip(twice, twice);
    expect([...left, ...right].toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(10));
  });

  it("called directly, a job gets the same items", async () => {
    expect(await collect(stream(upTo(4)))).toEqual([0, 1, 2, 3]);
    const source = new Source();
    for await (const item of stream(source)) if (item === 2) break;
    expect(source.returned).toBe(1);
  });

  it("values of all kinds are copied, and large ones lie apart", async () => {
    const values = [
      undefined,
      null,
      "text",
      2 ** 60,
      { a: [1n] },
      new Map([[1, new Set("ab")]]),
      new Date(7),
    ];
    expect(await jobs.collect(stream(values))).toEqual(values);
    const large = upTo(12).map((i) => new Uint8Array(300 << 10).fill(i));
    expect(await jobs.lengths(stream(large))).toEqual(upTo(12).map((i) => [300 << 10, i]));
  });

  it("moved items are detached, shared ones stay shared", async () => {
    for (const bytes of [100, 4095, 4096, 8192, 16_384, 16_385, 200 << 10]) {
      const items = upTo(6).map((i) => new Uint8Array(bytes).fill(i));
      const seen = await jobs.collect(stream(items, { move: (item) => [item.buffer] }));
      expect(seen).toEqual(upTo(6).map((i) => new Uint8Array(bytes).fill(i)));
      expect(items.map((item) => item.byteLength)).toEqual([0, 0, 0, 0, 0, 0]);
    }
    const words = upTo(5).map(() => new Int32Array(new SharedArrayBuffer(4)));
    await jobs.touch(stream(words));
    expect(words.map(([word]) => word)).toEqual([1, 1, 1, 1, 1]);
  });

  it("of a job that submits a job, on one thread and on two", async () => {
    const expected = upTo(10).map((i) => [20_000, i]);
    expect(await jobs.passOn(10)).toEqual(expected);
    expect(await jobsOfTwo.passOn(10)).toEqual(expected);
    expect(await jobs.passThrough(stream(upTo(50)))).toEqual(upTo(50));
    expect(await jobsOfTwo.passThrough(stream(upTo(50)))).toEqual(upTo(50));
  });

  it("is read in the context of the call, and the job keeps its own", async () => {
    const seen: (string | undefined)[] = [];
    const source = async function* () {
      try {
        for (let i = 0; i < 3; i++) {
          seen.push(tenant.value);
          tenant.value = "changed";
          yield i;
        }
      } finally {
        seen.push(tenant.value);
      }
    };
    const task = tenant.run("acme", () => jobs.tenants(stream(source())));
    expect(await task).toEqual(["acme", "acme", "acme"]);
    expect(seen[0]).toBe("acme");
    const released: (string | undefined)[] = [];
    const never = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: note }),
    };
    async function note(): Promise<IteratorResult<number>> {
      released.push(tenant.value);
      return { done: true, value: undefined };
    }
    await tenant.run("acme", () => jobs.ignore(stream(never)));
    expect(released).toEqual(["acme"]);
    expect(tenant.value).toBeUndefined();
  });
});

describe("backpressure", () => {
  it.each([1, 16, 100])(
    "the source is read at most %i items ahead, and a job that reads no more stops it",
    async (highWaterMark) => {
      const source = new Source();
      const gate = makeGate();
      const task = jobs.leave(stream(source, { highWaterMark }), 3, gate);
      await opened(gate, 1);
      expect(source.pulled).toBeLessThanOrEqual(3 + highWaterMark);
      open(gate);
      expect(await task).toEqual([0, 1, 2]);
    },
  );

  it("not more than a megabyte ahead, moved or copied", async () => {
    for (const move of [undefined, (item: Uint8Array) => [item.buffer as ArrayBuffer]]) {
      let pulled = 0;
      const source = (function* () {
        for (; pulled < 50; pulled++) yield new Uint8Array(100_000);
      })();
      const gate = makeGate();
      const task = jobs.pause(stream(source, { highWaterMark: 1000, move }), gate);
      await opened(gate, 1);
      await eventually("it has read ahead", () => pulled > 5);
      expect(pulled).toBeLessThan(15);
      open(gate);
      expect(await task).toBe(50);
    }
  });

  it("nothing is read before the job asks", async () => {
    const source = new Source();
    const gate = makeGate();
    const before = pool.run(hold, [gate]);
    await opened(gate, 1);
    const task = jobs.failAfter(stream(source), 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.pulled).toBe(0);
    open(gate);
    await before;
    expect(await errorOf(task)).toMatchObject({ message: "after 2" });
    expect(source.returned).toBe(1);
  });

  it("a source that always has an item leaves its thread the event loop, one that has none that of the job", async () => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await jobs.failAfter(stream(generate(1e9), { highWaterMark: 1000 }), 30_000).then(undefined, () => {});
    isOver = true;
    expect(turns).toBeGreaterThan(1);
    const gate = makeGate();
    const released = Promise.withResolvers<void>();
    const source = async function* () {
      yield 1;
      await released.promise;
    };
    const task = jobs.timersWhile(stream(source()), gate);
    await opened(gate, 1);
    released.resolve();
    expect(await task).toBeGreaterThan(0);
  });
});

describe("its source is released, once", () => {
  it("when the job leaves the loop, while it goes on", async () => {
    const source = new Source(10);
    const gate = makeGate();
    const task = jobs.leave(stream(source), 2, gate);
    await eventually("it was released", () => source.returned === 1);
    open(gate);
    await task;
    expect(source.returned).toBe(1);
  });

  it("when the job returns, at once or later, or throws", async () => {
    const sources = [new Source(), new Source(), new Source()] as const;
    expect(await jobs.ignore(stream(sources[0]))).toBe("not read");
    expect(await jobs.ignoreAtOnce(stream(sources[1]))).toBe("not read");
    expect(await errorOf(jobs.failAfter(stream(sources[2]), 5))).toMatchObject({ message: "after 5" });
    expect(sources.map(({ returned }) => returned)).toEqual([1, 1, 1]);
    expect([sources[0].pulled, sources[1].pulled]).toEqual([0, 0]);
  });

  it("when the job is cancelled or times out while it waits: it hears JobCanceledError there, and its thread is free", async () => {
    const controller = new AbortController();
    const marks = makeGate();
    const source = new Source(3);
    const canceled = pool.run(jobs.fails, [stream(source), marks], { signal: controller.signal });
    await eventually("it waits", () => source.pulled === 4);
    controller.abort(new RangeError("enough"));
    expect(await errorOf(canceled)).toMatchObject({ message: "enough" });
    expect(source.returned).toBe(1);
    await opened(marks, 1);

    const late = new Source(3);
    const second = makeGate();
    const expired = pool.run(jobs.fails, [stream(late), second], { runTimeoutMs: 50 });
    expect(await errorOf(expired)).toBeInstanceOf(JobTimeoutError);
    expect(late.returned).toBe(1);
    await opened(second, 1);
    expect(await jobs.thread()).toBeGreaterThan(0);
  });

  it("when the job is given up in the queue, or refused at the door", async () => {
    const gate = makeGate();
    const before = pool.run(hold, [gate]);
    await opened(gate, 1);
    const controller = new AbortController();
    const queued = new Source();
    const task = pool.run(jobs.collect, [stream(queued)], { signal: controller.signal });
    controller.abort();
    expect(await errorOf(task)).toMatchObject({ name: "AbortError" });
    open(gate);
    await before;

    const aborted = new Source();
    const refused = pool.run(jobs.collect, [stream(aborted)], { signal: controller.signal });
    expect(await errorOf(refused)).toMatchObject({ name: "AbortError" });
    const beside = new Source();
    const uncloneable = pool.run(jobs.zip as (...args: unknown[]) => unknown, [stream(beside), () => 1]);
    expect(await errorOf(uncloneable)).toMatchObject({ path: "args[1]" });
    const retried = new Source();
    const again = pool.run(jobs.collect, [{ deep: stream(retried) } as never], { retries: 1 });
    expect(await errorOf(again)).toMatchObject({ code: "ERR_SKEIN_OUT_OF_RANGE" });
    const closed = new ThreadPool({ maxThreads: 1 });
    await closed.close();
    const after = new Source();
    expect(await errorOf(closed.run(jobs.collect, [stream(after)]))).toBeInstanceOf(PoolClosedError);
    const sources = [queued, aborted, beside, retried, after];
    expect(sources.map(({ pulled, returned }) => [pulled, returned])).toEqual(sources.map(() => [0, 1]));
  });

  it("when a list has an accessor or is a Proxy, that is read only while the arguments are encoded", async () => {
    const failing = (get: () => unknown): [never] => Object.defineProperty([] as never, 0, { get });
    const fail = (): never => {
      throw new RangeError("mine");
    };
    for (const args of [
      failing(fail),
      new Proxy([1], { get: (_, key) => (key === "length" ? 1 : fail()) }),
    ]) {
      for (const refused of [
        pool.run(jobs.collect, args as [never]),
        pool.broadcast(jobs.collect as (...args: unknown[]) => unknown, args),
        new InlineEngine().run(jobs.collect, args as [never]),
      ])
        expect(await errorOf(refused)).toMatchObject({ message: "mine" });
    }
    // One look for what is moved, one to encode it. Later ones would come when the job has its memory.
    let reads = 0;
    const buffer = new ArrayBuffer(8);
    const moved = move({ buffer }, [buffer]);
    const list = failing(() => (++reads > 2 ? fail() : moved));
    list[1 as 0] = stream([1, 2]) as never;
    expect(await pool.run(jobs.second, list as never)).toEqual([1, 2]);
    expect([reads, buffer.detached]).toEqual([2, true]);
  });

  it("when a getter has given it to a call that is refused: the queue is full, its pool closes, it is for every thread", async () => {
    const sources = [new Source(), new Source(), new Source()] as const;
    const behind = (source: Source, before = (): unknown => undefined): { lists: never } => ({
      get lists() {
        before();
        return stream(source) as never;
      },
    });
    await using full = new ThreadPool({ maxThreads: 1, maxQueue: 0 });
    const gate = makeGate();
    const running = full.run(hold, [gate]);
    await opened(gate, 1);
    expect(await errorOf(full.run(jobs.sumOf, [behind(sources[0])]))).toMatchObject({
      code: "ERR_SKEIN_QUEUE_FULL",
    });
    open(gate);
    await running;
    expect(await errorOf(pool.broadcast(jobs.sumOf, [behind(sources[1])]))).toMatchObject({
      code: "ERR_SKEIN_NOT_SUPPORTED",
      capability: "streamArguments",
    });
    const inline = new InlineEngine();
    const closed = inline.run(jobs.sumOf, [behind(sources[2], () => void inline.close())]);
    expect(await errorOf(closed)).toBeInstanceOf(PoolClosedError);
    expect(sources.map(({ pulled, returned }) => [pulled, returned])).toEqual(sources.map(() => [0, 1]));
  });

  it("when a getter has given it, and what comes behind it cannot be encoded", async () => {
    const sources = Array.from({ length: 4 }, () => new Source());
    const given = (source: Source | undefined, behind: unknown): never => {
      const args = [
        {
          get lists() {
            return stream(source!) as never;
          },
        },
        behind,
      ];
      return args as never;
    };
    const uncloneable = (): number => 1;
    const [first, outer, inner, inline] = sources;
    expect(await errorOf(pool.run(jobs.sumOf, given(first, uncloneable)))).toMatchObject({ path: "args[1]" });
    const others: Promise<unknown>[] = [];
    const throwing = {
      get deep(): unknown {
        // Another call, in the middle of this one's encoding.
        others.push(errorOf(pool.run(jobs.sumOf, given(inner, uncloneable))));
        throw new RangeError("mine");
      },
    };
    expect(await errorOf(pool.run(jobs.sumOf, given(outer, throwing)))).toMatchObject({ message: "mine" });
    expect(await Promise.all(others)).toMatchObject([{ path: "args[1]" }]);
    const engine = new InlineEngine();
    expect(await errorOf(engine.run(jobs.sumOf, given(inline, uncloneable)))).toMatchObject({
      path: "args[1]",
    });
    expect(sources.map(({ pulled, returned }) => [pulled, returned])).toEqual(sources.map(() => [0, 1]));
  });

  it("when the source itself cancels the job: a generator ends behind its step, and nothing is opened twice", async () => {
    const ends: string[] = [];
    const opening = new Source();
    const canceling = function* (controller: AbortController): Generator<number> {
      try {
        yield 1;
        controller.abort();
        yield 2;
        ends.push("read on");
      } finally {
        ends.push("ended");
      }
    };
    const run = (make: (controller: AbortController) => Iterable<number> | AsyncIterable<number>) => {
      const controller = new AbortController();
      const { signal } = controller;
      return errorOf(pool.run(jobs.fails, [stream(make(controller)), makeGate()], { signal }));
    };
    expect(await run(canceling)).toMatchObject({ name: "AbortError" });
    expect(ends).toEqual(["ended"]);
    let openings = 0;
    const cancelsAtOnce = (controller: AbortController): AsyncIterable<number> => ({
      [Symbol.asyncIterator]: () => {
        openings++;
        controller.abort();
        return opening[Symbol.asyncIterator]();
      },
    });
    expect(await run(cancelsAtOnce)).toMatchObject({ name: "AbortError" });
    expect([openings, opening.returned]).toEqual([1, 1]);
  });

  it("when an item is a promise that rejects, whatever its release does", async () => {
    let returned = 0;
    const items = (value: () => Promise<number>): Iterable<Promise<number>> => ({
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: value() }),
        return: () => {
          returned++;
          return Promise.reject(new Error("of the release")) as never;
        },
      }),
    });
    const rejected = items(() => Promise.reject(new RangeError("of the item")));
    expect(await jobs.caught(stream(rejected))).toMatchObject({ count: 0, message: "of the item" });
    expect(returned).toBe(1);
    const item = Promise.withResolvers<number>();
    const asked = Promise.withResolvers<void>();
    const controller = new AbortController();
    const waiting = stream(
      items(() => {
        asked.resolve();
        return item.promise;
      }),
    );
    const task = pool.run(jobs.fails, [waiting, makeGate()], { signal: controller.signal });
    await asked.promise;
    controller.abort();
    item.reject(new RangeError("too late"));
    expect(await errorOf(task)).toMatchObject({ name: "AbortError" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(returned).toBe(2);
  });

  it("when its thread dies, or is ended", async () => {
    const sources = [new Source(), new Source(), new Source()] as const;
    expect(await errorOf(jobs.exitAfter(stream(sources[0]), 3))).toBeInstanceOf(ThreadCrashedError);
    expect(await errorOf(jobs.readAndExit(stream(sources[1]), 20))).toBeInstanceOf(ThreadCrashedError);
    const controller = new AbortController();
    const gate = makeGate();
    const blocked = pool.run(jobs.blockAfter, [stream(sources[2]), gate], {
      signal: controller.signal,
      onCancel: "terminate",
      graceMs: 0,
    });
    await opened(gate, 1);
    controller.abort("enough");
    expect(await errorOf(blocked)).toBeInstanceOf(JobCanceledError);
    expect(sources.map(({ returned }) => returned)).toEqual([1, 1, 1]);
    expect(await jobs.collect(stream(upTo(40)))).toEqual(upTo(40));
  });

  it("when the pool closes, without waiting or at its deadline", async () => {
    for (const options of [{ drain: false }, { timeoutMs: 20 }]) {
      const own = new ThreadPool({ maxThreads: 1 });
      const source = new Source(2);
      const marks = makeGate();
      const task = own.run(own.module<typeof Jobs>(url).fails, [stream(source), marks]);
      await eventually("it waits", () => source.pulled === 3);
      const error = errorOf(task);
      await own.close(options);
      expect(await error).toBeInstanceOf(Error);
      expect(source.returned).toBe(1);
    }
  });

  it("when its reader, a job of a job, has lost who streams to it", async () => {
    const marks = makeGate();
    expect(await errorOf(jobsOfTwo.streamThenExit(marks))).toBeInstanceOf(ThreadCrashedError);
    await opened(marks, 1);
    expect(await jobsOfTwo.thread()).toBeGreaterThan(0);
  });

  it("a ReadableStream is cancelled, a Readable destroyed: never read, half read, or while it gives nothing", async () => {
    for (const count of [0, 2, 9]) {
      let canceled = 0;
      let next = 0;
      const web = new ReadableStream<number>(
        {
          pull: (controller) => (next < 5 ? controller.enqueue(next++) : new Promise(() => {})),
          cancel: () => void canceled++,
        },
        { highWaterMark: 0 },
      );
      const node = new Readable({ objectMode: true, highWaterMark: 1, read: () => {} });
      for (let i = 0; i < 5; i++) node.push(i);
      for (const source of [web, node as AsyncIterable<number>]) {
        const controller = new AbortController();
        const gate = makeGate();
        const task =
          count === 0
            ? jobs.ignore(stream(source))
            : pool.run(jobs.leave, [stream(source), count, gate], { signal: controller.signal });
        if (count === 2) open(gate);
        if (count === 9) {
          await eventually("all was read", () => (source === web ? next === 5 : node.readableLength === 0));
          controller.abort();
        }
        await task.then(undefined, () => {});
      }
      expect(await eventually("both are over", () => canceled === 1 && node.destroyed)).toBe(true);
    }
  });
});

describe("errors", () => {
  it("of a Readable that has failed before the job asks", async () => {
    const gate = makeGate();
    const before = pool.run(hold, [gate]);
    await opened(gate, 1);
    const file = createReadStream(new URL("./missing", import.meta.url));
    const task = jobs.caught(stream(file));
    await eventually("it has failed", () => file.errored !== null);
    open(gate);
    await before;
    expect(await task).toMatchObject({ count: 0, code: "ENOENT" });
  });

  it("of the source arrive in the job as they are, behind the items before them", async () => {
    const source = async function* () {
      yield 1;
      yield 2;
      throw Object.assign(new RangeError("torn", { cause: new Error("cable") }), { code: "E_TORN" });
    };
    const expected = {
      count: 2,
      name: "RangeError",
      message: "torn",
      code: "E_TORN",
      isRangeError: true,
      cause: "cable",
    };
    expect(await jobs.caught(stream(source()))).toMatchObject(expected);
    const node = Readable.from(source()) as AsyncIterable<number>;
    expect(await jobs.caught(stream(node))).toMatchObject({ message: "torn", code: "E_TORN" });
    const web = new ReadableStream<number>({
      start: (controller) => controller.error(new RangeError("web")),
    });
    expect(await jobs.caught(stream(web))).toMatchObject({ count: 0, message: "web" });
    const marks = makeGate();
    expect(await errorOf(jobs.fails(stream(source()), marks))).toBeInstanceOf(RangeError);
    for (const broken of brokenSources(1))
      expect(await jobs.caught(stream(broken))).toMatchObject({ count: 1, name: "TypeError" });
  });

  it("of what the source has thrown, which the thread has not enough of a stack to read, end the stream", async () => {
    await using small = new ThreadPool({ maxThreads: 1, resourceLimits: { stackSizeMb: 0.4 } });
    let deep: object = {};
    for (let i = 0; i < 1500; i++) deep = { deep };
    function* source(): Generator<number> {
      yield 1;
      throw deep;
    }
    const steps = await small.run(
      async (items: AsyncIterator<number>) => {
        const seen: unknown[] = [];
        for (let i = 0; i < 4; i++)
          seen.push(
            await items.next().then(
              ({ done }) => done,
              (error: { code: string }) => error.code,
            ),
          );
        return seen;
      },
      [stream(source()) as unknown as AsyncIterator<number>],
    );
    expect(steps).toEqual([false, "ERR_SKEIN_TOO_DEEP", true, true]);
  });

  it("of an item that cannot be copied or moved name argument and item", async () => {
    const source = new Source();
    const items = {
      [Symbol.asyncIterator]() {
        const iterator = source[Symbol.asyncIterator]();
        return {
          ...iterator,
          next: async () => ({ done: false, value: source.pulled++ < 2 ? 1 : { fn: () => 1 } }) as const,
        };
      },
    };
    expect(await jobs.caught(stream<unknown>(items))).toMatchObject({
      count: 2,
      name: "NotCloneableError",
      path: "args[0] → item 2.fn",
    });
    expect(source.returned).toBe(1);
    const wrongMove = stream([new Uint8Array(3)], { move: (item) => [item] as never });
    expect(await jobs.caught(wrongMove)).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("move(item 0 of args[0])") as string,
    });
    // Types for it belong to the DOM library.
    const { WebAssembly } = globalThis as unknown as {
      WebAssembly: { Memory: new (options: { initial: number }) => { readonly buffer: ArrayBuffer } };
    };
    const undetachable = new WebAssembly.Memory({ initial: 0 }).buffer;
    const refused = stream([new ArrayBuffer(8192), undetachable], { move: (item) => [item] });
    expect(await jobs.caught(refused)).toMatchObject({
      count: 1,
      name: "NotCloneableError",
      path: "args[0] → item 1",
    });
  });

  it("a stream of two jobs, or of every thread, or of a fork", async () => {
    const taken = /args\[0\] is a stream that another job has/;
    const source = new Source();
    const argument = stream(source);
    const gate = makeGate();
    const first = jobs.leave(argument, 1, gate);
    expect(await errorOf(jobs.ignore(argument))).toMatchObject({
      code: "ERR_SKEIN_STREAM_TAKEN",
      message: taken,
    });
    expect(source.returned).toBe(0);
    open(gate);
    expect(await first).toEqual([0]);
    for (const chunkSize of [1, 2]) {
      const shared = stream(upTo(3));
      const mapped = collect(pool.map(jobs.collect, [shared, shared], { chunkSize }));
      expect(await errorOf(mapped)).toMatchObject({ code: "ERR_SKEIN_STREAM_TAKEN" });
    }
    expect(() => pool.broadcast(jobs.collect, [stream(upTo(3))])).toThrow(TypeError);
    expect(await errorOf(jobs.forked())).toMatchObject({
      code: "ERR_SKEIN_NOT_SUPPORTED",
      capability: "streamArguments",
    });
  });

  it("what is marked, or read, is no result, no item, and no argument of another job", async () => {
    expect(await errorOf(jobs.give(stream(upTo(3))))).toMatchObject({ path: "result.items" });
    expect(await jobs.caught(stream([stream(upTo(3))]))).toMatchObject({ path: "args[0] → item 0" });
  });

  it("a Readable that is marked often has one listener more", () => {
    const source = Readable.from([1]);
    const before = source.listenerCount("error");
    for (let i = 0; i < 20; i++) stream(source);
    expect(source.listenerCount("error")).toBe(before + 1);
  });

  it("a bad source or option is refused when it is marked", () => {
    for (const source of [null, 3, "text", {}, () => []])
      expect(() => stream(source as never)).toThrow(/Expected `source` to be an iterable/);
    const locked = webStream(3);
    locked.getReader();
    expect(() => stream(locked)).toThrow(/not locked/);
    expect(() => stream([], { highWaterMark: 0 })).toThrow(RangeError);
    expect(() => stream([], { move: [] as never })).toThrow(/Expected `move`/);
    expect(() => stream([], { transfer: [] } as never)).toThrow(TypeError);
  });

  it("a ReadableStream that is locked afterwards: the job is told", async () => {
    const web = webStream(3);
    const argument = stream(web);
    web.getReader();
    expect(await jobs.caught(argument)).toMatchObject({ name: "TypeError", count: 0 });
  });
});
