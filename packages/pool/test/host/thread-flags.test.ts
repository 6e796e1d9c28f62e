/** Pool threads start however the program was started. */
import { describe, expect, it, vi } from "vitest";
import { threadStart, type ThreadOptions } from "../../src/host/thread-flags.ts";
import { poolUrl, runProgram } from "../jobs/run-program.ts";
import { writtenFiles } from "../jobs/written-files.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

vi.setConfig({ testTimeout: timeLimit(120_000) });

const text = `
  import { ThreadPool } from ${JSON.stringify(poolUrl)};
  const pool = new ThreadPool({ maxThreads: 1 });
  console.log(await pool.run((a, b) => a + b, [1, 2]).catch((error) => error.message + error.cause?.code));
  await pool.close();`;
const file = () => `${writtenFiles({ "main.mjs": text })}/main.mjs`;
const empty = () => writtenFiles({ "pre.mjs": "", "pre.cjs": "", ".env": "A=1" });

describe("jobs run when the program is started with", () => {
  it.each<[string, () => string[]]>([
    ["--input-type=module -e", () => ["--input-type=module", "-e", text]],
    [
      "--input-type=commonjs -e",
      () => ["--input-type=commonjs", "-e", `import(${JSON.stringify(`file://${file()}`)})`],
    ],
    ["-e", () => ["-e", text]],
    ["-p", () => ["-p", `import(${JSON.stringify(`file://${file()}`)}); ""`]],
    ["--title", () => ["--title=x", file()]],
    ["flags of V8", () => ["--expose-gc", "--stack-size=900", "--max-old-space-size=500", file()]],
    ["--import", () => ["--import", `file://${empty()}/pre.mjs`, file()]],
    ["--require", () => ["--require", `${empty()}/pre.cjs`, file()]],
    ["--env-file", () => [`--env-file=${empty()}/.env`, file()]],
    ["--permission", () => ["--permission", "--allow-worker", "--allow-fs-read=*", file()]],
    ["--test", () => ["--test", "--test-reporter=tap", file()]],
  ])("%s", async (_name, rest) => {
    const { stdout } = await runProgram(rest(), { flags: ["--no-warnings"] });
    expect(stdout).toMatch(/^(?:# )?3$/m);
  });

  it.each(["--input-type=module", '"--input-type=module"', "--max-old-space-size=500 --input-type=module"])(
    "NODE_OPTIONS=%s",
    async (nodeOptions) => {
      const { stdout, stderr } = await runProgram(["-e", text], { nodeOptions });
      expect({ stdout, stderr }).toEqual({ stdout: "3\n", stderr: "" });
    },
  );
});

it.each([
  ["use the cache of compiled code that the program turned on", "", true],
  ["have the environment that they were given, and no more", "env: {}", false],
])("threads %s", async (_title, options, isCached) => {
  const program = `
    import { enableCompileCache, getCompileCacheDir } from "node:module";
    import { ThreadPool } from ${JSON.stringify(poolUrl)};
    enableCompileCache(${JSON.stringify(writtenFiles({}))});
    const pool = new ThreadPool({ maxThreads: 1, ${options} });
    const directory = await pool.run(() => process.getBuiltinModule("node:module").getCompileCacheDir());
    console.log(directory === getCompileCacheDir());
    await pool.close();`;
  const { stdout } = await runProgram(["--input-type=module", "-e", program], { flags: ["--no-warnings"] });
  expect(stdout).toBe(`${isCached}\n`);
});

it("what fails in the first module of a thread ends it under every flag", async () => {
  const folder = writtenFiles({ "init.mjs": `throw new Error("no database");` });
  const failing = text
    .replace("maxThreads: 1", `maxThreads: 1, initialize: ${JSON.stringify(`file://${folder}/init.mjs`)}`)
    .replace("error.message + error.cause?.code", "error.cause.message");
  const flags = ["--input-type=module", "--unhandled-rejections=warn"];
  const { stdout } = await runProgram(["-e", failing], { flags });
  expect(stdout).toBe("no database\n");
});

it("what Object.prototype holds does not reach the threads", async () => {
  const values = {
    execArgv: ["--no-such-flag"],
    env: { NODE_OPTIONS: "--no-such-flag" },
    argv: 7,
    eval: true,
    stdin: true,
    stdout: true,
    name: 7,
    resourceLimits: { maxOldGenerationSizeMb: 1 },
    maxOldGenerationSizeMb: 1,
    stackSizeMb: 0.01,
    trackUnmanagedFds: 7,
    transferList: 7,
    workerData: 7,
  };
  const program = `
    import { ThreadPool } from ${JSON.stringify(poolUrl)};
    for (const [name, value] of Object.entries(${JSON.stringify(values)})) {
      Object.prototype[name] = value;
      const pool = new ThreadPool({ maxThreads: 1, resourceLimits: {} });
      const result = await pool.run((a, b) => a + b, [1, 2]).catch((error) => error.message + error.cause?.code);
      await pool.close();
      delete Object.prototype[name];
      if (result !== 3) console.log(name, result);
    }`;
  const { stdout, stderr, code } = await runProgram(["--input-type=module", "-e", program]);
  expect({ stdout, stderr, code }).toEqual({ stdout: "", stderr: "", code: 0 });
});

describe("options of the user", () => {
  const entry = new URL("file:///entry.js");
  const defaults: ThreadOptions = {
    name: "n",
    env: undefined,
    execArgv: undefined,
    resourceLimits: undefined,
    workerData: undefined,
    argv: undefined,
    runsPreloads: true,
  };

  it("are handed on, and nothing else is", () => {
    const start = threadStart(entry, {
      ...defaults,
      execArgv: ["--no-warnings"],
      env: { A: "1" },
      resourceLimits: { stackSizeMb: 2 },
      workerData: 0,
      argv: ["b"],
    });
    expect(start.entry).toBe(entry);
    expect({ ...start.options }).toEqual({
      name: "n",
      execArgv: ["--no-warnings"],
      env: { A: "1" },
      resourceLimits: { stackSizeMb: 2 },
      workerData: 0,
      argv: ["b"],
    });
    for (const object of [start.options, start.options.env, start.options.resourceLimits])
      expect(Object.getPrototypeOf(object)).toBeNull();
    expect(Object.keys(threadStart(entry, defaults).options)).toEqual(["name"]);
  });

  it("--input-type among them is no obstacle", () => {
    const start = threadStart(entry, { ...defaults, execArgv: ["--input-type=module"] });
    expect(start.options.eval).toBe(true);
    expect(start.entry).toContain(JSON.stringify(entry.href));
  });

  it("without preloads, the conditions are kept", () => {
    const { execArgv } = process;
    process.execArgv = ["--import", "a", "-C", "b", "--conditions=c", "--conditions", "d", "--expose-gc"];
    try {
      const { options } = threadStart(entry, { ...defaults, runsPreloads: false });
      expect(options.execArgv).toEqual(["-C", "b", "--conditions=c", "--conditions", "d"]);
      expect(options.env).not.toHaveProperty("NODE_OPTIONS");
    } finally {
      process.execArgv = execArgv;
    }
  });
});
