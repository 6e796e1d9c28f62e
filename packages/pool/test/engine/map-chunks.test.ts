/** `map` with several items per job: what differs from one item per job is the cost. */
import { setImmediate as turn } from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { AsyncLocal } from "@skein/context";
import { move, stream, ThreadPool } from "../../src/index.ts";
import type * as Chunks from "../fixtures/chunk.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, open, opened, sampleJobs } from "../gate.ts";
import { brokenSources, looseSources } from "../loose-iterator.ts";

const pool = new ThreadPool({ maxThreads: 2 });
const sample = pool.module<typeof Sample>(sampleJobs);
const jobs = pool.module<typeof Chunks>(new URL("../fixtures/chunk.jobs.ts", import.meta.url));
afterAll(() => pool.close());

interface Run {
  readonly results: unknown[];
  readonly error: unknown;
}

/** Everything that an iteration gives, and what ended it. */
async function run(items: AsyncIterable<unknown>): Promise<Run> {
  const results: unknown[] = [];
  try {
    for await (const item of items) results.push(item);
    return { results, error: null };
  } catch (error) {
    return { results, error };
  }
}

async function* slowly<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const [i, item] of items.entries()) {
    if (i % 3 === 2) await turn();
    yield item;
  }
}

function* breaking<T>(items: readonly T[]): Generator<T> {
  yield* items;
  throw new RangeError("the source");
}

const throwing = {
  get value() {
    throw new TypeError("from a getter");
  },
};

