/** Threads before the first job: `start` and `ready`. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { ThreadPool, type ThreadPoolOptions } from "../../src/index.ts";
import { throwsWhileDown, writtenFiles } from "../jobs/written-files.ts";
import { runScript } from "../run-script.ts";

let pool: ThreadPool;
function make(options: ThreadPoolOptions): ThreadPool {
  return (pool = new ThreadPool(options));
}
afterEach(() => pool.close({ drain: false }));

/** Calls `listener` in the middle of `new Worker`. */
function onceMade(listener: () => void): void {
  const once = (): void => {
    unsubscribe("worker_threads", once);
    listener();
  };
  subscribe("worker_threads", once);
}

/** A module that says on its thread, and to its jobs, that it was loaded. */
const tells = (name: string): string =>
  `globalThis.loaded = [...(globalThis.loaded ?? []), "${name}"]; export const run = () => 1;`;
const loaded = (): unknown => (globalThis as { loaded?: unknown }).loaded;

describe("start", () => {
  it("starts minThreads threads, which take the first jobs", async () => {
    make({ minThreads: 2, maxThreads: 3 }).start();
    expect(pool.stats().threads.total).toBe(2);
    await pool.ready();
    expect(await pool.broadcast(() => 1)).toEqual([1, 1]);
    expect(pool.stats().threads.total).toBe(2);
  });

  it("counts those that are there", async () => {
    make({ minThreads: 1, maxThreads: 3 });
    await pool.run(() => 1);
    pool.start(3);
    pool.start(2);
    expect(pool.stats().threads.total).toBe(3);
    await pool.ready();
    expect(await pool.broadcast(() => 1)).toEqual([1, 1, 1]);
  });

  it("loads initialize, then the modules in their order", async () => {
    const folder = writtenFiles({ "init.mjs": tells("init"), "a.mjs": tells("a"), "b.mjs": tells("b") });
    const [a, b] = [join(folder, "a.mjs"), pathToFileURL(join(folder, "b.mjs"))];
    make({ maxThreads: 1, initialize: join(folder, "init.mjs") }).start(1, { modules: [b, a] });
    await pool.ready();
    expect(await pool.run(loaded)).toEqual(["init", "b", "a"]);
    expect(await pool.module<{ run(): number }>(a).run()).toBe(1);
    expect(await pool.run(loaded)).toEqual(["init", "b", "a"]);
  });

  it("loads the modules only on threads that it starts", async () => {
    const folder = writtenFiles({ "a.mjs": tells("a") });
    make({ minThreads: 1, maxThreads: 2 });
    await pool.run(() => 1);
    pool.start(2, { modules: [join(folder, "a.mjs")] });
    await pool.ready();
    expect(new Set(await pool.broadcast(loaded))).toEqual(new Set([["a"], undefined]));
  });

  it("called while a thread is made, it is part of that", async () => {
    const folder = writtenFiles({ "a.mjs": tells("a"), "b.mjs": tells("b") });
    make({ minThreads: 1, maxThreads: 3 });
    onceMade(() => pool.start(3, { modules: [join(folder, "b.mjs")] }));
    pool.start(2, { modules: [join(folder, "a.mjs")] });
    expect(pool.stats().threads.total).toBe(3);
    await pool.ready();
    const known = await pool.broadcast(loaded);
    expect(known.toSorted((x, y) => String(x).length - String(y).length)).toEqual([
      ["a"],
      ["a", "b"],
      ["a", "b"],
    ]);
  });

  it("called while a thread is made for a job, too", async () => {
    make({ minThreads: 1, maxThreads: 3 });
    onceMade(() => pool.start(3));
    expect(await pool.run(() => 1)).toBe(1);
    await pool.ready();
    expect(pool.stats().threads.total).toBe(3);
  });

  it("is refused in a job module that a pool thread loads", async () => {
    const index = new URL("../../src/index.ts", import.meta.url).href;
    const folder = writtenFiles({
      "starts.mjs": `import { ThreadPool } from "${index}";
        new ThreadPool().start(1, { modules: [new URL(import.meta.url)] });`,
    });
    make({ maxThreads: 1 }).start(1, { modules: [join(folder, "starts.mjs")] });
    await expect(pool.ready()).rejects.toMatchObject({ code: "ERR_SKEIN_POOL_IN_JOB_MODULE" });
    expect(await pool.run(() => 1)).toBe(1);
  });
});

