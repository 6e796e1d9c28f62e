/** What is told of a pool to whoever records it (`recordJobs`), on real threads. */
import { AsyncLocal } from "@skein/context";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../../../../test/support/eventually.ts";
import { recordJobs } from "../../src/engine.ts";
import { ThreadPool } from "../../src/index.ts";
import type { RecordedBatch } from "../../src/trace/recording.ts";
import type { RecordedSlice } from "../../src/trace/slice-cursor.ts";
import type * as ForkJoin from "../fixtures/fork-join.jobs.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { assertTrace } from "./chrome-trace.ts";
import { makeGate, open, opened, sampleJobs } from "../gate.ts";

const tenant = new AsyncLocal<string>({ name: "recording-tenant", flow: "thread" });
const secret = new AsyncLocal<string>({ name: "recording-secret", flow: "thread" });

const pools: ThreadPool[] = [];
function poolOf(threads: number): ThreadPool {
  const pool = new ThreadPool({ maxThreads: threads, minThreads: threads });
  pools.push(pool);
  return pool;
}
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close({ drain: false });
});

/** Everything that was read, one after the other. */
class Log {
  readonly slices: (RecordedSlice & { readonly thread: number })[] = [];
  readonly contexts: RecordedBatch["contexts"][number][] = [];
  readonly details: RecordedBatch["details"][number][] = [];
  readonly functions = new Map<number, string>();
  readonly exits: number[] = [];

  add({ threads, contexts, details, functions }: RecordedBatch): this {
    for (const { index, slices, exit } of threads) {
      for (const slice of slices) if (slice.endUs !== null) this.slices.push({ ...slice, thread: index });
      if (exit !== null) this.exits.push(index);
    }
    this.contexts.push(...contexts);
    this.details.push(...details);
    for (const { id, name } of functions) this.functions.set(id, name);
    return this;
  }

  of(kind: RecordedSlice["kind"], name: string): (RecordedSlice & { readonly thread: number })[] {
    return this.slices.filter((slice) => slice.kind === kind && this.functions.get(slice.fn) === name);
  }
}

