/** Threads that die. Every job settles exactly once, and the queued ones still run. */
import { afterEach, describe, expect, it } from "vitest";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import { ThreadCrashedError, ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, opened, sampleJobs } from "../gate.ts";

let pool: ThreadPool;
afterEach(() => pool.close({ drain: false, timeoutMs: 1000 }));

function start(options: ConstructorParameters<typeof ThreadPool>[0] = {}): ReturnType<typeof open> {
  pool = new ThreadPool({ maxThreads: 2, ...options });
  return open();
}

function open() {
  return pool.module<typeof Sample>(sampleJobs);
}

async function errorOf(task: PromiseLike<unknown>): Promise<unknown> {
  return task.then(
    () => null,
    (error: unknown) => error,
  );
}

describe("the job of a thread that dies rejects with ThreadCrashedError, the others run", () => {
  it.each([0, 1, 42])("process.exit(%i)", async (code) => {
    const jobs = start();
    const crashing = jobs.exit(code);
    const others = Array.from({ length: 200 }, (_, i) => jobs.echo(i));
    expect(await errorOf(crashing)).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", exitCode: code });
    expect(await Promise.all(others)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it("an error in a timer", async () => {
    const jobs = start();
    const error = await errorOf(jobs.throwLater("from a timer"));
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect((error as Error).cause).toMatchObject({ name: "TypeError", message: "from a timer" });
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("an unhandled rejection", async () => {
    const jobs = start();
    expect(await errorOf(jobs.rejectAside())).toBeInstanceOf(ThreadCrashedError);
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("out of memory", async () => {
    const jobs = start({ resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const error = await errorOf(jobs.eatMemory());
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect((error as Error).cause).toMatchObject({ code: "ERR_WORKER_OUT_OF_MEMORY" });
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("many crashes among many jobs", async () => {
    const jobs = start();
    const tasks = Array.from({ length: 300 }, (_, i) => (i % 30 === 29 ? jobs.exit(1) : jobs.echo(i)));
    const outcomes = await Promise.allSettled(tasks);
    expect(outcomes.filter((o) => o.status === "rejected")).toHaveLength(10);
    expect(outcomes.every((o, i) => o.status === "rejected" || o.value === i)).toBe(true);
  });

  it("a job whose caller gave it up is not reported a second time", async () => {
    const jobs = start({ maxThreads: 1 });
    const gate = makeGate();
    const controller = new AbortController();
    const task = pool.run(jobs.spinUntilCancelled, [gate], { signal: controller.signal });
    await opened(gate);
    controller.abort();
    expect(await errorOf(task)).toMatchObject({ name: "AbortError" });
    await errorOf(jobs.exit(1));
    expect(await jobs.add(1, 2)).toBe(3);
  });
});

describe("retries", () => {
  it.each(["short", "long ".repeat(1000)])(
    "run a job again after a crash, with the arguments it was given: %#",
    async (text) => {
      const jobs = start();
      const log = makeGate();
      expect(await pool.run(jobs.dieUntil, [log, 3, text], { retries: 2 })).toBe(text);
      expect(log[0]).toBe(3);
    },
  );

  it("are used up one by one; then the crash is reported", async () => {
    const jobs = start();
    const log = makeGate();
    const error = await errorOf(pool.run(jobs.dieUntil, [log, 10, ""], { retries: 2 }));
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect(log[0]).toBe(3);
  });

  it("do not outlive the pool: close with a time limit ends them", async () => {
    const jobs = start({ maxThreads: 1 });
    const gate = makeGate();
    const stuck = errorOf(pool.run(jobs.spinForever, [gate], { retries: 100 }));
    await opened(gate);
    await pool.close({ timeoutMs: 10 });
    expect(await stuck).toMatchObject({ code: "ERR_SKEIN_POOL_CLOSED" });
  });

  it("do not run a job again that failed by itself, or was cancelled", async () => {
    const jobs = start();
    await expect(pool.run(jobs.fail, ["x"], { retries: 5 })).rejects.toBeInstanceOf(RangeError);
    const gate = makeGate();
    const controller = new AbortController();
    const task = pool.run(jobs.spinUntilCancelled, [gate], { retries: 5, signal: controller.signal });
    await opened(gate);
    controller.abort();
    expect(await errorOf(task)).toMatchObject({ name: "AbortError" });
  });
});

describe("onCancel: 'terminate'", () => {
  it("ends the thread of a job that ignores its cancellation, after graceMs; the others run", async () => {
    const jobs = start({ maxThreads: 1 });
    const gate = makeGate();
    const controller = new AbortController();
    const stuck = pool.run(jobs.spinForever, [gate], {
      signal: controller.signal,
      onCancel: "terminate",
      graceMs: 20,
    });
    const waiting = Array.from({ length: 50 }, (_, i) => jobs.echo(i));
    await opened(gate);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await errorOf(stuck)).toBe(reason);
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it("leaves the thread of a job that stops in time alone", async () => {
    const jobs = start({ maxThreads: 1 });
    const before = await jobs.thread();
    const gate = makeGate();
    const task = pool.run(jobs.spinUntilCancelled, [gate], {
      timeoutMs: 20,
      onCancel: "terminate",
      graceMs: timeLimit(60_000),
    });
    expect(await errorOf(task)).toMatchObject({ code: "ERR_SKEIN_JOB_TIMEOUT" });
    expect(await jobs.thread()).toBe(before);
  });
});

describe("a thread that never gets ready", () => {
  it("rejects the waiting jobs with the reason, and nothing respawns for ever", async () => {
    const jobs = start({ initialize: new URL("../fixtures/throws-on-load.ts", import.meta.url) });
    const errors = await Promise.all(Array.from({ length: 50 }, () => errorOf(jobs.add(1, 2))));
    for (const error of errors) {
      expect(error).toBeInstanceOf(ThreadCrashedError);
      expect((error as Error).cause).toMatchObject({ message: "initialize failed" });
    }
  });

  it("a thread that cannot even be made rejects the jobs that wait for it, and close resolves", async () => {
    const jobs = start({ execArgv: ["--no-such-flag"] });
    const errors = await Promise.all([errorOf(jobs.echo(1)), errorOf(jobs.echo(2)), errorOf(jobs.echo(3))]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(ThreadCrashedError);
      expect((error as Error).cause).toMatchObject({ code: "ERR_WORKER_INVALID_EXEC_ARGV" });
    }
    expect(await errorOf(jobs.echo(4))).toBeInstanceOf(ThreadCrashedError);
    expect(pool.stats()).toMatchObject({ submitted: 4, failed: 4 });
    await pool.close();
  });

  it("also when nobody waited for the threads that did not start", async () => {
    const jobs = start({
      maxThreads: 1,
      initialize: new URL("../fixtures/throws-on-load.ts", import.meta.url),
    });
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController();
      const given = pool.run(jobs.add, [1, 2], { signal: controller.signal });
      controller.abort();
      expect(await errorOf(given)).toMatchObject({ name: "AbortError" });
      while (pool.stats().threads.total > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await errorOf(jobs.add(1, 2))).toBeInstanceOf(ThreadCrashedError);
  });

  it("initialize runs before the first job, top-level await included", async () => {
    start({ initialize: new URL("../fixtures/initialize.ts", import.meta.url) });
    expect(await pool.run(() => (globalThis as { initialized?: string }).initialized, [])).toBe(
      "before the first job",
    );
  });
});

describe("modules", () => {
  it("a missing export names what there is", async () => {
    const jobs = start() as unknown as Record<string, () => PromiseLike<unknown>>;
    const error = await errorOf(jobs["nope"]!());
    expect(error).toMatchObject({ code: "ERR_SKEIN_JOB_NOT_FOUND", exportName: "nope" });
    expect((error as { available: string[] }).available).toContain("add");
    expect(await errorOf(jobs["notAFunction"]!())).toMatchObject({ code: "ERR_SKEIN_JOB_NOT_FOUND" });
  });

  it("a module that fails to load rejects with its own error, and the pool goes on", async () => {
    start();
    const broken = pool.module<{ anything: () => void }>(
      new URL("../fixtures/throws-on-load.ts", import.meta.url),
    );
    expect(await errorOf(broken.anything())).toMatchObject({ message: "initialize failed" });
    expect(await errorOf(broken.anything())).toMatchObject({ message: "initialize failed" });
    expect(await open().add(1, 2)).toBe(3);
  });
});