describe("map with chunkSize", () => {
  it("gives what it gives without, for any size: results, order, errors and what comes before them", async () => {
    const value = fc.oneof(
      fc.integer({ min: 0, max: 100 }),
      fc.constantFrom("throw", "throw later", "later", "uncloneable", "throws in a getter", "nothing"),
      fc.constantFrom(() => 1, { deep: [Symbol("uncloneable")] }, throwing),
      fc.record({ a: fc.string(), list: fc.array(fc.double(), { maxLength: 3 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { maxLength: 40 }),
        fc.integer({ min: 2, max: 50 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom("array", "async", "breaking"),
        async (items, chunkSize, concurrency, kind) => {
          const source = (): Iterable<unknown> | AsyncIterable<unknown> =>
            kind === "array" ? items : kind === "async" ? slowly(items) : breaking(items);
          const expected = await run(pool.map(jobs.each, source(), { concurrency }));
          const actual = await run(pool.map(jobs.each, source(), { concurrency, chunkSize }));
          expect(actual.results).toEqual(expected.results);
          expect(describeError(actual.error)).toEqual(describeError(expected.error));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("numbers before an item that cannot be copied are results", async () => {
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    const { results, error } = await run(pool.map(sample.echo, [...numbers, throwing], { chunkSize: 300 }));
    expect(results).toEqual(numbers);
    expect(error).toMatchObject({ message: "from a getter" });
  });

  it("an item that cannot be copied takes no stream from those before it; its own and those behind it are let go", async () => {
    const ended: string[] = [];
    const source = (name: string, ...values: number[]): AsyncIterable<number> =>
      stream(
        (function* () {
          try {
            yield* values;
          } finally {
            ended.push(name);
          }
        })(),
      );
    const released = (name: string): AsyncIterable<number> => stream(new Released(() => ended.push(name)));
    for (const bad of [() => 1, throwing]) {
      ended.length = 0;
      const own = {
        values: released("own"),
        get given() {
          return released("given");
        },
        bad,
      };
      const items = [
        { values: source("first", 1, 2) },
        { values: source("second", 3) },
        own,
        { values: released("behind") },
      ];
      const { results, error } = await run(pool.map(jobs.sum, items, { chunkSize: 4 }));
      expect(results).toEqual([3, 3]);
      expect(error).toMatchObject(bad === throwing ? { message: "from a getter" } : { path: "args[0].bad" });
      expect(ended.slice(0, -2).toSorted()).toEqual(["behind", "given", "own"]);
      expect(ended.slice(-2)).toEqual(["first", "second"]);
    }
  });

  it.each(["next", "done", "value"])(
    "what an async source throws in `%s`, and does not reject with, comes behind the items before it",
    async (where) => {
      const source = {
        [Symbol.asyncIterator]() {
          let count = 0;
          const fail = (at: string): void => {
            if (count === 4 && at === where) throw new RangeError("the source");
          };
          return {
            next(): Promise<IteratorResult<number>> {
              count++;
              fail("next");
              const value = count;
              return Promise.resolve({
                get done() {
                  fail("done");
                  return false;
                },
                get value() {
                  fail("value");
                  return value;
                },
              });
            },
          };
        },
      };
      for (const chunkSize of [1, 2, 3, 10]) {
        const { results, error } = await run(pool.map(sample.echo, source, { chunkSize }));
        expect(results).toEqual([1, 2, 3]);
        expect(error).toMatchObject({ name: "RangeError", message: "the source" });
      }
    },
  );

  it("unordered: every item once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 100 }),
        fc.integer({ min: 2, max: 30 }),
        fc.boolean(),
        async (items, chunkSize, later) => {
          const { results, error } = await run(
            pool.map(later ? sample.echoLater : sample.echo, items, { chunkSize, ordered: false }),
          );
          expect(error).toBeNull();
          expect((results as number[]).toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 20 },
    );
  });

  it("submits a job per chunk", async () => {
    const before = pool.stats().submitted;
    const { results } = await run(
      pool.map(
        sample.echo,
        Array.from({ length: 100 }, (_, i) => i),
        { chunkSize: 30 },
      ),
    );
    expect(results).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(pool.stats().submitted - before).toBe(4);
  });

  it("takes functions that are shipped as source, and says which variable one lacks", async () => {
    const { results } = await run(pool.map((n: number) => n * 2, [1, 2, 3], { chunkSize: 2 }));
    expect(results).toEqual([2, 4, 6]);
    const lacking = await run(pool.map(() => results.length, [1, 2], { chunkSize: 2 }));
    expect((lacking.error as Error).message).toContain("results");
  });

  it("items share nothing: neither the copies of one object, nor what they change in it, nor in their context", async () => {
    const shared = { count: 0 };
    const counted = await run(pool.map(jobs.count, [shared, shared, shared], { chunkSize: 3 }));
    expect(counted.results).toEqual([1, 1, 1]);
    const same = (await run(pool.map(jobs.same, [0, 0], { chunkSize: 2 }))).results;
    expect(same[0]).toEqual(same[1]);
    expect(same[0]).not.toBe(same[1]);
    const changed = await run(pool.map(jobs.changeTenant, ["a", "b", "c"], { chunkSize: 3 }));
    expect(changed.results).toEqual([null, null, null]);
    const later = await run(pool.map(jobs.changeTenantLater, ["a", "b", "c"], { chunkSize: 3 }));
    expect(later.results).toEqual([null, null, null]);
  });

  it("every item sees the context of the iteration", async () => {
    const tenant = new AsyncLocal<string>({ name: "chunk.tenant", flow: "thread" });
    const seen = await tenant.run("acme", () => run(pool.map(jobs.readTenant, [1, 2, 3], { chunkSize: 2 })));
    expect(seen.results).toEqual(["acme", "acme", "acme"]);
  });

  it("moves nothing of a result that cannot be sent", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const seen: unknown[] = [];
    const run = async (): Promise<void> => {
      for await (const { i } of one.map(jobs.makeMoved, [0, 1, 2], { chunkSize: 3 }) as AsyncIterable<{
        i: number;
      }>)
        seen.push(i);
    };
    await expect(run()).rejects.toMatchObject({ path: "result.fn" });
    expect(seen).toEqual([0, 1]);
    expect(await one.run(jobs.lengthsOfMade, [])).toEqual([0, 0, 10]);
  });

  it("moves what is marked with move(), in items and in results", async () => {
    const buffers = Array.from({ length: 5 }, (_, i) => new Uint8Array([i]).buffer);
    const { results } = await run(
      pool.map(
        jobs.moveBack,
        buffers.map((buffer) => move({ buffer }, [buffer])),
        { chunkSize: 3 },
      ),
    );
    expect(buffers.every((buffer) => buffer.detached)).toBe(true);
    expect((results as { buffer: ArrayBuffer }[]).map(({ buffer }) => new Uint8Array(buffer)[0])).toEqual([
      0, 1, 2, 3, 4,
    ]);
    const { port1, port2 } = new MessageChannel();
    const ports = await run(
      pool.map(jobs.isPort, [move({ port: port1 }, [port1]), { port: 1 }], { chunkSize: 2 }),
    );
    expect(ports).toEqual({ results: [true, false], error: null });
    port2.close();
  });

  it("reads no further ahead than its jobs have room for", async () => {
    let read = 0;
    function* numbers(): Generator<number> {
      for (;;) yield read++;
    }
    const results = pool.map(sample.echo, numbers(), { concurrency: 3, chunkSize: 4 });
    for (let i = 0; i < 40; i++) {
      expect((await results.next()).value).toBe(i);
      // The chunk that is handed out, three under way.
      expect(read).toBeLessThanOrEqual((Math.floor(i / 4) + 1 + 3) * 4);
    }
    await results.return?.();
  });

  it("a chunk goes off when an async source has nothing more for now", async () => {
    let release = (): void => {};
    let closed = false;
    async function* source(): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
        await new Promise<void>((resolve) => (release = resolve));
        yield 3;
        throw new RangeError("the source");
      } finally {
        closed = true;
      }
    }
    const results = pool.map(sample.echo, source(), { chunkSize: 100 });
    expect((await results.next()).value).toBe(1);
    expect((await results.next()).value).toBe(2);
    release();
    expect((await results.next()).value).toBe(3);
    await expect(results.next()).rejects.toThrow("the source");
    expect(closed).toBe(true);
  });

  it("an async source that is ready fills its chunks", async () => {
    async function* ready(): AsyncGenerator<number> {
      for (let i = 0; i < 1000; i++) yield i;
    }
    const before = pool.stats().submitted;
    expect((await run(pool.map(sample.echo, ready(), { chunkSize: 100 }))).results).toHaveLength(1000);
    // A turn of the event loop may come in between: then a chunk is not full.
    expect(pool.stats().submitted - before).toBeLessThan(100);
  });

  it("ends where the language says that an iterator ends, and throws when a step is no object", async () => {
    for (const source of looseSources([3, 2, 1])) {
      const results = pool.map(sample.echo, source, { chunkSize: 2 });
      expect(await run(results)).toEqual({ results: [3, 2, 1], error: null });
    }
    for (const source of brokenSources(1)) {
      const results = pool.map(sample.echo, source, { chunkSize: 2 });
      expect(await run(results)).toEqual({ results: [1], error: expect.any(TypeError) });
    }
  });

  it("breaking off closes a source that will never have a next item", async () => {
    let closed = 0;
    const source = {
      items: [1],
      [Symbol.asyncIterator]() {
        return this;
      },
      next(): Promise<IteratorResult<number>> {
        const value = this.items.pop();
        return value === undefined ? new Promise(() => {}) : Promise.resolve({ done: false, value });
      },
      return(): Promise<IteratorResult<number>> {
        closed++;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    for await (const value of pool.map(sample.echo, source, { chunkSize: 10 })) {
      expect(value).toBe(1);
      break;
    }
    expect(closed).toBe(1);
  });

  it("breaking off in a chunk closes a sync source, and the thread stops between two items", async () => {
    const gates = [makeGate(), makeGate(), makeGate()] as const;
    let closed = false;
    function* source(): Generator<Int32Array> {
      try {
        yield* gates;
        // The next chunk may have begun already: its gates are open.
        for (;;) {
          const gate = makeGate();
          open(gate, 1);
          yield gate;
        }
      } finally {
        closed = true;
      }
    }
    const controller = new AbortController();
    const results = pool.map(jobs.enter, source(), {
      chunkSize: 3,
      concurrency: 1,
      signal: controller.signal,
    });
    const first = run(results);
    await opened(gates[0]);
    controller.abort(new Error("enough"));
    // The first item goes on; the second is not begun.
    open(gates[0], 1);
    expect(await first).toMatchObject({ results: [], error: { message: "enough" } });
    expect(closed).toBe(true);
    await pool.broadcast((x: number) => x, [1]);
    expect(gates.map((gate) => gate[0])).toEqual([1, 0, 0]);
  });

  it("a signal that fires while a chunk is handed out ends the iteration there", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const seen: unknown[] = [];
    const iteration = (async () => {
      for await (const value of pool.map(sample.echo, [1, 2, 3], {
        chunkSize: 3,
        signal: controller.signal,
      })) {
        seen.push(value);
        controller.abort(reason);
      }
    })();
    await expect(iteration).rejects.toBe(reason);
    expect(seen).toEqual([1]);
  });

  it("close({ drain: false }) ends it with the results of the items before", async () => {
    const closing = new ThreadPool({ maxThreads: 1 });
    const own = closing.module<typeof Chunks>(new URL("../fixtures/chunk.jobs.ts", import.meta.url));
    const gates = [makeGate(), makeGate()];
    const iteration = run(closing.map(own.enter, gates, { chunkSize: 2 }));
    await opened(gates[0]!);
    const closed = closing.close({ drain: false });
    open(gates[0]!, 1);
    expect(await iteration).toMatchObject({ results: [1], error: { code: "ERR_SKEIN_JOB_CANCELED" } });
    await closed;
    expect(gates[1]![0]).toBe(0);
  });

  it("a crash rejects the chunk, as it would reject the item", async () => {
    const { error } = await run(pool.map(sample.exit, [3, 4], { chunkSize: 2 }));
    expect(error).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", exitCode: 3 });
  });

  it("works inside a job", async () => {
    expect(await jobs.mapInside(10)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
  });

  it.each([0, 65_537, 1.5, "2", null])("refuses a chunkSize of %j", (chunkSize) => {
    expect(() => pool.map(sample.echo, [], { chunkSize: chunkSize as never })).toThrow("chunkSize");
  });
});

/** Says when it is let go before it was read. */
class Released implements AsyncIterable<number> {
  readonly #released: () => void;

  constructor(released: () => void) {
    this.#released = released;
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    return {
      next: () => Promise.reject(new Error("read")),
      return: () => {
        this.#released();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, code, path, detail } = error as Error & Record<"code" | "path" | "detail", unknown>;
  return { name, message, code, path, detail, class: error.constructor };
}
