/** The timeline: what a pool writes when it is traced. Every trace that is read here is checked as a whole, see chrome-trace.ts. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { ThreadPool, type ThreadPoolOptions } from "../../src/index.ts";
import { type ChromeTrace, endOf, journey, moments, readTraceFile, sliceAt, slices } from "./chrome-trace.ts";
import type * as ForkJoin from "../fixtures/fork-join.jobs.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { allStarted, makeGate, open, opened, sampleJobs } from "../gate.ts";
import { runScript } from "../run-script.ts";

const folder = mkdtempSync(join(tmpdir(), "skein-trace-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Jobs {
  readonly pool: ThreadPool;
  readonly sample: ReturnType<typeof ThreadPool.prototype.module<typeof Sample>>;
  readonly nested: ReturnType<typeof ThreadPool.prototype.module<typeof Nested>>;
  readonly forkJoin: ReturnType<typeof ThreadPool.prototype.module<typeof ForkJoin>>;
}

let files = 0;
/** Runs `body` on a pool, closes it, and reads the trace. */
async function traced(
  body: (jobs: Jobs) => Promise<void>,
  options: ThreadPoolOptions = {},
  eventsPerThread?: number,
): Promise<ChromeTrace> {
  const file = join(folder, `${files++}.json`);
  const pool = new ThreadPool({ maxThreads: 2, trace: { file, eventsPerThread }, ...options });
  try {
    await body({
      pool,
      sample: pool.module<typeof Sample>(sampleJobs),
      nested: pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url)),
      forkJoin: pool.module<typeof ForkJoin>(new URL("../fixtures/fork-join.jobs.ts", import.meta.url)),
    });
  } finally {
    await pool.close({ timeoutMs: 120_000 });
  }
  return readTraceFile(file);
}

/** Where a job's module is loaded once, by the first job that needs it. */
const oneThread: ThreadPoolOptions = { maxThreads: 1 };

/** The names of the slices that the arrows of a job pass. */
function stations(trace: ChromeTrace, job: unknown): string[] {
  return journey(trace, job).map((point) => sliceAt(trace, point)!.name);
}

const settled = (task: PromiseLike<unknown>): PromiseLike<unknown> =>
  task.then(null, (error: unknown) => error);