describe("ready", () => {
  it("resolves at once when no thread was asked for", async () => {
    await make({ maxThreads: 1 }).ready();
    expect(pool.stats().threads.total).toBe(0);
  });

  it("rejects with what ended a thread before it was ready, again and again until the next start", async () => {
    const folder = writtenFiles({ "init.mjs": throwsWhileDown, down: "" });
    make({ maxThreads: 1, initialize: join(folder, "init.mjs") }).start();
    const down = {
      code: "ERR_SKEIN_THREAD_CRASHED",
      message: expect.stringContaining("init.mjs") as string,
      cause: { message: "down" },
    };
    const [first, second] = [pool.ready(), pool.ready()];
    await expect(first).rejects.toMatchObject(down);
    await expect(second).rejects.toMatchObject(down);
    await expect(pool.ready()).rejects.toMatchObject(down);
    rmSync(join(folder, "down"));
    pool.start();
    await pool.ready();
    expect(await pool.run(() => 1)).toBe(1);
  });

  it("rejects when a thread cannot even be made", async () => {
    make({ maxThreads: 1, execArgv: ["--no-such-flag"] }).start();
    await expect(pool.ready()).rejects.toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      cause: { code: "ERR_WORKER_INVALID_EXEC_ARGV" },
    });
  });

  it("rejects with what a module threw; other jobs run, and its own when it is whole again", async () => {
    const folder = writtenFiles({ "bad.mjs": `${throwsWhileDown} export const run = () => 1;`, down: "" });
    const url = join(folder, "bad.mjs");
    make({ maxThreads: 1 }).start(1, { modules: [url] });
    await expect(pool.ready()).rejects.toThrow("down");
    expect(await pool.run(() => 2)).toBe(2);
    rmSync(join(folder, "down"));
    const bad = pool.module<{ run(): number }>(url);
    expect(await bad.run()).toBe(1);
    writeFileSync(join(folder, "down"), "");
    expect(await bad.run()).toBe(1);
  });

  it("rejects with it, and tells of the thread, when that has ended before anything of it was heard", async () => {
    const folder = writtenFiles({
      "bad.mjs":
        'import { writeFileSync } from "node:fs";' +
        'process.on("exit", () => writeFileSync(new URL("ended", import.meta.url), ""));' +
        'setTimeout(() => process.exit(0), 20); throw new Error("down");',
    });
    const told: string[] = [];
    const telling = (event: string) => (message: unknown) => {
      if ((message as { pool: string }).pool === "unheard") told.push(event);
    };
    const listeners = ["start", "exit"].map((event) => [`skein:thread:${event}`, telling(event)] as const);
    for (const [name, listener] of listeners) subscribe(name, listener);
    make({ maxThreads: 1, name: "unheard" }).start(1, { modules: [join(folder, "bad.mjs")] });
    const ready = pool.ready();
    const word = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(join(folder, "ended"))) Atomics.wait(word, 0, 0, 10);
    // Until it has gone: that it was ready and that it has ended come in one turn.
    Atomics.wait(word, 0, 0, 100);
    await expect(ready).rejects.toThrow("down");
    await pool.close();
    for (const [name, listener] of listeners) unsubscribe(name, listener);
    expect(told).toEqual(["start", "exit"]);
  });

  it("rejects when the pool closes first, and when it is closed", async () => {
    const initialize = new URL("../fixtures/slow-start.ts", import.meta.url);
    make({ maxThreads: 1, initialize }).start();
    const ready = pool.ready();
    const closing = pool.close();
    const closed = { code: "ERR_SKEIN_POOL_CLOSED" };
    await expect(ready).rejects.toMatchObject(closed);
    await expect(pool.ready()).rejects.toMatchObject(closed);
    expect(() => pool.start()).toThrow(expect.objectContaining(closed));
    await closing;
  });

  it("keeps the process alive until it settles, and no longer", async () => {
    expect(await runScript("awaits-ready.ts")).toMatchObject({ code: 0, stdout: "2\n", stderr: "" });
  });
});
