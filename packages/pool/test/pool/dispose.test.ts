/** `dispose` of the initialize module: when it is called, and that nothing waits for it for ever. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolvePoolOptions } from "../../src/engine/pool-options.ts";
import { Host } from "../../src/host/host.ts";
import { ThreadPool, type ThreadPoolOptions } from "../../src/index.ts";
import { defaultSubmitOptions } from "../../src/submit/submit-options.ts";
import type { DisposeData } from "../fixtures/disposes.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { allStarted, makeGate, open, opened, sampleJobs } from "../gate.ts";
import { runScript } from "../run-script.ts";

const initialize = new URL("../fixtures/disposes.ts", import.meta.url);
const ONCE = "begin 0 1\nend\n";
/** Longer than any test may take. */
const NEVER_MS = 1_000_000;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skein-dispose-"));
  file = join(folder, "log");
  writeFileSync(file, "");
});
afterEach(() => rmSync(folder, { recursive: true }));

const logged = (): string => readFileSync(file, "utf8");
/** Of several threads, which may be at it at once. */
const loggedSorted = (): string[] => logged().split("\n").filter(Boolean).toSorted();
const times = (count: number): string[] => [
  ...Array<string>(count).fill("begin 0 1"),
  ...Array<string>(count).fill("end"),
];

function optionsWith(data: Omit<DisposeData, "file">, options: ThreadPoolOptions = {}): ThreadPoolOptions {
  return { maxThreads: 1, initialize, workerData: { file, ...data }, ...options };
}

async function untilThreads(pool: ThreadPool, count: number): Promise<void> {
  while (pool.stats().threads.total !== count) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("dispose", () => {
  it("is awaited when the pool closes, on each thread once", async () => {
    const pool = new ThreadPool(optionsWith({}, { minThreads: 2, maxThreads: 2 }));
    await allStarted(pool, 2);
    expect(logged()).toBe("");
    await pool.close();
    expect(loggedSorted()).toEqual(times(2));
  });

  it("is awaited longer than the moment that other threads have", async () => {
    const gate = makeGate();
    const pool = new ThreadPool(optionsWith({ gate }));
    await pool.run(() => 1);
    const closing = pool.close({ drain: false });
    await opened(gate);
    // Longer than CLOSE_GRACE_MS; a thread that were ended then would leave no "end".
    setTimeout(open, 700, gate, 1);
    await closing;
    expect(logged()).toBe(ONCE);
  });

  it("is awaited when an idle thread leaves, and when there are too many", async () => {
    await using pool = new ThreadPool(optionsWith({}, { minThreads: 1, maxThreads: 3, idleTimeoutMs: 50 }));
    pool.start(2);
    await pool.ready();
    await untilThreads(pool, 1);
    expect(logged()).toBe(ONCE);
    pool.start(3);
    await pool.ready();
    pool.setMaxThreads(1);
    await untilThreads(pool, 1);
    expect(loggedSorted()).toEqual(times(3));
    expect(await pool.run(() => "there")).toBe("there");
  });

  it("ends the thread, though a job has replaced `process.exit`", async () => {
    const ended = new Promise<void>((resolve) => {
      subscribe("skein:thread:exit", function exited() {
        unsubscribe("skein:thread:exit", exited);
        resolve();
      });
    });
    await using pool = new ThreadPool(optionsWith({}, { minThreads: 1, maxThreads: 2, idleTimeoutMs: 50 }));
    pool.start(2);
    await pool.ready();
    await pool.broadcast(() => {
      process.exit = (() => {}) as never;
    });
    await ended;
    expect(logged()).toBe(ONCE);
  });

  it("goes on when the pool closes meanwhile: it is called once", async () => {
    const gate = makeGate();
    const pool = new ThreadPool(optionsWith({ gate }, { minThreads: 1, maxThreads: 2 }));
    await allStarted(pool, 1);
    pool.start(2);
    await pool.ready();
    pool.setMaxThreads(1);
    await opened(gate);
    const closing = pool.close();
    open(gate, 1);
    await closing;
    expect(loggedSorted()).toEqual(times(2));
  });

  it("can submit no job, which would have nobody to run it", async () => {
    const pool = new ThreadPool(optionsWith({ how: "submits" }));
    await pool.run(() => 1);
    await pool.close();
    expect(logged()).toBe("begin 0 1\nERR_SKEIN_POOL_CLOSED\nend\n");
  });

  it("is not called when the thread crashes, is terminated, or is cut off by the deadline of close", async () => {
    const pool = new ThreadPool(optionsWith({}));
    const jobs = pool.module<typeof Sample>(sampleJobs);
    await jobs.exit(3).catch(() => {});
    const gate = makeGate();
    const controller = new AbortController();
    const spinning = pool.run(jobs.spinForever, [gate], {
      signal: controller.signal,
      onCancel: "terminate",
      graceMs: 1,
    });
    await opened(gate);
    controller.abort();
    await spinning.catch(() => {});
    const again = makeGate();
    const cut = jobs.spinForever(again).catch((error: unknown) => (error as { code: string }).code);
    await opened(again);
    await pool.close({ timeoutMs: 1 });
    expect(await cut).toBe("ERR_SKEIN_POOL_CLOSED");
    expect(logged()).toBe("");
  });

  it("of CommonJS is found as functions of job modules are", async () => {
    const init = join(folder, "init.cjs");
    writeFileSync(
      init,
      `module.exports = Object.fromEntries([["dispose", () => require("node:fs").appendFileSync(${JSON.stringify(file)}, "cjs")]]);`,
    );
    const pool = new ThreadPool({ maxThreads: 1, initialize: init });
    await pool.run(() => 1);
    await pool.close();
    expect(logged()).toBe("cjs");
  });

  it("that is no function is refused before the first job", async () => {
    const init = join(folder, "init.mjs");
    writeFileSync(init, "export const dispose = 5;");
    await using pool = new ThreadPool({ maxThreads: 1, initialize: init });
    await expect(pool.run(() => 1)).rejects.toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      cause: { name: "TypeError", message: expect.stringContaining("`dispose`") as string },
    });
  });
});

