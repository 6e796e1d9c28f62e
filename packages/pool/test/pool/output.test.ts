/** What a job has printed is there when its task settles: the outcome does not overtake it. */
import { describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Output from "../fixtures/output.jobs.ts";
import { makeGate, open } from "../gate.ts";
import { runScript } from "../run-script.ts";

const outputJobs = new URL("../fixtures/output.jobs.ts", import.meta.url);
const TIMEOUT_MS = 60_000;

/** How many lines of a program's output are of its jobs. */
function countLines(text: string, prefix: string): number {
  return text.split("\n").filter((line) => line.startsWith(prefix)).length;
}

describe("a program that calls process.exit() as soon as its job has ended loses none of its lines", () => {
  it.each([
    ["print", 0, 1],
    ["print", 1, 1],
    ["print", 20, 1],
    ["print", 2000, 1],
    ["printLater", 20, 1],
    ["printLater", 2000, 1],
    ["printInside", 200, 1],
    ["printInside", 200, 2],
    ["printForked", 200, 1],
    ["printForked", 200, 2],
    ["printAndThrow", 200, 1],
    ["two", 400, 1],
    ["two", 400, 2],
  ])("%s, %i lines, threads: %i", { timeout: TIMEOUT_MS }, async (job, lines, threads) => {
    const { code, stdout, stderr } = await runScript(
      "exits-when-printed.ts",
      job,
      String(lines),
      String(threads),
    );
    expect([code, countLines(stdout, "out "), countLines(stderr, "err ")]).toEqual([0, lines, lines]);
  });
});

/** This process prints what the jobs print: nobody wants to see it. */
async function onThreads(body: (pool: ThreadPool) => Promise<void>): Promise<void> {
  const streams = [process.stdout, process.stderr];
  const swallow = (...args: unknown[]): boolean => {
    const callback = args.at(-1);
    if (typeof callback === "function") callback();
    return true;
  };
  for (const stream of streams)
    Object.defineProperty(stream, "write", { value: swallow, configurable: true });
  try {
    await using pool = new ThreadPool({ maxThreads: 1 });
    await body(pool);
  } finally {
    for (const stream of streams) Reflect.deleteProperty(stream, "write");
  }
}

describe("an outcome that waits for its output", () => {
  it("waits for no other job: the thread takes none until it is told", { timeout: TIMEOUT_MS }, async () => {
    await onThreads(async (pool) => {
      const jobs = pool.module<typeof Output>(outputJobs);
      const gate = makeGate(1);
      const printing = jobs.print(200);
      const waiting = jobs.waitFor(gate);
      expect(await printing).toBe(200);
      open(gate);
      expect(await waiting).not.toBe("timed-out");
    });
  });

  it("is told when the next job ends its thread", { timeout: TIMEOUT_MS }, async () => {
    await onThreads(async (pool) => {
      const jobs = pool.module<typeof Output>(outputJobs);
      const all = await Promise.allSettled([jobs.print(200), jobs.exit(), jobs.print(1)]);
      expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(pool.stats()).toMatchObject({ completed: 2, crashed: 1 });
    });
  });

  it(
    "a job that ends its own thread with lines on their way: it rejects, others run",
    { timeout: TIMEOUT_MS },
    async () => {
      await onThreads(async (pool) => {
        const printAndExit = (): never => {
          for (let i = 0; i < 200; i++) console.log(i);
          return process.exit(3);
        };
        const jobs = pool.module<typeof Output>(outputJobs);
        const all = await Promise.allSettled([pool.run(printAndExit, []), jobs.print(10)]);
        expect(all.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
      });
    },
  );

  it(
    "a job that has put something else in place of the streams, or has ended one",
    { timeout: TIMEOUT_MS },
    async () => {
      await onThreads(async (pool) => {
        const jobs = pool.module<typeof Output>(outputJobs);
        await jobs.print(20);
        await jobs.swallow();
        for (let i = 0; i < 20; i++) expect(await jobs.print(20)).toBe(20);
        expect(pool.stats().crashed).toBe(0);
      });
      await onThreads(async (pool) => {
        const jobs = pool.module<typeof Output>(outputJobs);
        await jobs.endOutput();
        expect(await jobs.waitFor(makeGate(1).fill(1))).toBe("not-equal");
        expect(pool.stats()).toMatchObject({ crashed: 0, completed: 2 });
      });
    },
  );

  it("a main thread that does not come to its event loop stops no job", { timeout: TIMEOUT_MS }, async () => {
    await onThreads(async (pool) => {
      const jobs = pool.module<typeof Output>(outputJobs);
      await jobs.print(0);
      const done = makeGate(1);
      const printing = Array.from({ length: 5 }, () => jobs.print(50));
      const last = pool.run((gate: Int32Array) => void Atomics.store(gate, 0, 1), [done]);
      while (Atomics.load(done, 0) === 0) Atomics.wait(done, 0, 0, 10);
      expect(await Promise.all([...printing, last])).toHaveLength(6);
    });
  });
});
