/** For callers that push: `ready({ below })` and `drain`. */
import { afterEach, describe, expect, it } from "vitest";
import { AsyncLocal } from "@skein/context";
import { eventually } from "../../../../test/support/eventually.ts";
import { ThreadPool } from "../../src/index.ts";
import { makeGate, open, opened, sampleJobs } from "../gate.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { UncaughtErrors } from "../uncaught.ts";

let pool: ThreadPool;
afterEach(() => pool.close({ drain: false }));
const make = (): ThreadPool => (pool = new ThreadPool({ maxThreads: 1 }));
const jobs = (): ReturnType<typeof pool.module<typeof Sample>> => pool.module<typeof Sample>(sampleJobs);

/** The only thread is at a job until the gate opens. */
async function busy(): Promise<{ gate: Int32Array; running: Promise<unknown> }> {
  const gate = makeGate();
  const running = Promise.resolve(jobs().block(gate));
  await pool.ready({ below: 1 });
  return { gate, running };
}

describe("ready({ below })", () => {
  it("goes on when a thread has taken the job, long before that ends", async () => {
    make();
    const { gate, running } = await busy();
    expect(pool.stats()).toMatchObject({ submitted: 1, completed: 0, queued: { normal: 0 } });
    open(gate);
    await running;
  });

  it("holds up a caller that is ahead of the threads", async () => {
    make();
    const { gate, running } = await busy();
    let most = 0;
    const pushed = (async () => {
      for (let i = 0; i < 200; i++) {
        await pool.ready({ below: 5 });
        void jobs().echo(i);
        most = Math.max(most, pool.stats().queued.normal);
      }
    })();
    await eventually("five jobs wait", () => most >= 5);
    open(gate);
    await Promise.all([running, pushed]);
    await pool.ready({ below: 1 });
    expect(most).toBe(5);
  });

  it("does not wait for jobs that were cancelled while all threads are busy", async () => {
    make();
    const { gate, running } = await busy();
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = Array.from({ length: 10 }, () => pool.run(jobs().echo, [1], { signal }));
    const all = Promise.allSettled(waiting);
    const below = pool.ready({ below: 1 });
    controller.abort();
    await below;
    expect((await all).every(({ status }) => status === "rejected")).toBe(true);
    open(gate);
    await running;
  });

  it("counts those beyond the slots", async () => {
    make();
    const { gate, running } = await busy();
    const many = Array.from({ length: 20_000 }, (_, i) => jobs().echo(i));
    const below = pool.ready({ below: 20_000 });
    open(gate);
    await below;
    expect(pool.stats().queued.normal).toBeLessThan(20_000);
    await Promise.all([running, ...many]);
  });

  it("rejects when the pool is closed, before or meanwhile", async () => {
    make();
    const { gate, running } = await busy();
    const queued = jobs().echo(1);
    const below = pool.ready({ below: 1 });
    const closing = pool.close();
    await expect(below).rejects.toThrow(expect.objectContaining({ code: "ERR_SKEIN_POOL_CLOSED" }));
    await expect(pool.ready({ below: 1 })).rejects.toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_POOL_CLOSED" }),
    );
    open(gate);
    await Promise.all([running, queued, closing]);
  });
});

describe("maxQueue", () => {
  it("counts what has begun until it settles, also a stream that leaves its thread to others", async () => {
    pool = new ThreadPool({ maxThreads: 1, maxQueue: 0 });
    function* items(): Generator<number> {
      for (let i = 0; ; i++) yield i;
    }
    const stream = await pool.run(items, []);
    await stream.next();
    await pool.ready({ below: 1 });
    await expect(jobs().echo(1)).rejects.toMatchObject({ code: "ERR_SKEIN_QUEUE_FULL", limit: "maxQueue" });
    await stream.return();
    expect(await jobs().echo(1)).toBe(1);
  });
});

describe("drain", () => {
  it("is told when threads have taken all, in the empty context", async () => {
    make();
    const local = new AsyncLocal<string>({ name: "test.drain" });
    const seen: unknown[] = [];
    const gate = makeGate();
    local.run("request", () => {
      pool.on("drain", () => {
        seen.push([pool.stats().queued.normal, local.value]);
        open(gate, 1);
      });
    });
    const running = jobs().block(gate);
    const second = jobs().echo(2);
    await pool.ready({ below: 2 });
    expect(seen).toEqual([]);
    open(gate);
    await Promise.all([running, second]);
    await opened(gate, 1);
    expect(seen).toEqual([[0, undefined]]);
  });

  it("what a listener throws is uncaught, and others hear all the same", async () => {
    make();
    using uncaught = new UncaughtErrors();
    const heard = new Promise<void>((resolve) => {
      pool.on("drain", () => {
        throw new Error("from a listener");
      });
      pool.on("drain", resolve);
    });
    await jobs().echo(1);
    await heard;
    expect(uncaught.seen).toEqual([expect.objectContaining({ message: "from a listener" })]);
  });

  it("bad arguments are refused", () => {
    make();
    expect(() => pool.on("drained" as "drain", () => {})).toThrow('Expected `event` to be "drain"');
    expect(() => pool.on("drain", 1 as never)).toThrow("`listener`");
    expect(() => pool.off("drain", undefined as never)).toThrow("`listener`");
  });
});
