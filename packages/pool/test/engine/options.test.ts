/** Every option of every call: a bad value is refused at once, by the name that the caller wrote. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import { parallelFor } from "../../src/worker.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { sampleJobs } from "../gate.ts";

const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Sample>(sampleJobs);
afterAll(() => pool.close());

type Call = (options: object) => unknown;
const make: Call = (options) => new ThreadPool(options);
const run: Call = (options) => pool.run(jobs.add, [1, 2], options);
const map: Call = (options) => pool.map(jobs.echo, [1], options);
const module: Call = (options) => pool.module(sampleJobs, options);
const close: Call = (options) => pool.close(options);
const start: Call = (options) => pool.start(1, options);
const startCount: Call = ({ count }: { count?: number }) => pool.start(count);
const ready: Call = (options) => pool.ready(options);
const parallel: Call = (options) => parallelFor(() => {}, { from: 0, to: 1, ...options });

describe("bad options are named as the caller named them", () => {
  const nothing = ["x", null, {}, Number.NaN, -1, true, 1n];
  const notNumbers = ["1", null, {}, true, 1n];
  it.each<[string, Call, string, readonly unknown[]]>([
    ["new ThreadPool", make, "name", [1, null, {}]],
    ["new ThreadPool", make, "minThreads", [...notNumbers, -1, 1.5, 1025]],
    ["new ThreadPool", make, "maxThreads", [...notNumbers, 0, 1.5, 1025, Infinity]],
    ["new ThreadPool", make, "idleTimeoutMs", [...notNumbers, 0, -1, Number.NaN, 2 ** 31]],
    ["new ThreadPool", make, "jobsPerThread", [...notNumbers, 0, 65_537]],
    ["new ThreadPool", make, "maxJobsPerThread", [...notNumbers, 0, 1.5]],
    ["new ThreadPool", make, "maxHeapBytesPerThread", [...notNumbers, 0, 2 ** 24 - 1, 2 ** 41]],
    ["new ThreadPool", make, "maxThreadAgeMs", [...notNumbers, 0, -1, Number.NaN]],
    ["new ThreadPool", make, "maxQueue", [...notNumbers, -1, 0.5]],
    ["new ThreadPool", make, "maxQueueBytes", [...notNumbers, 0, 2 ** 32 + 1]],
    [
      "new ThreadPool",
      make,
      "initialize",
      [1, null, {}, "./a.mjs", "https://x.org/a.mjs", new URL("data:,1")],
    ],
    ["new ThreadPool", make, "spinLimitUs", [...notNumbers, -1, 1001]],
    ["new ThreadPool", make, "env", [1, "x", null, Symbol("mine")]],
    ["new ThreadPool", make, "workerData", [() => {}, Symbol("mine"), { deep: [() => {}] }]],
    ["new ThreadPool", make, "argv", [1, "x", null, {}, [1]]],
    ["new ThreadPool", make, "execArgv", [1, "x", null, {}, [1]]],
    ["new ThreadPool", make, "resourceLimits", [1, "x", null, []]],
    ["new ThreadPool", make, "trace", [1, null, true, "", new URL("https://x.org/trace.json")]],
    ["run", run, "signal", nothing],
    ["run", run, "timeoutMs", [...notNumbers, 0, -1, Number.NaN, 2 ** 31]],
    ["run", run, "runTimeoutMs", [...notNumbers, 0, -1, Number.NaN, 2 ** 31]],
    ["run", run, "priority", nothing],
    ["run", run, "continuations", [...nothing, "later"]],
    ["run", run, "retries", [...notNumbers, -1, 101]],
    ["run", run, "onCancel", nothing],
    ["run", run, "exclusive", [1, "x", null]],
    ["run", run, "graceMs", [...notNumbers, -1, 0.5, 2 ** 31, Infinity]],
    ["run", run, "onProgress", nothing],
    ["run", run, "transfer", nothing],
    ["run", run, "flowContext", ["x", null, 1]],
    ["module", module, "signal", nothing],
    ["module", module, "graceMs", [-1]],
    ["module", module, "transfer", [[new ArrayBuffer(1)]]],
    ["map", map, "concurrency", [...notNumbers, 0, 65_537]],
    ["map", map, "chunkSize", [...notNumbers, 0, 65_537]],
    ["map", map, "ordered", [1, "x", null]],
    ["map", map, "signal", nothing],
    ["close", close, "drain", [1, "x", null]],
    ["close", close, "timeoutMs", [...notNumbers, 0, -1]],
    ["start", startCount, "count", [...notNumbers, 0, -1, 1.5, 2]],
    ["ready", ready, "below", [...notNumbers, 0, -1, 1.5, Infinity]],
    ["start", start, "modules", [1, "x", null, {}]],
    ["parallelFor", parallel, "from", [...notNumbers, 0.5]],
    ["parallelFor", parallel, "to", [...notNumbers, 0.5]],
    ["parallelFor", parallel, "grain", [...notNumbers, 0, -1, 0.5]],
    ["parallelFor", parallel, "args", [1, "x", {}, null]],
  ])("%s, %s", (_, call, name, values) => {
    for (const value of values) {
      let error: unknown;
      try {
        call({ [name]: value });
      } catch (thrown) {
        error = thrown;
      }
      expect([value, error]).toEqual([
        value,
        expect.objectContaining({
          code: expect.stringMatching(/^ERR_SKEIN_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/) as string,
          message: expect.stringContaining(`Expected \`${name}\` to be `) as string,
        }),
      ]);
    }
  });

  it.each([
    [make, { trace: { file: 1 } }, "`trace.file`"],
    [make, { trace: {} }, "`trace.file`"],
    [make, { trace: { file: "x", eventsPerThread: 1 } }, "`trace.eventsPerThread`"],
    [make, { resourceLimits: { stackSizeMb: -1 } }, "`resourceLimits.stackSizeMb`"],
    [make, { resourceLimits: { stackSizeMb: "4" } }, "`resourceLimits.stackSizeMb`"],
    [make, { minThreads: 3, maxThreads: 2 }, "`minThreads`"],
    [start, { modules: [new URL("file:///a.mjs"), "./a.mjs"] }, "`modules[1]`"],
    [run, { transfer: [1] }, "`transfer[0]`"],
    [run, { transfer: [new ArrayBuffer(1)], retries: 1 }, "`retries`"],
  ])("%o with %o names %s", (call, options, named) => {
    expect(() => call(options)).toThrow(named);
  });
});

describe("what is no option is refused, with the one that was meant", () => {
  it.each<[string, Call, object, string, string]>([
    ["new ThreadPool", make, { maxThread: 2 }, "maxThread", "maxThreads"],
    ["new ThreadPool", make, { threads: 2 }, "threads", "maxThreads"],
    ["new ThreadPool", make, { idleTimeout: 2 }, "idleTimeout", "idleTimeoutMs"],
    [
      "new ThreadPool",
      make,
      { resourceLimits: { maxOldSpaceSizeMb: 2 } },
      "maxOldSpaceSizeMb",
      "maxOldGenerationSizeMb",
    ],
    ["new ThreadPool", make, { trace: { filename: "x" } }, "filename", "file"],
    ["run", run, { timeout: 1 }, "timeout", "timeoutMs"],
    ["run", run, { retry: 1 }, "retry", "retries"],
    ["run", run, { abortSignal: undefined }, "abortSignal", "signal"],
    ["run", run, { transferList: [] }, "transferList", "transfer"],
    ["module", module, { grace: 1 }, "grace", "graceMs"],
    ["map", map, { chunk: 1 }, "chunk", "chunkSize"],
    ["map", map, { concurency: 1 }, "concurency", "concurrency"],
    ["close", close, { timeout: 1 }, "timeout", "timeoutMs"],
    ["start", start, { module: [] }, "module", "modules"],
    ["parallelFor", parallel, { grains: 1 }, "grains", "grain"],
  ])("%s(%o)", (_, call, options, given, meant) => {
    expect(() => call(options)).toThrow(
      expect.objectContaining({
        code: "ERR_SKEIN_UNKNOWN_OPTION",
        message: expect.stringMatching(new RegExp(`\`${given}\`.*Did you mean \`${meant}\`\\?$`)) as string,
      }),
    );
  });

  it("with a list of all options when none is near", () => {
    expect(() => make({ filename: "x.mjs" })).toThrow("Known options: maxThreads, minThreads, name,");
    expect(() => run([1] as never)).toThrow("Expected `options` to be an object, got an array");
  });
});

describe("options are the caller's own, read once", () => {
  const inherited = {
    timeoutMs: -1,
    maxThreads: 0,
    resourceLimits: 1,
    unknown: 1,
    drain: 3,
    concurrency: 0,
  } as const;
  afterEach(() => {
    for (const name of Object.keys(inherited)) Reflect.deleteProperty(Object.prototype, name);
  });

  it("a polluted Object.prototype adds nothing", async () => {
    for (const [name, value] of Object.entries(inherited))
      // oxlint-disable-next-line no-extend-native -- what somebody else does, and what is taken back
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    const fresh = new ThreadPool({});
    expect(await fresh.run(() => 1, [], {})).toBe(1);
    for await (const result of fresh.map((x: number) => x, [7], {})) expect(result).toBe(7);
    await fresh.close({});
  });

  it("getters are called once, before anything is submitted", async () => {
    const reads: string[] = [];
    const before = pool.stats().submitted;
    const options = {
      get signal(): AbortSignal {
        reads.push(`signal ${pool.stats().submitted - before}`);
        return new AbortController().signal;
      },
      get timeoutMs(): number {
        reads.push(`timeoutMs ${pool.stats().submitted - before}`);
        return 60_000;
      },
    };
    expect(await pool.run(jobs.add, [1, 2], options)).toBe(3);
    expect(reads).toEqual(["signal 0", "timeoutMs 0"]);
  });

  it("a getter that throws leaves nothing behind", async () => {
    const before = pool.stats().submitted;
    const options = {
      get timeoutMs(): number {
        throw new Error("no time");
      },
    };
    expect(() => pool.run(jobs.add, [1, 2], options)).toThrow("no time");
    expect(() => pool.module(sampleJobs, options)).toThrow("no time");
    expect(pool.stats().submitted).toBe(before);
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("env and execArgv are read when the pool is made, not when a thread starts", async () => {
    let reads = 0;
    const env = {
      get MINE(): string {
        return `read ${++reads}`;
      },
    };
    const execArgv = ["--conditions=@skein/source"];
    await using fresh = new ThreadPool({ maxThreads: 1, env, execArgv });
    expect(reads).toBe(1);
    execArgv.push("--no-such-flag");
    expect(await fresh.run(() => process.env["MINE"])).toBe("read 1");
    expect(reads).toBe(1);
  });
});