function cancellation(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe("a trace", () => {
  it("leads by arrows from each submission over the run to the settlement", async () => {
    const trace = await traced(async ({ sample }) => {
      await sample.add(1, 2);
      await Promise.all(Array.from({ length: 300 }, (_, i) => sample.echo(i)));
      await settled(sample.fail("x"));
    }, oneThread);
    const submissions = slices(trace, "submit echo");
    expect(submissions).toHaveLength(300);
    for (const { args } of submissions) {
      expect(stations(trace, args!["job"])).toEqual(["submit echo", "echo", "settle echo"]);
    }
    const runs = slices(trace, "echo");
    expect(runs).toHaveLength(300);
    for (const { args } of runs) {
      expect(args).toMatchObject({ priority: "normal", outcome: "completed" });
      expect(args!["waitUs"]).toBeGreaterThanOrEqual(0);
    }
    expect(slices(trace, "fail")[0]!.args).toMatchObject({ outcome: "failed" });
    expect(slices(trace, "settle fail")[0]!.args).toMatchObject({ outcome: "failed" });
  });

  it("has a track per thread, with its name, its start, its rest and its end", async () => {
    const trace = await traced(async ({ pool }) => {
      await allStarted(pool, 2);
      while (pool.stats().threads.parked < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    });
    const names = trace.traceEvents
      .filter(({ name }) => name === "thread_name")
      .map(({ args }) => args!["name"] as string);
    expect(names).toHaveLength(3);
    expect(names[0]).toMatch(/host/);
    expect(names.slice(1).every((name) => /^pool thread \d+$/.test(name))).toBe(true);
    const starts = slices(trace, "thread start");
    expect(new Set(starts.map(({ tid }) => tid)).size).toBe(2);
    expect(moments(trace, "thread exit")).toHaveLength(2);
    for (const { tid, ts } of starts) {
      const others = trace.traceEvents.filter((event) => event.ph === "X" && event.tid === tid);
      expect(others.every((event) => event.ts >= ts)).toBe(true);
      expect(others.some(({ name }) => name === "parked")).toBe(true);
    }
  });

  it("shows a job that awaits as its parts, and as one slice beside the track", async () => {
    const trace = await traced(async ({ sample }) => {
      await sample.echoLater(1);
      await sample.echoLater(2);
    }, oneThread);
    const [first, second] = slices(trace, "submit echoLater").map(({ args }) => args!["job"]);
    // The first one had its module loaded.
    expect(stations(trace, first)).toEqual([
      "submit echoLater",
      "echoLater",
      "echoLater",
      "finish echoLater",
      "settle echoLater",
    ]);
    expect(stations(trace, second)).toEqual([
      "submit echoLater",
      "echoLater",
      "finish echoLater",
      "settle echoLater",
    ]);
    for (const job of [first, second]) {
      const of = (ph: string) => trace.traceEvents.find((event) => event.ph === ph && event.id === job)!;
      const run = slices(trace, "echoLater").find(({ args }) => args!["job"] === job)!;
      const finish = slices(trace, "finish echoLater").find(({ args }) => args!["job"] === job)!;
      expect(of("b").ts).toBe(run.ts);
      expect(of("e").ts).toBe(endOf(finish));
    }
    expect(slices(trace, "finish echoLater")[0]!.args).toMatchObject({ outcome: "completed" });
  });

  it("knows jobs that jobs submit: who submitted them, on which thread they ran, where they went on", async () => {
    const trace = await traced(async ({ nested }) => {
      expect(await nested.sumOfSquares(5)).toBe(30);
      expect(await nested.nest(3)).toBe(3);
    });
    const submissions = slices(trace, "submit square");
    expect(submissions).toHaveLength(5);
    for (const { tid, args } of submissions) {
      expect(tid).not.toBe(0);
      expect(stations(trace, args!["job"])).toEqual(
        expect.arrayContaining(["submit square", "square", "settle square"]),
      );
      expect(journey(trace, args!["job"]).at(-1)!.tid).toBe(tid);
    }
    const [outer, ...inner] = slices(trace, "submit nest").toSorted((a, b) => a.ts - b.ts);
    expect(outer!.args!["by"]).toBeUndefined();
    expect(inner.map(({ args }) => args!["by"])).toContain(outer!.args!["job"]);
  });

  it("nests forked jobs in the job that joins them", async () => {
    const trace = await traced(
      async ({ forkJoin }) => {
        expect(await forkJoin.fibonacci(7)).toBe(13);
      },
      { maxThreads: 1 },
    );
    const runs = slices(trace, "fibonacci");
    const [outer] = slices(trace, "submit fibonacci").toSorted((a, b) => a.ts - b.ts);
    const [root] = runs.filter(({ args }) => args!["job"] === outer!.args!["job"]).slice(-1);
    const inner = runs.filter(({ args }) => args!["job"] !== outer!.args!["job"]);
    expect(inner.length).toBeGreaterThan(10);
    for (const run of inner) {
      expect(run.ts).toBeGreaterThanOrEqual(root!.ts);
      expect(endOf(run)).toBeLessThanOrEqual(endOf(root!));
      expect(stations(trace, run.args!["job"])).toEqual([
        "submit fibonacci",
        "fibonacci",
        "settle fibonacci",
      ]);
    }
  });

  it("shows what was stolen, at the thief", async () => {
    const trace = await traced(async ({ nested, pool }) => {
      await allStarted(pool, 2);
      const threads = await nested.threadsOf(makeGate(), 20);
      expect(new Set(threads).size).toBe(2);
    });
    const steals = moments(trace, "steal");
    expect(steals.length).toBeGreaterThan(0);
    for (const { tid, ts, args } of steals) {
      const run = slices(trace, args!["function"] as string).find(
        (slice) => slice.args!["job"] === args!["job"],
      )!;
      expect(run.tid).toBe(tid);
      expect(run.ts).toBeGreaterThanOrEqual(ts);
      const submission = trace.traceEvents.find(({ ph, id }) => ph === "s" && id === args!["job"])!;
      expect(submission.tid).not.toBe(tid);
    }
  });

  it("shows a cancellation: of a queued job, which never runs, and of a running one, which runs on", async () => {
    const trace = await traced(
      async ({ pool, sample }) => {
        const gate = makeGate();
        const [first, second] = [cancellation(), cancellation()];
        const running = settled(pool.run(sample.spinUntilCancelled, [gate], { signal: first.signal }));
        await opened(gate);
        const queued = settled(pool.run(sample.echo, [1], { signal: second.signal, priority: "low" }));
        // While the thread is busy.
        second.abort();
        first.abort();
        await Promise.all([running, queued]);
        await opened(gate, 1);
      },
      { maxThreads: 1 },
    );
    expect(moments(trace, "cancel").map(({ args }) => args!["function"])).toEqual([
      "echo",
      "spinUntilCancelled",
    ]);
    const [queued] = slices(trace, "submit echo");
    expect(queued!.args).toMatchObject({ priority: "low" });
    expect(stations(trace, queued!.args!["job"])).toEqual(["submit echo", "settle echo"]);
    expect(slices(trace, "echo")).toEqual([]);
    const [settlement] = slices(trace, "settle spinUntilCancelled");
    expect(settlement!.args).toMatchObject({ outcome: "canceled" });
    // It ended by itself, later than it was told to.
    const run = slices(trace, "spinUntilCancelled").at(-1)!;
    expect(run.args!["outcome"]).not.toBe("unfinished");
  });

  it("keeps what a thread did before it died, the job that it ran included", async () => {
    const trace = await traced(
      async ({ pool, sample }) => {
        await Promise.all(Array.from({ length: 20 }, (_, i) => sample.echo(i)));
        await settled(sample.exit(0));
        await sample.add(1, 2);
        await settled(sample.exit(7));
        await settled(sample.throwLater("boom"));
        const gate = makeGate();
        const { signal, abort } = cancellation();
        const stuck = pool.run(sample.spinForever, [gate], { signal, onCancel: "terminate", graceMs: 1 });
        await opened(gate);
        abort();
        await settled(stuck);
        await sample.add(1, 2);
      },
      { maxThreads: 1 },
    );
    expect(slices(trace, "echo").length).toBeGreaterThanOrEqual(20);
    const crashes = moments(trace, "thread crash");
    expect(crashes.map(({ args }) => args!["exitCode"])).toEqual([0, 7, 1, 1]);
    expect(crashes[2]!.args!["reason"]).toContain("boom");
    const exits = slices(trace, "exit").filter(({ args }) => args!["outcome"] === "crashed");
    expect(exits.map((slice) => endOf(slice))).toEqual(crashes.slice(0, 2).map(({ ts }) => ts));
    const stuck = slices(trace, "spinForever").at(-1)!;
    expect(stuck.args).toMatchObject({ outcome: "crashed" });
    expect(endOf(stuck)).toBe(crashes[3]!.ts);
    for (const settlement of slices(trace, "settle exit"))
      expect(settlement.args).toMatchObject({ outcome: "crashed" });
    expect(new Set(slices(trace, "thread start").map(({ tid }) => tid)).size).toBe(5);
  });

  it("shows every run of a job that runs again after a crash, with one arrow through all", async () => {
    const trace = await traced(
      async ({ pool, sample }) => {
        await sample.add(1, 1);
        expect(await pool.run(sample.dieUntil, [makeGate(), 3, "done"], { retries: 2 })).toBe("done");
      },
      { maxThreads: 1 },
    );
    const [submission] = slices(trace, "submit dieUntil");
    const runs = slices(trace, "dieUntil").filter(({ args }) => args!["outcome"] !== "awaiting");
    expect(new Set(slices(trace, "dieUntil").map(({ tid }) => tid)).size).toBe(3);
    expect(runs.length).toBeGreaterThanOrEqual(1);
    expect(
      stations(trace, submission!.args!["job"]).filter((name) => name === "dieUntil").length,
    ).toBeGreaterThanOrEqual(3);
  });

  it("counts what waits, by priority, down to nothing", async () => {
    const trace = await traced(
      async ({ pool, sample }) => {
        const gate = makeGate();
        const busy = sample.block(gate);
        const others = Array.from({ length: 50 }, (_, i) =>
          pool.run(sample.echo, [i], { priority: i < 20 ? "high" : "low" }),
        );
        open(gate);
        await Promise.all([busy, ...others]);
      },
      { maxThreads: 1 },
    );
    const counters = trace.traceEvents.filter(({ ph }) => ph === "C").map(({ args }) => args!);
    expect(Math.max(...counters.map((args) => args["high"] as number))).toBe(20);
    expect(Math.max(...counters.map((args) => args["low"] as number))).toBe(30);
    expect(counters.at(-1)).toEqual({ high: 0, normal: 0, low: 0, local: 0 });
  });

  it("keeps the newest events of each thread and says how many it dropped", async () => {
    const trace = await traced(
      async ({ sample }) => {
        for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 1000 }, (_, n) => sample.echo(n)));
        await sample.add(1, 2);
      },
      { maxThreads: 1 },
      1024,
    );
    expect(trace.otherData["eventsPerThread"]).toBe(1024);
    expect(trace.otherData["droppedEvents"]).toMatch(/host\): \d+, pool thread \d+: \d+/);
    expect(moments(trace, "older events were dropped")).toHaveLength(2);
    expect(slices(trace, "submit echo").length).toBeLessThan(600);
    const [last] = slices(trace, "submit add");
    expect(stations(trace, last!.args!["job"])).toEqual(["submit add", "add", "settle add"]);
  });

  it("names functions that are shipped as source", async () => {
    const trace = await traced(async ({ pool }) => {
      await pool.run(
        function double(n: number) {
          return 2 * n;
        },
        [1],
      );
      await pool.run((n: number) => n + 1, [1]);
    });
    expect(slices(trace, "double")).toHaveLength(1);
    expect(slices(trace, "(n) => n + 1")).toHaveLength(1);
  });

  it("replaces the file of an earlier pool in one step, and leaves nothing else behind", async () => {
    const own = mkdtempSync(join(folder, "own-"));
    const file = join(own, "trace.json");
    writeFileSync(file, "old");
    const pool = new ThreadPool({ maxThreads: 1, trace: pathToFileURL(file) });
    await pool.run((n: number) => n, [1]);
    await pool.close();
    expect(readTraceFile(file).traceEvents.length).toBeGreaterThan(5);
    expect(readdirSync(own)).toEqual(["trace.json"]);
  });

  it("is written when the process exits before the pool is closed, with what was still running", async () => {
    const file = join(folder, "exit.json");
    expect(await runScript("exits-traced.ts", file)).toMatchObject({ code: 5, stderr: "" });
    const trace = readTraceFile(file);
    expect(slices(trace, "submit echo")).toHaveLength(1);
    expect(slices(trace, "spinForever").at(-1)!.args).toMatchObject({ outcome: "unfinished" });
    expect(trace.traceEvents.some(({ ph, name }) => ph === "b" && name === "waitForSignal")).toBe(true);
  });
});

