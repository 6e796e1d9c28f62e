/** `runTimeoutMs` on real threads. */
import { afterEach, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { makeGate, open, opened, sampleJobs } from "../gate.ts";
import type * as Crash from "../fixtures/crash.jobs.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";

let pool: ThreadPool;
const make = (): ThreadPool => (pool = new ThreadPool({ maxThreads: 1 }));
const jobs = (): ReturnType<typeof pool.module<typeof Sample>> => pool.module<typeof Sample>(sampleJobs);
const timedOut = { name: "JobTimeoutError", code: "ERR_SKEIN_JOB_TIMEOUT", limit: "runTimeoutMs" };

afterEach(() => pool.close({ drain: false }));

describe("runTimeoutMs", () => {
  it("counts from the start of the run: a job that waits has all its time before it", async () => {
    make();
    const [first, second] = [makeGate(), makeGate()];
    const occupied = jobs().block(first);
    const { setTimeout, clearTimeout } = globalThis;
    const asked: { readonly end: () => void; readonly ms: number }[] = [];
    const fakeTimeout = (end: () => void, ms: number): number => asked.push({ end, ms });
    Object.assign(globalThis, { setTimeout: fakeTimeout, clearTimeout: () => {} });
    const task = pool.run(jobs().spinUntilCancelled, [second], { runTimeoutMs: 1000 });
    Object.assign(globalThis, { setTimeout, clearTimeout });
    // It waits, and a fake clock would have nothing to advance.
    expect(asked).toEqual([]);
    open(first);
    await occupied;
    await opened(second);
    // The clock of the call steers it still.
    await eventually("the thread's report", () => asked.length > 0);
    expect([asked[0]!.ms, task.isCompleted]).toEqual([1000, false]);
    asked[0]!.end();
    await expect(task).rejects.toMatchObject(timedOut);
  });

  it("ends a job that runs too long, and asks it to stop", async () => {
    make();
    const gate = makeGate();
    const task = pool.run(jobs().spinUntilCancelled, [gate], { runTimeoutMs: 1 });
    await expect(task).rejects.toMatchObject({
      ...timedOut,
      timeoutMs: 1,
      message: expect.stringMatching(/within 1 ms of its start.*`runTimeoutMs`/) as string,
    });
    await opened(gate, 1);
  });

  it('terminates it with `onCancel: "terminate"`', async () => {
    make();
    const options = { runTimeoutMs: 1, onCancel: "terminate", graceMs: 0 } as const;
    const task = pool.run(jobs().spinForever, [makeGate()], options);
    await expect(task).rejects.toMatchObject(timedOut);
    expect(await jobs().add(1, 2)).toBe(3);
  });

  it("ends what awaits, and a module that never finishes loading", async () => {
    make();
    const options = { runTimeoutMs: 1, onCancel: "terminate", graceMs: 0 } as const;
    await expect(pool.run(() => new Promise(() => {}), [], options)).rejects.toMatchObject(timedOut);
    const stuck = pool.module<{ never(): void }>(
      new URL("../fixtures/never-loads.ts", import.meta.url),
      options,
    );
    await expect(stuck.never()).rejects.toMatchObject(timedOut);
  });

  it("progress arrives as without it", async () => {
    make();
    const seen: unknown[] = [];
    const options = { runTimeoutMs: 100_000, onProgress: (value: unknown) => void seen.push(value) };
    expect(await pool.run(jobs().report, [3], options)).toBe(3);
    expect(seen).toEqual([{ step: 0 }, { step: 1 }, { step: 2 }]);
  });

  it("a job that a job submits has it too, and so has each job of a broadcast", async () => {
    make();
    const nested = pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    expect(await nested.codeOfTimedOut()).toBe("ERR_SKEIN_JOB_TIMEOUT");
    const limited = pool.module<typeof Sample>(sampleJobs, { runTimeoutMs: 1 });
    await expect(pool.broadcast(limited.spinUntilCancelled, [makeGate()])).rejects.toMatchObject(timedOut);
  });

  it("a job that runs again after a crash has all its time", async () => {
    make();
    const crash = pool.module<typeof Crash>(new URL("../fixtures/crash.jobs.ts", import.meta.url));
    const options = { runTimeoutMs: 100_000, retries: 1 };
    const gate = makeGate();
    expect(await pool.run(crash.exitFirst, [gate], options)).toBe("second");
  });
});