describe("a dispose that throws", () => {
  it("is an uncaught error on its thread, shown and counted; the thread ends, no job is lost", async () => {
    const { code, stdout, stderr } = await runScript("throws-in-dispose.ts", file);
    expect([code, stdout]).toEqual([0, `${JSON.stringify({ stray: 1, crashed: 0, completed: 1 })}\n`]);
    expect(stderr).toMatch(/^Uncaught error on a pool thread:\nRangeError: not disposed of/);
  });
});

describe.each(["hangs", "spins"] as const)("a dispose that %s", (how) => {
  it("ends at the deadline of close, even one that is given when it has begun", async () => {
    const gate = makeGate();
    const pool = new ThreadPool(optionsWith({ how, gate }));
    await pool.run(() => 1);
    const closing = pool.close({ timeoutMs: NEVER_MS });
    await opened(gate);
    void pool.close({ timeoutMs: 1 });
    await closing;
    expect(logged()).toBe("begin 0 1\n");
  });

  it("ends at the limit without one, and no later for a thread that leaves", async () => {
    const gate = makeGate();
    const resolved = resolvePoolOptions(optionsWith({ how, gate }, { minThreads: 1, maxThreads: 2 }));
    const host = new Host({ ...resolved, disposeLimitMs: 20 });
    const run = (): PromiseLike<unknown> =>
      host.submit(host.functions.ofExport(sampleJobs.href, "echo"), [1], defaultSubmitOptions, run);
    host.start(2, []);
    await host.ready();
    host.setMaxThreads(1);
    await opened(gate);
    while (host.stats().threads.total > 1) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await run()).toBe(1);
    await host.close(true, undefined);
    expect(logged()).toBe("begin 0 1\nbegin 0 1\n");
    expect(host.stats()).toMatchObject({ completed: 1, crashed: 0, failed: 0 });
  });
});
