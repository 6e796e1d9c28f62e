/** How a pool ends: see host/shutdown.ts. What a job leaves behind is the pool's, whoever submitted it. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../../test/support/eventually.ts";
import { recordJobs } from "../../src/engine.ts";
import { PoolClosedError, ThreadPool } from "../../src/index.ts";
import { Host } from "../../src/host/host.ts";
import { resolvePoolOptions } from "../../src/engine/pool-options.ts";
import { defaultSubmitOptions } from "../../src/submit/submit-options.ts";
import type { RecordedSlice } from "../../src/trace/slice-cursor.ts";
import type * as Closing from "../fixtures/closing.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { allStarted, makeGate, open, opened, sampleJobs } from "../gate.ts";
import { runScript } from "../run-script.ts";

const closingJobs = new URL("../fixtures/closing.jobs.ts", import.meta.url);
const COUNT = 50;
const TIMEOUT_MS = 60_000;

const leaving = ["leaveJobs", "leaveForks", "leaveAsync", "leaveAsyncForks", "leaveDeeper"] as const;

describe("close() waits for the jobs of jobs that nobody awaits", { timeout: TIMEOUT_MS }, () => {
  it.each(leaving.flatMap((name) => [1, 2].map((threads) => [name, threads] as const)))(
    "%s, threads: %i",
    async (name, threads) => {
      const pool = new ThreadPool({ maxThreads: threads });
      const log = makeGate(4);
      const task = pool.module<typeof Closing>(closingJobs)[name](log, COUNT);
      await pool.close();
      expect(log[0]).toBe(COUNT);
      await task;
      const { submitted, completed } = pool.stats();
      expect(completed).toBe(submitted);
    },
  );

  it("so does the end of the process", async () => {
    for (const name of leaving) {
      const { code, stdout } = await runScript("exits-with-jobs-of-jobs.ts", name, String(COUNT), "2");
      expect([name, code, stdout]).toEqual([name, 0, `${COUNT}\n`]);
    }
  });
});

describe("close({ drain: false })", () => {
  it("rejects a broadcast that a thread has not begun", async () => {
    const pool = new ThreadPool({ maxThreads: 1 });
    const gate = makeGate();
    const other = pool.module<typeof Sample>(sampleJobs).openThenBlock(gate);
    await opened(gate, 1);
    const broadcast = pool.broadcast(() => {});
    const closed = pool.close({ drain: false });
    await expect(broadcast).rejects.toThrow(PoolClosedError);
    open(gate);
    await Promise.all([other, closed]);
  });

  it("leaves no job that waits, and no reason to start a thread", async () => {
    const pool = new ThreadPool({ minThreads: 1, maxThreads: 2 });
    const gate = makeGate();
    const jobs = [pool.module<typeof Sample>(sampleJobs).openThenBlock(gate)];
    await opened(gate, 1);
    for (const priority of ["high", "normal", "low"] as const)
      jobs.push(pool.run((): void => {}, [], { priority, exclusive: priority === "low" }));
    const rejected = jobs.map((job) => expect(job).rejects.toThrow(PoolClosedError));
    await pool.close({ drain: false, timeoutMs: 1 });
    await Promise.all(rejected);
    expect([pool.setMinThreads(2), pool.threads]).toEqual([true, []]);
    expect(pool.stats().queued).toEqual({ high: 0, normal: 0, low: 0, local: 0, placed: 0 });
  });

  it("drops the jobs of jobs that wait: each is told, close() resolves", async () => {
    const pool = new ThreadPool({ maxThreads: 1 });
    const log = makeGate(4);
    const task = pool.module<typeof Closing>(closingJobs).leaveAndStay(log, COUNT);
    await opened(log, 3);
    const closed = pool.close({ drain: false });
    open(log, 1);
    await Promise.all([task, closed]);
    const { submitted, completed, failed } = pool.stats();
    expect([submitted, completed + failed]).toEqual([COUNT + 1, COUNT + 1]);
    expect([log[0], log[2]]).toEqual([completed - 1, failed]);
  });

  it("is closed already for those whom it tells: they get another shared pool", async () => {
    const pool = ThreadPool.shared;
    const gate = makeGate();
    const held = pool.module<typeof Sample>(sampleJobs, { affinity: "k" }).openThenBlock(gate);
    await opened(gate, 1);
    const told = pool
      .run(() => 1, [], { affinity: "k", continuations: "inline" })
      .then(null, () => {
        expect(() => pool.start(1)).toThrow(PoolClosedError);
        return Promise.all([
          ThreadPool.shared.run(() => "ran"),
          pool.ready().catch(String),
          pool.run(() => 1).catch(String),
        ]);
      });
    const closed = pool.close({ drain: false });
    open(gate);
    const refused = expect.stringContaining("PoolClosedError");
    expect(await told).toEqual(["ran", refused, refused]);
    await Promise.all([held, closed, ThreadPool.shared.close()]);
  });

  it("does not run a job again that has retries, and whose thread dies when it is asked to stop", async () => {
    const pool = new ThreadPool({ maxThreads: 1 });
    const log = makeGate();
    const task = pool.module<typeof Closing>(closingJobs, { retries: 5 }).dieWhenStopped(log);
    await opened(log, 1);
    const closed = pool.close({ drain: false });
    await expect(task).rejects.toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
    await closed;
    expect(log[0]).toBe(1);
  });

  it("nor such a job of a job", async () => {
    const pool = new ThreadPool({ minThreads: 2, maxThreads: 2 });
    await allStarted(pool, 2);
    const log = makeGate();
    const task = pool.module<typeof Closing>(closingJobs).dieElsewhere(log);
    await opened(log, 1);
    const closed = pool.close({ drain: false });
    expect(await task).toBe("ERR_SKEIN_THREAD_CRASHED");
    await closed;
    expect(log[0]).toBe(1);
  });
});

describe("a later close asks for more", { timeout: TIMEOUT_MS }, () => {
  function start() {
    const host = new Host(resolvePoolOptions({ maxThreads: 1 }));
    const run = (name: string, ...args: unknown[]): PromiseLike<unknown> =>
      host.submit(host.functions.ofExport(sampleJobs.href, name), args, defaultSubmitOptions, run);
    return { host, run };
  }

  async function nameOfError(task: PromiseLike<unknown>): Promise<string> {
    return task.then(
      () => "none",
      (error: unknown) => (error as Error).name,
    );
  }

  it("to drop what waits", async () => {
    const { host, run } = start();
    const gate = makeGate();
    const running = run("spinUntilCancelled", gate);
    const waiting = nameOfError(run("echo", 1));
    await opened(gate);
    const closed = host.close(true, undefined);
    expect(host.close(false, undefined)).toBe(closed);
    expect(await waiting).toBe("PoolClosedError");
    expect(await running).toBe("stopped");
    await closed;
  });

  it("for a deadline, or an earlier one; not for a later one", async () => {
    const { host, run } = start();
    const gate = makeGate();
    const running = nameOfError(run("spinForever", gate));
    await opened(gate);
    const closed = host.close(true, 1_000_000);
    void host.close(true, 2_000_000);
    void host.close(false, 10);
    void host.close(false, 1_000_000);
    expect(await running).toBe("PoolClosedError");
    await closed;
  });

  it("when it has ended, or its threads are about to: nothing keeps the process alive for that", async () => {
    expect(await runScript("exits-when-closed.ts")).toMatchObject({ code: 0, stderr: "" });
  });
});

describe.skipIf(process.platform === "win32")(
  "a thread in a native call that does not return",
  { timeout: TIMEOUT_MS },
  () => {
    let folder: string;
    let pipe: string;
    let pool: ThreadPool;
    let log: Int32Array;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "skein-closing-"));
      pipe = join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      pool = new ThreadPool({ maxThreads: 1 });
      log = makeGate(4);
    });
    afterEach(async () => {
      letReturn();
      await pool.close({ drain: false, timeoutMs: 1000 });
      rmSync(folder, { recursive: true, force: true });
    });

    function letReturn(): void {
      // A reader and a writer in one: whoever waits for one goes on.
      closeSync(openSync(pipe, "r+"));
    }

    const jobs = () => pool.module<typeof Closing>(closingJobs);
    const sample = () => pool.module<typeof Sample>(sampleJobs);

    async function giveUp(job: "openPipe" | "openPipeWithJob"): Promise<unknown> {
      const controller = new AbortController();
      const task = pool.run(jobs()[job], [pipe, log], {
        signal: controller.signal,
        onCancel: "terminate",
        graceMs: 1,
      });
      await opened(log, 3);
      controller.abort();
      return task.then(
        () => null,
        (error: unknown) => (error as Error).name,
      );
    }

    it("close with a deadline settles its job, and resolves", async () => {
      const task = jobs().openPipe(pipe, log);
      const outcome = task.then(
        () => null,
        (error: unknown) => (error as Error).name,
      );
      await opened(log, 3);
      await pool.close({ timeoutMs: 50 });
      expect(await outcome).toBe("PoolClosedError");
    });

    it("with onCancel: 'terminate' the pool has a thread again, and close() does not wait for the other", async () => {
      expect(await giveUp("openPipe")).toBe("AbortError");
      expect(await sample().echo(1)).toBe(1);
      expect(pool.stats().threads.total).toBe(1);
      await pool.close();
      expect(pool.stats()).toMatchObject({ completed: 1, canceled: 1 });
    });

    it("and what it has submitted keeps nobody waiting: close() resolves", async () => {
      expect(await giveUp("openPipeWithJob")).toBe("AbortError");
      expect(await sample().echo(1)).toBe(1);
      await pool.close();
      const { submitted, completed, canceled, crashed } = pool.stats();
      expect([submitted, completed + canceled + crashed]).toEqual([3, 3]);
    });

    it("when it ends later, it harms nobody: its slots are its own until then", async () => {
      expect(await giveUp("openPipeWithJob")).toBe("AbortError");
      const before = Array.from({ length: 200 }, (_, i) => sample().echoLater(i));
      expect(await sample().echo("still here")).toBe("still here");
      letReturn();
      const after = Array.from({ length: 200 }, (_, i) => sample().echo(i));
      expect(await Promise.all(before)).toEqual(Array.from({ length: 200 }, (_, i) => i));
      expect(await Promise.all(after)).toEqual(Array.from({ length: 200 }, (_, i) => i));
      // It has not come back to its job.
      expect(log[0]).toBe(0);
    });

    it("cancels no job of its own for whoever records the pool, whether it is given up or left behind", async () => {
      using recording = recordJobs(pool);
      const submitted = async (): Promise<number> => {
        const isInner = ({ kind, parent }: RecordedSlice): boolean => kind === "submit" && parent !== 0;
        const { job } = await eventually("its job is told of", () =>
          recording
            .read()
            .threads.flatMap(({ slices }) => slices)
            .find(isInner),
        );
        return job;
      };
      expect(await giveUp("openPipeWithJob")).toBe("AbortError");
      const ofLost = await submitted();
      // It has to be given up before.
      expect([await recording.cancel(ofLost), await recording.cancel(ofLost)]).toEqual([false, false]);
      letReturn();
      Atomics.store(log, 3, 0);
      jobs()
        .openPipeWithJob(pipe, log)
        .then(null, () => {});
      await opened(log, 3);
      const ofOther = await submitted();
      const isCanceled = recording.cancel(ofOther);
      await pool.close({ timeoutMs: 50 });
      expect([await isCanceled, await recording.cancel(ofOther)]).toEqual([false, false]);
    });

    it("a job that awaits its own job there rejects, on another thread or on the same", async () => {
      const controller = new AbortController();
      const task = pool.run(jobs().awaitOpenPipe, [pipe, log], {
        signal: controller.signal,
        onCancel: "terminate",
        graceMs: 1,
      });
      await opened(log, 3);
      controller.abort();
      await expect(Promise.resolve(task)).rejects.toMatchObject({ name: "AbortError" });
      expect(await sample().echo(2)).toBe(2);
      await pool.close();
    });
  },
);

it(
  "close() resolves also when jobs were submitted where the stack was full",
  { timeout: TIMEOUT_MS },
  async () => {
    expect(await runScript("full-stack.ts")).toEqual({ code: 0, stdout: "0\n", stderr: "" });
  },
);
