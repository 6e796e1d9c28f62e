/** A module that failed to load is loaded anew, once what it needs is there again. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ThreadPool, type ThreadPoolOptions } from "../../src/index.ts";
import type * as Loads from "./fixtures/loads.jobs.ts";
import { throwsWhileDown, throwsWhileDownCjs, writtenFiles } from "./written-files.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

// Every failure is a thread that starts, which may take seconds on a busy machine.
vi.setConfig({ testTimeout: timeLimit(120_000) });

interface Query {
  query(): number;
}

let pool: ThreadPool;
let threads = 0;
const count = (): void => void threads++;

function start(options: ThreadPoolOptions): ThreadPool {
  threads = 0;
  subscribe("skein:thread:start", count);
  return (pool = new ThreadPool(options));
}

afterEach(async () => {
  await pool.close({ drain: false });
  unsubscribe("skein:thread:start", count);
});

const query = "export const query = () => 42;";
const modules: [string, string, Record<string, string>][] = [
  ["the module itself", "db.jobs.mjs", { "db.jobs.mjs": throwsWhileDown + query }],
  [
    "a module that it imports",
    "db.jobs.mjs",
    { "db.jobs.mjs": `import "./db.mjs"; ${query}`, "db.mjs": throwsWhileDown },
  ],
  [
    "a module that it imports, after an await",
    "db.jobs.mjs",
    { "db.jobs.mjs": `export * from "./db.mjs";`, "db.mjs": `await 0; ${throwsWhileDown} ${query}` },
  ],
  ["CommonJS", "db.jobs.cjs", { "db.jobs.cjs": `${throwsWhileDownCjs} exports.query = () => 42;` }],
  [
    "CommonJS that an ES module imports",
    "db.jobs.mjs",
    { "db.jobs.mjs": `import "./db.cjs"; ${query}`, "db.cjs": throwsWhileDownCjs },
  ],
];

describe.each(modules)("an outage while it is loaded: %s", (_name, entry, files) => {
  it("fails the jobs that met it, and no later one", async () => {
    const folder = writtenFiles({ ...files, down: "" });
    start({ maxThreads: 2 });
    const db = pool.module<Query>(join(folder, entry));
    for (let i = 0; i < 2; i++) await expect(db.query()).rejects.toThrow("down");
    rmSync(join(folder, "down"));
    const results = [await db.query(), ...(await Promise.all(Array.from({ length: 20 }, () => db.query())))];
    expect(new Set(results)).toEqual(new Set([42]));
  });
});

describe("what was wrong with the file", () => {
  it.each([
    ["a syntax error", "export const query = ;", SyntaxError],
    ["an import of what does not exist", `import "./nowhere.mjs";`, Error],
    [
      "an import of a name that does not exist",
      `import { nothing } from "node:path"; nothing();`,
      SyntaxError,
    ],
  ])("%s: once it is mended, jobs run", async (_name, broken, kind) => {
    const folder = writtenFiles({ "db.jobs.mjs": broken });
    start({ maxThreads: 1 });
    const db = pool.module<Query>(join(folder, "db.jobs.mjs"));
    await expect(db.query()).rejects.toBeInstanceOf(kind);
    writeFileSync(join(folder, "db.jobs.mjs"), query);
    expect(await db.query()).toBe(42);
  });

  it("was not there yet", async () => {
    const folder = writtenFiles({});
    start({ maxThreads: 1 });
    const db = pool.module<Query>(join(folder, "db.jobs.mjs"));
    await expect(db.query()).rejects.toMatchObject({ code: "ERR_SKEIN_JOB_MODULE" });
    writeFileSync(join(folder, "db.jobs.mjs"), query);
    expect(await db.query()).toBe(42);
    expect(threads).toBe(1);
  });
});

const loads = new URL("./fixtures/loads.jobs.ts", import.meta.url);

it("a job that tries again itself gets another thread for it, although there is one thread only", async () => {
  const folder = writtenFiles({ "db.jobs.mjs": throwsWhileDown + query, down: "" });
  start({ maxThreads: 1 });
  const { mendAndRetry } = pool.module<typeof Loads>(loads);
  const url = pathToFileURL(join(folder, "db.jobs.mjs")).href;
  expect(await mendAndRetry(url, join(folder, "down"))).toEqual(["down", 42]);
});

it("a module that always fails does not cost a thread for each job, and harms no other", async () => {
  const folder = writtenFiles({ "db.jobs.mjs": throwsWhileDown + query, down: "" });
  start({ maxThreads: 1 });
  const db = pool.module<Query>(join(folder, "db.jobs.mjs"));
  for (let i = 0; i < 150; i++) {
    await expect(db.query()).rejects.toThrow("down");
    expect(await pool.run((a: number) => a + 1, [i])).toBe(i + 1);
  }
  expect(threads).toBeLessThan(75);
  // The thread that stayed is replaced in the end, too.
  rmSync(join(folder, "down"));
  await expect.poll(async () => db.query().catch(() => 0), { timeout: timeLimit(60_000) }).toBe(42);
});

it("jobs of other modules that wait behind one that failed all run", async () => {
  const folder = writtenFiles({ "db.jobs.mjs": throwsWhileDown + query, down: "" });
  start({ maxThreads: 1 });
  const db = pool.module<Query>(join(folder, "db.jobs.mjs"));
  const failed = db.query().then(null, (error: unknown) => (error as Error).message);
  const others = Array.from({ length: 50 }, (_, i) => pool.run((a: number) => a, [i]));
  expect(await Promise.all(others)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(await failed).toBe("down");
});

/** Takes long enough for a second thread to be wanted. */
async function inThread(): Promise<number> {
  const { threadId } = await import("node:worker_threads");
  await new Promise((resolve) => setTimeout(resolve, 50));
  return threadId;
}

