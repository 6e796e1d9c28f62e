/** Errors that float on a thread when their job has returned: worker/stray-errors.ts. */
import { describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Stray from "../fixtures/stray.jobs.ts";
import { makeGate, open } from "../gate.ts";
import { runScript } from "../run-script.ts";

const strayJobs = new URL("../fixtures/stray.jobs.ts", import.meta.url);
const TIMEOUT_MS = 60_000;

function create(options: ConstructorParameters<typeof ThreadPool>[0] = {}) {
  const pool = new ThreadPool({ maxThreads: 1, ...options });
  const jobs = pool.module<typeof Stray>(strayJobs);
  const counted = async (count: number): Promise<void> => {
    while (pool.stats().stray < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { pool, jobs, counted };
}

describe("an error that a job has left behind", { timeout: TIMEOUT_MS }, () => {
  it("is shown on stderr, once each, with the name of its job; the thread goes on", async () => {
    const names = ["rejectsLater", "throwsLater", "rejectsNow"];
    const { code, stdout, stderr } = await runScript("leaves-errors.ts", ...names);
    expect([code, stdout]).toEqual([0, `${JSON.stringify({ stray: 3, crashed: 0 })}\n`]);
    expect(stderr.split("RangeError: left behind")).toHaveLength(4);
    for (const name of names) expect(stderr.split(name).length).toBeGreaterThan(1);
  });

  it.each(["rejectsLater", "throwsLater", "rejectsNow"] as const)(
    "%s: a subscriber of the channel hears of it, with the job",
    async (name) => {
      const { pool, jobs, counted } = create();
      await jobs.listenToChannel();
      const thread = await jobs[name]();
      await counted(1);
      const origin = name === "throwsLater" ? "uncaughtException" : "unhandledRejection";
      expect(await jobs.whatWasHeard()).toEqual([expect.stringContaining(`${origin} left behind`)]);
      expect((await jobs.whatWasHeard())[0]).toContain(name);
      expect(await jobs.thread()).toBe(thread);
      await pool.close();
    },
  );

  it("a listener of the thread's process hears of it, and goes on hearing", async () => {
    const { pool, jobs, counted } = create();
    await jobs.listenToProcess();
    for (let i = 1; i <= 3; i++) {
      await jobs.throwsLater();
      await counted(i);
    }
    expect(await jobs.whatWasHeard()).toEqual(Array.from({ length: 3 }, () => "process: left behind"));
    expect(pool.stats()).toMatchObject({ stray: 3, crashed: 0 });
    await pool.close();
  });

  it("that cannot be shown ends no thread", async () => {
    const { code, stdout, stderr } = await runScript("leaves-errors.ts", "throwsUnshowable", "throwsLater");
    expect([code, stdout]).toEqual([0, `${JSON.stringify({ stray: 2, crashed: 0 })}\n`]);
    expect(stderr).toContain("cannot be shown");
  });

  it("while a callback takes all of them: later ones still end the thread of the job that they belong to", async () => {
    const { pool, jobs, counted } = create();
    await jobs.takeErrors();
    await jobs.throwsLater();
    await counted(1);
    expect(await jobs.whatWasHeard()).toEqual(["callback: left behind"]);
    await jobs.takeNoErrors();
    const throwsAside = (): Promise<never> => {
      setTimeout(() => {
        throw new TypeError("of a job that waits");
      });
      return new Promise(() => {});
    };
    await expect(Promise.resolve(pool.run(throwsAside, []))).rejects.toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
    });
    await pool.close();
  });

  it("a throw in a timer harms no job that runs on the same thread at the time", async () => {
    const { pool, jobs, counted } = create();
    await jobs.listenToChannel();
    const gate = makeGate(2);
    const thread = await jobs.throwsInTimers(gate);
    const waiting = jobs.waits(gate);
    await pool.ready({ below: 1 });
    open(gate, 1);
    await counted(3);
    open(gate);
    expect(await waiting).toBe(thread);
    expect(await jobs.whatWasHeard()).toEqual(
      Array.from({ length: 3 }, () => "channel: throwsInTimers uncaughtException left behind"),
    );
    expect(pool.stats()).toMatchObject({ stray: 3, crashed: 0 });
    await pool.close();
  });

  it("a throw in a listener ends the thread of the jobs that run there: what they wait for may be what was to be heard", async () => {
    const { pool, jobs } = create();
    const gate = makeGate(2);
    await jobs.throwsInListener(gate);
    const waiting = jobs.waits(gate);
    // A thread has it.
    await pool.ready({ below: 1 });
    open(gate, 1);
    await expect(waiting).rejects.toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
    expect(pool.stats()).toMatchObject({ stray: 0, crashed: 1 });
    await pool.close();
  });

  it("a throw in a timer of a job that has not ended ends its thread, also of one that used to return at once", async () => {
    const { pool, jobs } = create();
    for (let i = 0; i < 3; i++) await jobs.throwsInsteadOfReturning(false);
    await expect(jobs.throwsInsteadOfReturning(true)).rejects.toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      cause: { message: "of a job that waits" },
    });
    await pool.close();
  });

  it("a rejection harms no job that runs on the same thread at the time", async () => {
    const { pool, jobs, counted } = create({ jobsPerThread: 4 });
    await jobs.listenToChannel();
    const gate = makeGate(1);
    const waiting = [jobs.waits(gate), jobs.waits(gate)];
    const thread = await jobs.rejectsLater();
    await counted(1);
    open(gate);
    expect(await Promise.all(waiting)).toEqual([thread, thread]);
    expect(pool.stats()).toMatchObject({ stray: 1, crashed: 0 });
    await pool.close();
  });
});
