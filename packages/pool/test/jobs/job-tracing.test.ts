import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import { afterEach, expect, it, vi } from "vitest";
import { flow } from "@skein/context";
import { ThreadPool, type TracedJob } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, opened, sampleJobs } from "../gate.ts";

const channel = tracingChannel<string, TracedJob>("skein:job");
const undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo.splice(0)) each();
});

/** The events of each job, in order. */
function record(): Map<TracedJob, string[]> {
  const seen = new Map<TracedJob, string[]>();
  const names = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
  for (const name of names) {
    const listener = (message: unknown): void => {
      const job = message as TracedJob;
      seen.set(job, [...(seen.get(job) ?? []), name]);
    };
    channel[name].subscribe(listener);
    undo.push(() => channel[name].unsubscribe(listener));
  }
  return seen;
}

const failing = ["start", "end", "error", "asyncStart", "asyncEnd"];

it("each job is one operation that ends once, however it ends", async () => {
  const seen = record();
  const pool = new ThreadPool({ maxThreads: 2 });
  const jobs = pool.module<typeof Sample>(sampleJobs);
  const gate = makeGate();
  const controller = new AbortController();
  const all = Promise.allSettled([
    jobs.add(1, 2),
    jobs.fail("x"),
    jobs.exit(1),
    pool.run(jobs.spinUntilCancelled, [gate], { signal: controller.signal }),
    pool.run((value: unknown) => value, [() => {}]),
  ]);
  await opened(gate);
  controller.abort();
  await all;
  await pool.close();
  const told = [...seen].map(([{ name, outcome }, events]) => ({ name, outcome, events }));
  expect(told).toEqual([
    { name: "add", outcome: "completed", events: ["start", "end", "asyncStart", "asyncEnd"] },
    { name: "fail", outcome: "failed", events: failing },
    { name: "exit", outcome: "failed", events: failing },
    { name: "spinUntilCancelled", outcome: "canceled", events: failing },
    { name: null, outcome: "refused", events: failing },
  ]);
  const [, fail] = seen.keys();
  expect(fail!.error).toMatchObject({ message: "x" });
});

it("the call ends before the job does that is cancelled in it, and before it is refused", async () => {
  const seen = record();
  const pool = new ThreadPool({ maxThreads: 1 });
  const controller = new AbortController();
  const args = {
    get value() {
      controller.abort();
      return 1;
    },
  };
  await Promise.allSettled([pool.run((value: unknown) => value, [args], { signal: controller.signal })]);
  await pool.close();
  expect([...seen.values()]).toEqual([failing]);
});

it("a store bound to start flows into the job; the settlement sees it, the caller does not", async () => {
  const storage = new AsyncLocalStorage<string>();
  let encoded = 0;
  const codec = {
    encode: (text: string) => {
      encoded++;
      return text;
    },
    decode: (text: string) => text,
  };
  const registration = flow(storage, { name: "test.traced", codec });
  const settled: (string | undefined)[] = [];
  const onSettled = (): void => void settled.push(storage.getStore());
  channel.start.bindStore(storage, ({ id }) => `job ${id}`);
  channel.asyncEnd.subscribe(onSettled);
  undo.push(
    () => registration[Symbol.dispose](),
    () => channel.start.unbindStore(storage),
    () => channel.asyncEnd.unsubscribe(onSettled),
  );
  await using pool = new ThreadPool({ maxThreads: 1 });
  const task = pool.module<typeof Sample>(sampleJobs).add(1, 2);
  expect(storage.getStore()).toBeUndefined();
  expect(await task).toBe(3);
  expect(storage.getStore()).toBeUndefined();
  expect(encoded).toBe(1);
  expect(settled).toEqual([expect.stringMatching(/^job \d+$/)]);
});

it("a subscriber that throws harms no job, and its error is uncaught", async () => {
  const uncaught = vi.fn<(error: Error) => void>();
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", uncaught);
  const listener = (): void => {
    throw new Error("of a subscriber");
  };
  for (const name of ["start", "asyncEnd"] as const) channel[name].subscribe(listener);
  undo.push(() => {
    for (const name of ["start", "asyncEnd"] as const) channel[name].unsubscribe(listener);
    process.off("uncaughtException", uncaught);
    for (const other of others) process.on("uncaughtException", other);
  });
  await using pool = new ThreadPool({ maxThreads: 1 });
  expect(await pool.module<typeof Sample>(sampleJobs).add(1, 2)).toBe(3);
  await new Promise((resolve) => setImmediate(resolve));
  expect(uncaught.mock.calls.map(([error]) => error.message)).toEqual(["of a subscriber", "of a subscriber"]);
});