describe("initialize", () => {
  it("failed once: the pool has a thread all the same, and no job fails", async () => {
    const folder = writtenFiles({
      "init.mjs": `
        import { existsSync, unlinkSync } from "node:fs";
        const down = new URL("./down", import.meta.url);
        if (existsSync(down)) { unlinkSync(down); throw new Error("down"); }`,
      down: "",
    });
    start({ maxThreads: 1, initialize: join(folder, "init.mjs") });
    expect(await pool.run((a: number) => a + 1, [1])).toBe(2);
  });

  it("fails: the jobs reject with an error that names it; the next one tries anew", async () => {
    const folder = writtenFiles({ "init.mjs": throwsWhileDown, down: "" });
    start({ maxThreads: 2, initialize: join(folder, "init.mjs") });
    const run = () => pool.run((a: number) => a + 1, [1]);
    await expect(run()).rejects.toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      message: expect.stringMatching(/`initialize` is file:.*\/init\.mjs/),
      cause: { message: "down" },
    });
    rmSync(join(folder, "down"));
    expect(await run()).toBe(2);
  });

  it("failed for further threads: they start once it works again", async () => {
    const folder = writtenFiles({ "init.mjs": throwsWhileDown });
    start({ maxThreads: 1, initialize: join(folder, "init.mjs") });
    const twoAtOnce = async () => {
      const [a, b] = await Promise.all([0, 1].map(() => pool.run(inThread, [])));
      return a !== b;
    };
    await pool.run(inThread, []);
    writeFileSync(join(folder, "down"), "");
    pool.setMaxThreads(2);
    pool.setMinThreads(2);
    let failures = 0;
    const fails = (): void => void failures++;
    subscribe("skein:thread:exit", fails);
    await expect
      .poll(() => twoAtOnce().then(() => failures), { timeout: timeLimit(60_000) })
      .toBeGreaterThan(2);
    unsubscribe("skein:thread:exit", fails);
    rmSync(join(folder, "down"));
    await expect.poll(twoAtOnce, { timeout: timeLimit(60_000) }).toBe(true);
  });

  it("is loaded like a job module: TypeScript that Node cannot strip, and its compiled form", async () => {
    const folder = writtenFiles({ "init.js": "globalThis.initialized = 'compiled';" });
    start({ maxThreads: 1, initialize: join(folder, "init.ts") });
    expect(await pool.run(() => (globalThis as { initialized?: string }).initialized, [])).toBe("compiled");
    await pool.close();
    start({ maxThreads: 1, initialize: new URL("./fixtures/enum.ts", import.meta.url) });
    expect(await pool.run(() => 1, [])).toBe(1);
  });
});

it("a module is loaded in nobody's context, whichever job is the first to need it", async () => {
  start({ maxThreads: 1 });
  const { seenAtLoad, install } = pool.module<typeof Loads>(loads);
  await install();
  const folder = writtenFiles({
    "later.mjs": `
      const { storage } = globalThis;
      const seen = [storage.getStore()];
      await 0;
      seen.push(storage.getStore());
      export const atLoad = () => seen;`,
  });
  const later = pathToFileURL(join(folder, "later.mjs")).href;
  expect(await seenAtLoad(later)).toEqual([undefined, undefined]);
});
