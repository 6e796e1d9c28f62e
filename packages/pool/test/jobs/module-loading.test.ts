/** A job module that makes a pool: by mistake, and as it should be. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { poolUrl, runProgram, type ProgramOptions } from "./run-program.ts";
import { writtenFiles } from "./written-files.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

vi.setConfig({ testTimeout: timeLimit(120_000) });

const code = "ERR_SKEIN_POOL_IN_JOB_MODULE";
/** Writes down that the file was run, on whichever thread. */
const counted = `
  import { ThreadPool } from ${JSON.stringify(poolUrl)};
  import { appendFileSync } from "node:fs";
  appendFileSync(new URL("./starts", import.meta.url), "x");`;
const own = `
  ${counted}
  export const job = (x) => x + 1;
  const jobs = (pool) => pool.module(new URL(import.meta.url));`;

async function run(files: Record<string, string>, options: ProgramOptions = {}, main = "main.mjs") {
  const folder = writtenFiles({ ...files, starts: "" });
  const flags = (options.flags ?? []).map((flag) => flag.replace("FOLDER", folder));
  const nodeOptions = options.nodeOptions?.replace("FOLDER", folder);
  const ended = await runProgram([join(folder, main)], {
    flags,
    ...(nodeOptions === undefined ? {} : { nodeOptions }),
  });
  return { ...ended, starts: readFileSync(join(folder, "starts"), "utf8").length };
}