describe("the option trace", () => {
  it.each([
    [1, "trace"],
    ["", "trace"],
    [null, "trace"],
    [new URL("https://example.org/trace.json"), "trace"],
    [{}, "trace.file"],
    [{ file: 1 }, "trace.file"],
    [{ file: "x.json", eventsPerThread: 10 }, "trace.eventsPerThread"],
    [{ file: "x.json", eventsPerThread: "many" }, "trace.eventsPerThread"],
    [Object.create({ file: "x.json" }), "trace.file"],
  ])("refuses %j", (trace, name) => {
    expect(() => new ThreadPool({ trace: trace as never })).toThrow(name);
  });

  it.each([
    ["a folder that does not exist", join(folder, "nowhere", "trace.json"), "ENOENT"],
    ["a folder that takes no files", "/proc/skein-trace.json", "E"],
    ["a directory", folder, "is a directory"],
    ["a file as its folder", join(import.meta.filename, "trace.json"), "ENOTDIR"],
  ])("refuses %s, at once", (_, file, reason) => {
    expect(() => new ThreadPool({ trace: file })).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_TRACE_FILE", message: expect.stringContaining(reason) }),
    );
  });

  it("close() rejects when the file cannot be written any more; the jobs have settled", async () => {
    const own = mkdtempSync(join(folder, "gone-"));
    const pool = new ThreadPool({ maxThreads: 1, trace: join(own, "trace.json") });
    expect(await pool.run((n: number) => n, [1])).toBe(1);
    rmSync(own, { recursive: true });
    await expect(pool.close()).rejects.toMatchObject({ code: "ERR_SKEIN_TRACE_FILE" });
    expect(pool.stats().threads.total).toBe(0);
  });
});