describe("a recording", () => {
  it("begins while the threads are there, and tells each job's life with whose it is", async () => {
    const pool = poolOf(1);
    const sample = pool.module<typeof Sample>(sampleJobs);
    await sample.add(1, 1);
    using recording = recordJobs(pool, { locals: ["recording-tenant"] });
    const log = new Log();
    // The thread takes part when its event loop has had a turn.
    await eventually("the thread is recorded", async () => {
      await sample.echo("warm");
      return log.add(recording.read()).of("run", "echo").length > 0;
    });
    await tenant.run("acme", () => secret.run("hidden", () => sample.add(2, 3)));
    await expect(sample.fail("x")).rejects.toThrow("x");
    log.add(recording.read());
    const [submitted] = log.of("submit", "add").slice(-1);
    const run = log.of("run", "add").find(({ job }) => job === submitted!.job)!;
    const settled = log.of("settle", "add").find(({ job }) => job === submitted!.job)!;
    expect([submitted!.thread, run.thread, settled.thread]).toEqual([-1, 0, -1]);
    expect(run).toMatchObject({ outcome: "completed", priority: "normal", submittedUs: submitted!.startUs });
    expect(run.startUs).toBeGreaterThanOrEqual(submitted!.startUs);
    expect(log.contexts).toContainEqual({ job: submitted!.job, values: { "recording-tenant": "acme" } });
    expect(JSON.stringify([log.contexts, log.details])).not.toContain("hidden");
    const [failed] = log.of("settle", "fail");
    const detail = log.details.find(({ job }) => job === failed!.job)!;
    expect(failed!.outcome).toBe("failed");
    expect(detail.error).toBe("RangeError");
    expect(detail.frames).toContain("recording.test.ts");
    assertTrace([...recording.timeline()].join(""));
  });

  it("knows whose jobs a job's jobs are, also those that it submits after it has awaited something", async () => {
    const pool = poolOf(2);
    using recording = recordJobs(pool);
    const nested = pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    const log = new Log();
    const isInner = ({ kind, parent }: RecordedSlice): boolean => kind === "submit" && parent !== 0;
    await eventually("a nested job is recorded", async () => {
      await nested.squareLater(3);
      return log.add(recording.read()).slices.some(isInner);
    });
    const inner = log.slices.find(isInner)!;
    expect(log.slices.some(({ kind, job }) => kind === "submit" && job === inner.parent)).toBe(true);
  });

  it("tells a long job while it runs, and the end of its thread", async () => {
    const pool = poolOf(1);
    using recording = recordJobs(pool);
    const gate = makeGate();
    const crashing = pool.run(
      (words: Int32Array) => {
        Atomics.store(words, 0, 1);
        Atomics.wait(words, 1, 0);
        process.exit(7);
      },
      [gate],
    );
    await opened(gate);
    const running = await eventually("it is seen to run", () =>
      recording
        .read()
        .threads.flatMap(({ slices }) => slices)
        .find(({ kind, endUs }) => kind === "run" && endUs === null),
    );
    expect(running.job).toBeGreaterThan(0);
    open(gate, 1);
    await expect(crashing).rejects.toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
    const log = new Log();
    await eventually("the end is told", () => log.add(recording.read()).exits.length > 0);
    expect(log.exits).toEqual([0]);
    expect(log.slices.find(({ kind, job }) => kind === "settle" && job === running.job)).toMatchObject({
      outcome: "crashed",
    });
  });

  it("tells how late a thread's event loop was, and is while a job holds it; of no thread any more when nobody reads", async () => {
    const pool = poolOf(1);
    const sample = pool.module<typeof Sample>(sampleJobs);
    await sample.echo("started");
    const recording = recordJobs(pool);
    const delayOf = (): number | null => {
      const { threads } = recording.read();
      expect(threads.find(({ index }) => index < 0)!.loopDelayUs).toBeNull();
      return threads.find(({ index }) => index === 0)!.loopDelayUs;
    };
    await eventually("the thread has told of it", () => delayOf() !== null);
    const gate = makeGate();
    const running = sample.spinUntilCancelled(gate);
    await opened(gate);
    await eventually("it is late by now", () => delayOf()! > 50_000);
    const { job } = recording
      .read()
      .threads.flatMap(({ slices }) => slices)
      .find(({ endUs }) => endUs === null)!;
    expect(await recording.cancel(job)).toBe(true);
    await running.catch(() => {});
    await eventually("it was late", () => delayOf()! > 50_000);
    await eventually("it is not any more", () => delayOf()! < 50_000);
    recording[Symbol.dispose]();
    expect(recording.read().threads).toEqual([]);
  });

  it("tells all of one job in so many, or nothing", async () => {
    const pool = poolOf(2);
    const sample = pool.module<typeof Sample>(sampleJobs);
    using recording = recordJobs(pool);
    await eventually("both threads are recorded", async () => {
      await Promise.all(Array.from({ length: 50 }, (_, i) => sample.echo(i)));
      const { threads } = recording.read();
      return threads.every(({ slices }) => slices.some(({ job }) => job !== 0)) && threads.length === 3;
    });
    await Promise.all(Array.from({ length: 400 }, (_, i) => sample.echo(i)));
    const log = new Log();
    const whole = ["submit", "run", "settle"];
    // A thread ends the slice of a job when it has given the outcome away.
    await eventually("all is told of each", () => {
      const lives = [...Map.groupBy(log.add(recording.read(4)).slices, ({ job }) => job).values()].filter(
        (life) => life.some(({ kind }) => kind === "submit"),
      );
      expect(lives).toHaveLength(100);
      return lives.every((life) => whole.every((kind) => life.some((slice) => slice.kind === kind)));
    });
  });

  it("records no more jobs than it tells from then on, or than another one wants", async () => {
    const pool = poolOf(1);
    const sample = pool.module<typeof Sample>(sampleJobs);
    using recording = recordJobs(pool);
    const submissions = async (jobs: number): Promise<number> => {
      await Promise.all(Array.from({ length: jobs }, (_, i) => sample.echo(i)));
      // What was recorded: all of it is told.
      return new Log().add(recording.read()).slices.filter(({ kind }) => kind === "submit").length;
    };
    expect(await submissions(8)).toBe(8);
    recording.read(8);
    expect(await submissions(400)).toBe(50);
    expect(await submissions(8)).toBe(8);
    using other = recordJobs(pool);
    recording.read(8);
    expect(await submissions(24)).toBe(24);
    other.read(6);
    recording.read(8);
    expect(await submissions(24)).toBe(12);
  });

  it("tells where threads rest only with every job, whoever else wants it recorded", async () => {
    const pool = poolOf(1);
    const sample = pool.module<typeof Sample>(sampleJobs);
    using recording = recordJobs(pool);
    using other = recordJobs(pool);
    const rests = (all: RecordedBatch): number =>
      new Log().add(all).slices.filter(({ kind }) => kind === "parked").length;
    await eventually("the thread has rested", async () => {
      await sample.echo(1);
      const seen = rests(other.read());
      expect(rests(recording.read(2))).toBe(0);
      return seen > 0;
    });
  });

  it("tells what nests, whatever is left out", async () => {
    const pool = poolOf(2);
    const sample = pool.module<typeof Sample>(sampleJobs);
    const nested = pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    const forkJoin = pool.module<typeof ForkJoin>(new URL("../fixtures/fork-join.jobs.ts", import.meta.url));
    using recording = recordJobs(pool);
    const log = new Log();
    const work = async (): Promise<void> => {
      await Promise.all([
        forkJoin.fibonacci(9),
        nested.sumOfSquares(20),
        ...Array.from({ length: 20 }, (_, i) => sample.echoLater(i)),
        sample.fail("x").then(null, () => {}),
      ]);
    };
    for (const oneIn of [1, 3, 7, 2]) {
      recording.read(oneIn);
      await eventually("all three threads tell of jobs", async () => {
        await work();
        const { threads } = recording.read(oneIn);
        return threads.filter(({ slices }) => slices.some(({ job }) => job !== 0)).length === 3;
      });
    }
    log.add(recording.read(2));
    const { traceEvents, otherData } = assertTrace([...recording.timeline()].join(""));
    expect(otherData["recordedJobs"]).toBe("lately one in 2");
    expect(traceEvents.some(({ name }) => name === "fibonacci")).toBe(true);
    expect(log.slices.every(({ job }) => job >= 0)).toBe(true);
  });

  it("cancels a job that it has told of, whether it waits or runs; nothing else", async () => {
    const pool = poolOf(1);
    const sample = pool.module<typeof Sample>(sampleJobs);
    const recording = recordJobs(pool);
    const gate = makeGate();
    const running = sample.spinUntilCancelled(gate);
    await opened(gate);
    const queued = sample.echo("queued");
    const log = new Log().add(recording.read());
    const [spin] = log.of("submit", "spinUntilCancelled");
    const [echo] = log.of("submit", "echo");
    expect(await recording.cancel(echo!.job, new Error("not wanted"))).toBe(true);
    await expect(queued).rejects.toThrow("not wanted");
    expect(await recording.cancel(echo!.job)).toBe(false);
    expect(await recording.cancel(spin!.job, "enough")).toBe(true);
    await expect(running).rejects.toMatchObject({ code: "ERR_SKEIN_JOB_CANCELED", reason: "enough" });
    await opened(gate, 1);
    for (const job of [0, -1, NaN, 2 ** 50]) expect(await recording.cancel(job)).toBe(false);
    expect(() => recording.cancel("4" as never)).toThrow(TypeError);
    const later = sample.echo("later");
    const told = new Log().add(recording.read()).slices.findLast(({ kind }) => kind === "submit");
    recording[Symbol.dispose]();
    expect(await recording.cancel(told!.job)).toBe(false);
    expect(await later).toBe("later");
  });

  it("cancels a job that another job has submitted, with the thread that has; of one that ends meanwhile, none", async () => {
    const pool = poolOf(2);
    const nested = pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    using recording = recordJobs(pool);
    const log = new Log();
    const known = new Set<number>();
    /** The job that a job has submitted, which was not told of before. */
    const told = async (name: string): Promise<RecordedSlice & { readonly thread: number }> => {
      const slice = await eventually(`${name} is told of`, () =>
        log
          .add(recording.read())
          .of("submit", name)
          .find(({ parent, job }) => parent !== 0 && !known.has(job)),
      );
      known.add(slice.job);
      return slice;
    };
    const gate = makeGate();
    const outer = nested.spinElsewhere(gate);
    await opened(gate);
    const spinning = await told("spinUntilCancelled");
    await expect(recording.cancel(spinning.job, () => {})).rejects.toMatchObject({ path: "reason" });
    expect(await recording.cancel(spinning.job, "enough")).toBe(true);
    expect(await outer).toBe("enough");
    await opened(gate, 1);
    expect(await recording.cancel(spinning.job)).toBe(false);

    const held = makeGate(3);
    const dying = nested.spinElsewhereAndBlock(held);
    await opened(held);
    const lost = await told("spinUntilCancelled");
    const thread = pool.threads.find(({ index }) => index === lost.thread)!;
    const asked = recording.cancel(lost.job);
    await thread.terminate();
    expect(await asked).toBe(false);
    await expect(dying).rejects.toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
    expect(await recording.cancel(lost.job)).toBe(false);
    await Promise.all(pool.threads.map((each) => each.terminate()));
  });

  it("several may record; when none does any more, the pool does not either", async () => {
    const pool = poolOf(1);
    const sample = pool.module<typeof Sample>(sampleJobs);
    const first = recordJobs(pool, { locals: ["recording-secret"] });
    const second = recordJobs(pool);
    const read = (recording: typeof first): Log => new Log().add(recording.read());
    await secret.run("s", () => sample.add(1, 1));
    expect([read(first).contexts, read(second).contexts].map(({ length }) => length)).toEqual([1, 0]);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await sample.add(1, 1);
    expect(read(second).slices.filter(({ kind }) => kind === "submit")).toHaveLength(1);
    second[Symbol.dispose]();
    await sample.add(1, 1);
    expect(read(second).slices).toEqual([]);
    using third = recordJobs(pool);
    await sample.add(1, 1);
    expect(read(third).slices.filter(({ kind }) => kind === "submit")).toHaveLength(1);
  });

  it("tells each slice of a thread once, also while others begin and end to record", async () => {
    const pool = poolOf(1);
    const sample = pool.module<typeof Sample>(sampleJobs);
    using recording = recordJobs(pool);
    const log = new Log();
    let dropped = 0;
    const runs = (name: string): number => {
      const batch = recording.read();
      for (const thread of batch.threads) dropped += thread.dropped;
      return log.add(batch).of("run", name).length;
    };
    await eventually("the thread is recorded", async () => {
      await sample.echo("warm");
      return runs("echo") > 0;
    });
    let jobs = 0;
    for (let i = 0; i < 3; i++) {
      using other = recordJobs(pool);
      const others = new Log();
      await eventually("the other one is told, too", async () => {
        await Promise.all(Array.from({ length: 20 }, () => sample.add(i, i)));
        jobs += 20;
        return others.add(other.read()).of("run", "add").length > 0;
      });
    }
    await eventually("all have run", () => runs("add") >= jobs);
    expect([log.of("run", "add").length, dropped]).toEqual([jobs, 0]);
  });

  it("refuses what is no pool, and bad options, by name", async () => {
    const pool = poolOf(1);
    expect(() => recordJobs({} as ThreadPool)).toThrow(/`?pool`? must be a ThreadPool|pool/);
    expect(() => recordJobs(pool, { locals: "tenant" as never })).toThrow(/options\.locals/);
    expect(() => recordJobs(pool, { local: [] } as never)).toThrow(/Did you mean `locals`/);
    expect(() => recordJobs(pool, { slicesPerThread: 1 })).toThrow(/slicesPerThread/);
    using recording = recordJobs(pool);
    for (const oneIn of [0, 1.5, 2 ** 31]) expect(() => recording.read(oneIn)).toThrow(RangeError);
  });
});