describe("a program that is its own job module ends soon, with one error that says what to do", () => {
  it.each([
    ["awaited", `const pool = new ThreadPool({ maxThreads: 1 }); await jobs(pool).job(1);`],
    [
      "not awaited",
      `const pool = new ThreadPool({ maxThreads: 1 }); void jobs(pool).job(1).then(() => pool.close());`,
    ],
    ["on the shared pool", `await jobs(ThreadPool.shared).job(1);`],
    ["by run", `await new ThreadPool({ maxThreads: 1 }).run(jobs(ThreadPool.shared).job, [1]);`],
    [
      "by map",
      `const pool = new ThreadPool({ maxThreads: 1 }); for await (const _ of pool.map(jobs(pool).job, [1, 2]));`,
    ],
    [
      "by broadcast",
      `const pool = new ThreadPool({ maxThreads: 1 }); await pool.broadcast(jobs(pool).job, [1]);`,
    ],
    ["on the pool that loads it", `await jobs(ThreadPool.current ?? ThreadPool.shared).job(1);`],
    [
      "in a function",
      `async function main() { const pool = new ThreadPool({ maxThreads: 1 }); await jobs(pool).job(1); } await main();`,
    ],
    [
      "by import of the module that it is",
      `const pool = new ThreadPool({ maxThreads: 1 }); const url = new URL("./jobs.mjs", import.meta.url); await pool.module(url).job(1);`,
    ],
  ])("%s", async (_name, text) => {
    const {
      stderr,
      code: exitCode,
      starts,
    } = await run({
      "main.mjs": own + text,
      "jobs.mjs": `import "./main.mjs"; export const job = (x) => x + 1;`,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(code);
    expect(stderr).toContain("if (isMainThread)");
    expect(starts).toBe(2);
  });

  it("later, from a promise: the threads that start are bounded", async () => {
    const text = `
      async function main() {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const pool = new ThreadPool({ maxThreads: 1 });
        for (let i = 0; i < 20; i++) await jobs(pool).job(1).catch(() => {});
        await pool.close();
      }
      main().catch(() => {});`;
    const { code: exitCode, starts } = await run({ "main.mjs": own + text });
    expect(exitCode).toBe(0);
    expect(starts).toBeLessThanOrEqual(3);
  });

  it("the same for each job of it, without a further thread", async () => {
    const { stdout, starts } = await run({
      "main.mjs": `
        import { ThreadPool } from ${JSON.stringify(poolUrl)};
        const pool = new ThreadPool({ maxThreads: 1 });
        const { job } = pool.module(new URL("./jobs.mjs", import.meta.url));
        for (let i = 0; i < 5; i++) await job(1).catch((error) => console.log(error.code));
        await pool.close();`,
      "jobs.mjs": `${own} jobs(new ThreadPool({ maxThreads: 1 })).job(1).catch(() => {});`,
    });
    expect(stdout).toBe(`${code}\n`.repeat(5));
    expect(starts).toBe(1);
  });
});

describe("a pool is no mistake", () => {
  it.each([
    [
      "with a guard",
      `import { isMainThread } from "node:worker_threads"; if (isMainThread) { const pool = new ThreadPool({ maxThreads: 1 }); console.log(await jobs(pool).job(1)); await pool.close(); }`,
    ],
    [
      "in a Worker of the user",
      `import { isMainThread, Worker } from "node:worker_threads"; if (isMainThread) new Worker(new URL(import.meta.url)); else { const pool = new ThreadPool({ maxThreads: 1 }); console.log(await pool.run((x) => x + 1, [1])); await pool.close(); }`,
    ],
    [
      "in a job",
      `import { isMainThread } from "node:worker_threads"; export async function outer() { const pool = new ThreadPool({ maxThreads: 1 }); try { return await pool.run((x) => x + 1, [1]); } finally { await pool.close(); } } if (isMainThread) { const pool = new ThreadPool({ maxThreads: 1 }); console.log(await jobs(pool).outer()); await pool.close(); }`,
    ],
    [
      "made by a job module, used by its jobs",
      `import { isMainThread } from "node:worker_threads"; const inner = new ThreadPool({ maxThreads: 1 }); export const outer = () => inner.run((x) => x + 1, [1]); if (isMainThread) { const pool = new ThreadPool({ maxThreads: 1 }); console.log(await jobs(pool).outer()); await pool.close(); await inner.close(); }`,
    ],
    [
      "in a timer of a job module",
      `import { isMainThread } from "node:worker_threads"; const { promise, resolve } = Promise.withResolvers(); if (!isMainThread) setTimeout(async () => { const inner = new ThreadPool({ maxThreads: 1 }); resolve(await inner.run((x) => x + 1, [1])); }, 1); export const outer = () => promise; if (isMainThread) { const pool = new ThreadPool({ maxThreads: 1 }); console.log(await jobs(pool).outer()); await pool.close(); }`,
    ],
  ])("%s", async (_name, text) => {
    const { stdout, stderr } = await run({ "main.mjs": own + text });
    expect({ stdout, stderr }).toEqual({ stdout: "2\n", stderr: "" });
  });
});

describe("a preload that makes a pool and runs a job: those of the program run, and threads are bounded", () => {
  const main = `
    import { ThreadPool } from ${JSON.stringify(poolUrl)};
    const pool = new ThreadPool({ maxThreads: 2 });
    const results = await Promise.all([1, 2, 3].map((x) => pool.run((y) => y * 2, [x])));
    await pool.close();
    process.stdout.write("main " + results + "\\n", () => process.exit());`;
  const awaited = `${counted} const pool = new ThreadPool({ maxThreads: 1 }); await pool.run((x) => x + 1, [1]);`;
  const later = `${counted} setTimeout(async () => { const pool = new ThreadPool({ maxThreads: 1 }); await pool.run((x) => x + 1, [1]); }, 1);`;
  const required = `
    require("node:fs").appendFileSync(__dirname + "/starts", "x");
    import(${JSON.stringify(poolUrl)}).then(({ ThreadPool }) => new ThreadPool({ maxThreads: 1 }).run((x) => x + 1, [1]));`;
  it.each<[string, Record<string, string>, ProgramOptions]>([
    ["--import", { "pre.mjs": awaited }, { flags: ["--import", "file://FOLDER/pre.mjs"] }],
    ["--import=", { "pre.mjs": awaited }, { flags: ["--import=file://FOLDER/pre.mjs"] }],
    [
      "--import, beside other flags",
      { "pre.mjs": awaited },
      { flags: ["--expose-gc", "--import", "file://FOLDER/pre.mjs"] },
    ],
    ["--import, after a while", { "pre.mjs": later }, { flags: ["--import", "file://FOLDER/pre.mjs"] }],
    ["--require", { "pre.cjs": required }, { flags: ["--require", "FOLDER/pre.cjs"] }],
    [
      "NODE_OPTIONS",
      { "pre.mjs": awaited },
      { nodeOptions: "--max-old-space-size=500 --import=file://FOLDER/pre.mjs" },
    ],
  ])("%s", async (_name, files, options) => {
    const { stdout, starts } = await run({ ...files, "main.mjs": main }, options);
    expect(stdout).toBe("main 2,4,6\n");
    // On the main thread, on the thread of its pool there, and on those of the program's pool.
    expect(starts).toBeLessThanOrEqual(4);
  });
});
