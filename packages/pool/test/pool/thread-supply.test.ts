/** Threads that are starting, threads that have nothing to do: host/thread-supply.ts. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { allStarted, sampleJobs } from "../gate.ts";
import { runScript } from "../run-script.ts";

const TIMEOUT_MS = 60_000;
let workers = 0;
const onWorker = (): void => void workers++;
beforeEach(() => {
  workers = 0;
  process.on("worker", onWorker);
});
afterEach(() => void process.off("worker", onWorker));

describe("threads that are starting count", { timeout: TIMEOUT_MS }, () => {
  const initialize = new URL("../fixtures/slow-start.ts", import.meta.url);

  it("one job starts one thread, one after the other as well", async () => {
    await using pool = new ThreadPool({ minThreads: 1, maxThreads: 4, initialize });
    const jobs = pool.module<typeof Sample>(sampleJobs);
    for (let i = 0; i < 3; i++) expect(await jobs.echo(i)).toBe(i);
    expect(workers).toBe(1);
  });

  it("also where more would start at once: as many threads as jobs", async () => {
    await using pool = new ThreadPool({ minThreads: 4, maxThreads: 4, initialize });
    const jobs = pool.module<typeof Sample>(sampleJobs);
    expect(await jobs.echo(1)).toBe(1);
    expect(workers).toBe(1);
    await Promise.all([jobs.echo(1), jobs.echo(2)]);
    expect(workers).toBeLessThanOrEqual(2);
  });
});

describe("what cannot start", { timeout: TIMEOUT_MS }, () => {
  it("is tried again for a job that a continuation submits when it hears of it", async () => {
    await using pool = new ThreadPool({ maxThreads: 1, execArgv: ["--no-such-flag"] });
    const jobs = pool.module<typeof Sample>(sampleJobs);
    const codes: string[] = [];
    await new Promise<void>((resolve) => {
      const submit = (left: number): void => {
        pool
          .run(jobs.echo, [1], { continuations: "inline" })
          .then(null, (error: unknown) => {
            codes.push((error as { code: string }).code);
            if (left > 0) submit(left - 1);
            else resolve();
          })
          .catch(() => {});
      };
      submit(5);
    });
    expect(codes).toEqual(Array.from({ length: 6 }, () => "ERR_SKEIN_THREAD_CRASHED"));
  });
});

describe("idle threads", { timeout: TIMEOUT_MS }, () => {
  it.each([1, 10, 500])("cost next to nothing, idleTimeoutMs: %i", async (idleTimeoutMs) => {
    const { code, stdout } = await runScript("idles-briefly.ts", String(idleTimeoutMs));
    expect(code).toBe(0);
    // A thread that looks on and on takes a second for itself.
    expect(JSON.parse(stdout)).toEqual({ cpuMs: expect.any(Number), threads: 2 });
    expect((JSON.parse(stdout) as { cpuMs: number }).cpuMs).toBeLessThan(250);
  });

  it("leave when minThreads is lowered, although they have said before that they are idle; the rest runs jobs", async () => {
    await using pool = new ThreadPool({ minThreads: 4, maxThreads: 4, idleTimeoutMs: 1 });
    const jobs = pool.module<typeof Sample>(sampleJobs);
    await allStarted(pool, 4);
    while (pool.stats().threads.parked < 4) await new Promise((resolve) => setTimeout(resolve, 1));
    pool.setMinThreads(1);
    while (pool.stats().threads.total > 1) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await jobs.echo("there")).toBe("there");
    expect(pool.stats().threads.total).toBe(1);
  });
});
