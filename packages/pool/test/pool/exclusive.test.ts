/** A job with `exclusive: true` is alone on its thread, and that is all that it is: it may be cancelled as any other. */
import { afterEach, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { resolvePoolOptions } from "../../src/engine/pool-options.ts";
import { Host } from "../../src/host/host.ts";
import { defaultSubmitOptions } from "../../src/submit/submit-options.ts";
import type * as Terminate from "../fixtures/terminate.jobs.ts";
import { blockMainThread, makeGate, open, opened, sampleJobs } from "../gate.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";

const terminateJobs = new URL("../fixtures/terminate.jobs.ts", import.meta.url);
const exclusive = { exclusive: true } as const;

let pool: ThreadPool;
afterEach(() => pool.close({ drain: false, timeoutMs: 1000 }));

function start(options: ConstructorParameters<typeof ThreadPool>[0]) {
  pool = new ThreadPool(options);
  return pool.module<typeof Terminate>(terminateJobs);
}

describe("exclusive: true", () => {
  it.each([
    [true, 0],
    [false, 3],
  ])("%s: of jobs that come while it awaits, so many run beside it: %i", async (isExclusive, beside) => {
    const jobs = start({ maxThreads: 1, jobsPerThread: 2 });
    const log = makeGate(2);
    const task = pool.run(jobs.seesMeanwhile, [log], { exclusive: isExclusive });
    await opened(log, 1);
    const others = Array.from({ length: 3 }, () => jobs.burn(log, 0));
    expect(await task).toBe(beside);
    await Promise.all(others);
  });

  it("begins when the jobs that its thread has have ended", async () => {
    const jobs = start({ maxThreads: 1, jobsPerThread: 4 });
    const gate = makeGate(2);
    const before = [jobs.childWaits(gate), jobs.childWaits(gate)];
    await opened(gate);
    const log = makeGate(2);
    const task = pool.run(jobs.burn, [log, 0], exclusive);
    expect(log[0]).toBe(0);
    open(gate, 1);
    await Promise.all(before);
    await task;
    expect(log[0]).toBe(1);
  });

  it("begins no sooner because a job was cancelled whose slot it has", async () => {
    const jobs = start({ maxThreads: 1 });
    const [first, gate] = [makeGate(2), makeGate(2)];
    // From here on both rings go on at the position 1.
    await pool.run(jobs.one, [], exclusive);
    const before = jobs.childBlocks(first);
    await opened(first);
    const awaiting = [before, pool.run(jobs.one, [], exclusive), jobs.awaitsChild(gate)];
    const controller = new AbortController();
    const cancelled = pool.run(jobs.one, [], { signal: controller.signal });
    controller.abort();
    await expect(cancelled).rejects.toThrow("aborted");
    const task = pool.run((word: Int32Array) => Atomics.load(word, 1), [gate], exclusive);
    const behind = jobs.one();
    open(first, 1);
    await behind;
    await opened(gate);
    open(gate, 1);
    await Promise.all(awaiting);
    expect(await task).toBe(1);
  });

  it("has jobs of its own run on a pool of one thread, as a job of a module that is exclusive", async () => {
    start({ maxThreads: 1 });
    const jobs = pool.module<typeof Terminate>(terminateJobs, exclusive);
    expect(await jobs.parent(3)).toBe(10);
    const results: number[] = [];
    for await (const n of pool.map(jobs.parent, [0, 1, 2])) results.push(n);
    expect(results).toEqual([1, 4, 7]);
  });

  it("has them run also where every thread that there may be awaits one, whatever `setMaxThreads` was told", async () => {
    const options = { ...resolvePoolOptions({ minThreads: 1, maxThreads: 1 }), mostThreads: 3 };
    const host = new Host(options);
    expect([host.setMaxThreads(1e6), host.maxThreads, host.setMinThreads(3)]).toEqual([true, 3, true]);
    const parentAmong = host.functions.ofExport(terminateJobs.href, "parentAmong");
    const arrived = makeGate(1);
    const run = (): PromiseLike<unknown> =>
      host.submit(parentAmong, [arrived, 3], { ...defaultSubmitOptions, isExclusive: true }, run);
    expect(await Promise.all([run(), run(), run()])).toEqual([1, 1, 1]);
    await host.close(true, undefined);
  });

  it("is asked to stop when it is cancelled, and its thread goes on", async () => {
    const jobs = start({ maxThreads: 1 });
    const { thread } = pool.module<typeof Sample>(sampleJobs);
    const before = await thread();
    const gate = makeGate(1);
    const controller = new AbortController();
    const task = pool.run(jobs.untilAsked, [gate, 0], {
      ...exclusive,
      signal: controller.signal,
      graceMs: 0,
    });
    await opened(gate);
    controller.abort(new Error("enough"));
    await expect(task).rejects.toThrow("enough");
    expect(await thread()).toBe(before);
  });

  it("is alone on its thread also while that waits for what is moved to it", async () => {
    const jobs = start({ maxThreads: 1 });
    await jobs.one();
    const log = makeGate(2);
    const { buffer } = new Uint8Array(1 << 20);
    const args = [log, buffer] as unknown as [Int32Array];
    const task = pool.run(jobs.seesMeanwhile, args, { ...exclusive, transfer: [buffer] });
    blockMainThread();
    const others = Array.from({ length: 3 }, () => jobs.burn(log, 0));
    blockMainThread();
    expect(await task).toBe(0);
    await Promise.all(others);
    expect(log[0]).toBe(3);
  });

  it("takes what is moved to it, among others that are sent ahead", async () => {
    const jobs = start({ maxThreads: 1 });
    const sizes = await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const bytes = new Uint8Array(100_000 + i);
        return pool.run(jobs.bytesOf, [bytes], { exclusive: i % 2 === 0, transfer: [bytes.buffer] });
      }),
    );
    expect(sizes).toEqual(Array.from({ length: 40 }, (_, i) => 100_000 + i));
  });
});
