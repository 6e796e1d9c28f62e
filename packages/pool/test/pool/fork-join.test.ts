import { afterAll, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { fork, parallelFor } from "../../src/worker.ts";
import { allStarted, makeGate } from "../gate.ts";
import type * as ForkJoin from "../fixtures/fork-join.jobs.ts";

const url = new URL("../fixtures/fork-join.jobs.ts", import.meta.url);
const single = new ThreadPool({ maxThreads: 1 });
const pool = new ThreadPool({ maxThreads: 3 });
afterAll(() => Promise.all([single.close(), pool.close()]));

describe.each([
  ["one thread", () => single],
  ["three threads", () => pool],
] as const)("fork and join, %s", (_, get) => {
  const jobs = get().module<typeof ForkJoin>(url);

  it("recursion", async () => {
    expect(await jobs.fibonacci(16)).toBe(987);
  });

  it("sorts shared memory in pieces", async () => {
    const data = new Float64Array(new SharedArrayBuffer(40_000 * 8));
    for (let i = 0; i < data.length; i++) data[i] = Math.random();
    const expected = data.toSorted();
    await jobs.sort(data, 0, data.length);
    expect(data.every((x, i) => x === expected[i])).toBe(true);
  });

  it("several at once, and joined in any order", async () => {
    const results = await Promise.all([jobs.fibonacci(12), jobs.joinOldestFirst(), jobs.fibonacci(13)]);
    expect(results[0]).toBe(144);
    expect(results[2]).toBe(233);
    expect(results[1].slice(0, 10)).toEqual([0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
  });

  it("join throws the error of the job", async () => {
    expect(await jobs.joinFailure()).toBe("RangeError: forked");
  });

  it("join can be called again; a forked task can be awaited", async () => {
    expect(await jobs.joinTwice()).toEqual([5, 5]);
    expect(await jobs.awaitForked()).toBe(55);
  });

  it("what a job throws comes out of join as it is, and of await", async () => {
    expect(await jobs.joinThrown()).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it("a forked task can be joined although it is awaited already", async () => {
    const seen = await jobs.awaitThenJoin();
    expect(seen.slice(0, 2)).toEqual([55, "RangeError: forked"]);
    // Continuations run in the order in which the tasks ended: either was perhaps stolen.
    expect(new Set(seen.slice(2))).toEqual(new Set([55, "RangeError: forked"]));
  });

  it("arguments of any kind and number", async () => {
    const [some, more, others] = await jobs.joinManyArguments();
    expect(some).toEqual([0, -0, 1.5, NaN, -17, 112, 2 ** 31, -Infinity]);
    expect(more).toEqual([0, -0, 1.5, NaN, -17, 112, 2 ** 31, -Infinity, 9, 10]);
    expect(others).toEqual([1, "text", true, null, undefined, 5n]);
  });

  it("more than a thread has slots", async () => {
    expect(await jobs.joinThousands(9000)).toBe((9000 * 8999) / 2 - 4500);
  });

  it("inline functions; objects cross by value, stolen or not", async () => {
    expect(await jobs.inlineForked()).toBe(42);
    expect(await jobs.objectForked()).toBe(true);
  });

  it("the context of the fork goes along", async () => {
    expect(await jobs.contextForked()).toEqual([undefined, "inner"]);
  });

  it("parallelFor covers the range once", async () => {
    const target = new Int32Array(new SharedArrayBuffer(1000 * 4));
    expect(await jobs.fillAll(target)).toBe(500_500);
    target.fill(0);
    expect(await jobs.fillAll(target, 7)).toBe(500_500);
    expect(await jobs.fillAll(new Int32Array(new SharedArrayBuffer(0)))).toBe(0);
    expect(await jobs.failingLoop()).toBe("RangeError: at 55");
  });
});

it("joining a job that awaits on this very thread is refused instead of waiting for ever", async () => {
  expect(await single.module<typeof ForkJoin>(url).joinAsynchronous()).toBe("ERR_SKEIN_INVALID_OPERATION");
});

it("such a job can still be awaited, and its result crosses by value", async () => {
  expect(await single.module<typeof ForkJoin>(url).awaitAsynchronous()).toBe(true);
});

it("joins in a circle over two threads are refused, naming the functions and the threads", async () => {
  await using both = new ThreadPool({ maxThreads: 2 });
  await allStarted(both, 2);
  const jobs = both.module<typeof ForkJoin>(url);
  const ending = await jobs.circle(new Int32Array(new SharedArrayBuffer(8)));
  expect(ending.code).toBe("ERR_SKEIN_INVALID_OPERATION");
  expect(ending.message).toMatch(/thread 0 waits for outer|thread 1 waits for outer/);
  expect(ending.message).toMatch(/waits for joinsKept, which is held up on thread [01]/);
  expect(await jobs.fibonacci(10)).toBe(55);
});

describe("a thread that waits in join begins nothing that awaits", () => {
  it("so a third one takes it, and both joins return", async () => {
    await using three = new ThreadPool({ maxThreads: 3 });
    await allStarted(three, 3);
    const jobs = three.module<typeof ForkJoin>(url);
    const ending = await jobs.joinChildOf(new Int32Array(new SharedArrayBuffer(8)));
    expect(ending).toEqual({ code: "", message: "1" });
  });

  it("so a third one is started for it", async () => {
    await using three = new ThreadPool({ minThreads: 3, maxThreads: 3 });
    await allStarted(three, 2);
    const jobs = three.module<typeof ForkJoin>(url);
    const ending = await jobs.joinChildOf(new Int32Array(new SharedArrayBuffer(8)));
    expect(ending).toEqual({ code: "", message: "1" });
  });

  it("so a job that awaits what it forked goes on, although others wait for it", async () => {
    await using both = new ThreadPool({ maxThreads: 2 });
    await allStarted(both, 2);
    const jobs = both.module<typeof ForkJoin>(url);
    for (let round = 0; round < 5; round++) {
      expect(await jobs.joinAwaiting(new Int32Array(new SharedArrayBuffer(8)))).toBe(4);
    }
  });
});

it("forked jobs run on all threads", async () => {
  await allStarted(pool, 3);
  const jobs = pool.module<typeof ForkJoin>(url);
  expect(await jobs.threadsUsed(makeGate(), 3)).toBe(3);
});

it("join throws ThreadCrashedError when the thief dies", async () => {
  const jobs = pool.module<typeof ForkJoin>(url);
  expect(await jobs.joinDead(makeGate())).toBe("ERR_SKEIN_THREAD_CRASHED");
  expect(await jobs.fibonacci(10)).toBe(55);
});

describe("outside a pool the same code runs on the calling thread", () => {
  it("fork", () => {
    expect(fork((a: number) => a + 1, 1).join()).toBe(2);
    const failed = fork(() => {
      throw new RangeError("here");
    });
    expect(() => failed.join()).toThrow("here");
  });

  it("what a call throws comes out of join as it is, and out of await as a task can hold it", async () => {
    for (const thrown of [null, undefined, "text", [new Error("one"), new Error("two")]]) {
      const throwIt = (): never => {
        throw thrown;
      };
      const joined = fork(throwIt);
      expect(outcomeOf(() => joined.join())).toEqual({ thrown });
      const awaited = await outcomeOfLater(fork(throwIt));
      expect(awaited).toMatchObject({ thrown: thrown ?? { code: "ERR_SKEIN_NOTHING_THROWN" } });
      const rejected = await outcomeOfLater(fork(() => Promise.reject(thrown as unknown as Error)));
      expect(rejected).toMatchObject({ thrown: thrown ?? { code: "ERR_SKEIN_NOTHING_THROWN" } });
    }
  });

  it("a call that awaits can be awaited, and join says that it cannot wait for it", async () => {
    const later = fork((x: number) => Promise.resolve(x), 5);
    expect(() => later.join()).toThrow(expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }));
    expect(await later).toBe(5);
    expect(later.join()).toBe(5);
    // oxlint-disable-next-line unicorn/no-thenable -- any thenable is awaited, as in a pool
    expect(await fork(() => ({ then: (done: (x: number) => void) => done(6) }))).toBe(6);
  });

  it("parallelFor ends all slices, and throws the error of the first that failed, also if it is nothing", () => {
    const seen: number[] = [];
    const failFrom2 = (from: number): void => {
      seen.push(from);
      if (from === 2) throw null;
      if (from > 2) throw new Error("a later one");
    };
    expect(outcomeOf(() => parallelFor(failFrom2, { from: 0, to: 5, grain: 1 }))).toEqual({ thrown: null });
    expect(new Set(seen)).toEqual(new Set([0, 1, 2, 3, 4]));
    const later = (): unknown => Promise.resolve();
    expect(() => parallelFor(later, { from: 0, to: 2 })).toThrow("Await it instead");
  });

  it("parallelFor, and its argument errors", () => {
    const seen: number[] = [];
    parallelFor((from, to) => seen.push(to - from), { from: 0, to: 10, grain: 4 });
    expect(seen.reduce((a, b) => a + b, 0)).toBe(10);
    expect(() => parallelFor(() => {}, { from: 0.5, to: 1 })).toThrow(RangeError);
    expect(() => parallelFor(() => {}, { from: 0, to: 10, grain: 0 })).toThrow("grain");
    expect(() => fork("x" as never)).toThrow(TypeError);
  });
});

function outcomeOf(call: () => unknown): unknown {
  try {
    return { returned: call() };
  } catch (thrown) {
    return { thrown };
  }
}

async function outcomeOfLater(task: PromiseLike<unknown>): Promise<unknown> {
  try {
    return { returned: await task };
  } catch (thrown) {
    return { thrown };
  }
}
