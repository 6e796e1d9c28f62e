/** A job that may be terminated is alone on its thread: whatever else the pool runs is not harmed by its end. */
import { afterEach, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Terminate from "../fixtures/terminate.jobs.ts";
import { allStarted, blockMainThread, makeGate, open } from "../gate.ts";

const terminateJobs = new URL("../fixtures/terminate.jobs.ts", import.meta.url);
const TIMEOUT_MS = 60_000;
const exclusive = { onCancel: "terminate", graceMs: 1 } as const;

let pool: ThreadPool;
afterEach(() => pool.close({ drain: false, timeoutMs: 1000 }));

function start(options: ConstructorParameters<typeof ThreadPool>[0]) {
  pool = new ThreadPool(options);
  return pool.module<typeof Terminate>(terminateJobs);
}

async function counted(gate: Int32Array, count: number): Promise<void> {
  while (Atomics.load(gate, 0) < count) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A job that has to be terminated, as soon as it runs; resolves to the name of its error when its thread has ended it. */
async function terminateOne(jobs: ReturnType<typeof start>): Promise<string> {
  const begun = makeGate(1);
  const controller = new AbortController();
  const victim = pool.run(jobs.spin, [begun], { ...exclusive, signal: controller.signal });
  await counted(begun, 1);
  controller.abort();
  return victim.then(
    () => "no error",
    (error: unknown) => (error as Error).name,
  );
}

describe("neighbours are not harmed", { timeout: TIMEOUT_MS }, () => {
  it.each([1, 2])("jobs that await jobs of their own, threads: %i", async (threads) => {
    const jobs = start({ maxThreads: threads });
    const gate = makeGate(2);
    const neighbours = Array.from({ length: threads }, () => jobs.awaitsChild(gate));
    await counted(gate, threads);
    const victim = terminateOne(jobs);
    // It cannot begin before they have ended: they need their threads.
    const others = Array.from({ length: 20 }, () => jobs.one());
    expect(await Promise.all(others)).toHaveLength(20);
    open(gate, 1);
    expect(await Promise.all(neighbours)).toEqual(neighbours.map(() => "unharmed"));
    expect(await victim).toBe("AbortError");
    expect(await jobs.one()).toBe(1);
    expect(pool.stats()).toMatchObject({ crashed: 0, canceled: 1 });
  });

  it("jobs that share a thread with jobsPerThread", async () => {
    const jobs = start({ maxThreads: 1, jobsPerThread: 8 });
    const gate = makeGate(2);
    const neighbours = Array.from({ length: 5 }, () => jobs.childWaits(gate));
    await counted(gate, 5);
    const victim = terminateOne(jobs);
    open(gate, 1);
    expect(await Promise.all(neighbours)).toEqual(neighbours.map(() => "unharmed"));
    expect(await victim).toBe("AbortError");
    expect(pool.stats()).toMatchObject({ crashed: 0, canceled: 1 });
  });

  it.each([1, 2])("jobs that wait in join, threads: %i", async (threads) => {
    const jobs = start({ maxThreads: threads });
    const gate = makeGate(2);
    const neighbour = jobs.joinsChild(gate);
    await counted(gate, 1);
    const victim = terminateOne(jobs);
    open(gate, 1);
    expect(await neighbour).toBe("unharmed");
    expect(await victim).toBe("AbortError");
    expect(pool.stats()).toMatchObject({ crashed: 0, canceled: 1 });
  });

  it("jobs that others have forked and left in the deque of the thread", async () => {
    const jobs = start({ maxThreads: 1 });
    const log = makeGate(1);
    const left = jobs.leavesForks(log, 100);
    const victim = terminateOne(jobs);
    await left;
    expect(await victim).toBe("AbortError");
    expect(await jobs.one()).toBe(1);
    await pool.close();
    expect(log[0]).toBe(100);
    expect(pool.stats()).toMatchObject({ crashed: 0, canceled: 1 });
  });

  it("jobs that were handed to the thread with moved values", async () => {
    const jobs = start({ maxThreads: 1 });
    await jobs.one();
    const move = (): PromiseLike<number> => {
      const bytes = new Uint8Array(64 << 10);
      return pool.run(jobs.bytesOf, [bytes], { transfer: [bytes.buffer] });
    };
    for (let round = 0; round < 5; round++) {
      const before = Array.from({ length: 10 }, move);
      const victim = terminateOne(jobs);
      const after = Array.from({ length: 10 }, move);
      expect(await victim).toBe("AbortError");
      expect(await Promise.all([...before, ...after])).toEqual(Array.from({ length: 20 }, () => 64 << 10));
    }
    expect(pool.stats()).toMatchObject({ crashed: 0, canceled: 5 });
  });
});

describe(
  "a job that ends when it is asked to, while its thread is about to be terminated",
  { timeout: TIMEOUT_MS },
  () => {
    it("whatever the thread took next is not harmed", async () => {
      const jobs = start({ maxThreads: 2 });
      for (let round = 0; round < 40; round++) {
        const begun = makeGate(1);
        const controller = new AbortController();
        const { signal } = controller;
        // Asked once, it ends at about the time at which it would be terminated.
        const asked = pool.run(jobs.untilAsked, [begun, 500 + 25 * round], {
          onCancel: "terminate",
          graceMs: 0,
          signal,
        });
        await counted(begun, 1);
        controller.abort();
        const others = Array.from({ length: 5 }, () => jobs.burn(makeGate(1), 0));
        await expect(asked).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
        await Promise.all(others);
      }
      expect(pool.stats()).toMatchObject({ crashed: 0, canceled: 40 });
    });
  },
);

describe("a job that may be terminated", { timeout: TIMEOUT_MS }, () => {
  it("has jobs of its own run on a pool of one thread, to any depth", async () => {
    const jobs = start({ maxThreads: 1 });
    expect(await pool.run(jobs.parent, [5], exclusive)).toBe(16);
  });

  it("gets its turn in a flood of others, and they get theirs in a flood of such", async () => {
    const jobs = start({ maxThreads: 1 });
    await jobs.one();
    const log = makeGate(2);
    const flood = Array.from({ length: 200 }, () => jobs.burn(log, 0));
    await pool.run(jobs.burn, [log, 1], exclusive);
    expect(log[0]).toBeLessThan(200);
    await Promise.all(flood);
    const second = makeGate(2);
    const exclusives = Array.from({ length: 200 }, () => pool.run(jobs.burn, [second, 0], exclusive));
    await jobs.burn(second, 1);
    expect(second[0]).toBeLessThan(200);
    await Promise.all(exclusives);
  });

  it("gets its turn beside jobs that always await something, with jobsPerThread", async () => {
    const jobs = start({ maxThreads: 1, jobsPerThread: 4 });
    const gate = makeGate(2);
    gate[1] = 1;
    const feeding = new AbortController();
    const feed = async (): Promise<void> => {
      while (!feeding.signal.aborted) await jobs.childWaits(gate);
    };
    const feeders = Array.from({ length: 8 }, feed);
    await counted(gate, 8);
    expect(await pool.run(jobs.one, [], exclusive)).toBe(1);
    feeding.abort();
    await Promise.all(feeders);
  });

  it("a job that waits for what is moved to it ends no thread, and never begins", async () => {
    const jobs = start({ maxThreads: 1 });
    await jobs.one();
    const begun = makeGate(1);
    const { buffer } = new Uint8Array(1 << 20);
    const controller = new AbortController();
    const args = [begun, buffer] as unknown as [Int32Array];
    const options = { ...exclusive, signal: controller.signal, transfer: [buffer] };
    const victim = pool.run(jobs.spin, args, options);
    blockMainThread();
    controller.abort();
    await expect(victim).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(await jobs.one()).toBe(1);
    expect([begun[0], pool.stats().crashed]).toEqual([0, 0]);
  });

  it.each([1, 2])("a broadcast passes over a thread that is being ended, threads: %i", async (threads) => {
    const jobs = start({ minThreads: threads, maxThreads: threads });
    await allStarted(pool, threads);
    const begun = makeGate(1);
    const controller = new AbortController();
    const options = { ...exclusive, graceMs: 0, signal: controller.signal };
    const victim = pool.run(jobs.spin, [begun], options);
    await counted(begun, 1);
    // The timers of one turn, in their order: the time of grace is over, and the thread has not ended yet.
    const broadcast = new Promise((resolve) => {
      controller.abort();
      setTimeout(() => resolve(pool.broadcast(jobs.one)), options.graceMs);
    });
    expect(await broadcast).toEqual(Array.from({ length: Math.max(1, threads - 1) }, () => 1));
    await expect(victim).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  });

  it("a broadcast that has not begun ends no job of others, and never begins", async () => {
    const jobs = start({ maxThreads: 1 });
    const gate = makeGate(2);
    const neighbour = jobs.childWaits(gate);
    await counted(gate, 1);
    const controller = new AbortController();
    const limited = pool.module<typeof Terminate>(terminateJobs, { ...exclusive, signal: controller.signal });
    const log = makeGate(1);
    const broadcast = pool.broadcast(limited.addOne, [log]);
    controller.abort();
    await expect(broadcast).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    await new Promise((resolve) => setTimeout(resolve, 50)); // Long after the time of grace.
    open(gate, 1);
    expect(await neighbour).toBe("unharmed");
    expect(await jobs.one()).toBe(1);
    expect(log[0]).toBe(0);
  });
});
