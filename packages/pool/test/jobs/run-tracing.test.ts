import { tracingChannel } from "node:diagnostics_channel";
import { afterAll, expect, it } from "vitest";
import { showJobsAs, suppressTracing } from "../../src/engine.ts";
import { ThreadPool, type TracedJob } from "../../src/index.ts";
import type * as Jobs from "../fixtures/run-tracing.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import type * as Untraced from "../fixtures/untraced.jobs.ts";
import { sampleJobs } from "../gate.ts";

const url = new URL("../fixtures/run-tracing.jobs.ts", import.meta.url);
const pool = new ThreadPool({ maxThreads: 1, initialize: url });
const jobs = pool.module<typeof Jobs>(url);
afterAll(() => pool.close());

const whole = ["start", "end", "asyncStart", "asyncEnd"];
const failed = ["start", "end", "error", "asyncStart", "asyncEnd"];

it("each call on a thread is one operation, ended before the outcome is told; bound stores are there throughout", async () => {
  await jobs.takeLog();
  expect(await jobs.seen()).toBe("run of seen, true");
  expect(await jobs.seenLater()).toBe("run of seenLater, true");
  await expect(jobs.fail()).rejects.toThrow("at once");
  await expect(jobs.failLater()).rejects.toThrow("later");
  const runs = await jobs.takeLog();
  expect(runs.map(({ name, events, bound }) => ({ name, events, bound }))).toEqual([
    { name: "seen", events: whole, bound: ["run of seen"] },
    { name: "seenLater", events: whole, bound: ["run of seenLater"] },
    { name: "fail", events: failed, bound: ["run of fail"] },
    { name: "failLater", events: failed, bound: ["run of failLater"] },
  ]);
  const [first, second, third] = runs.map(({ message }) => message);
  expect(first).toMatchObject({ url: url.href, attempt: 1, outcome: "completed" });
  expect(first!.waitMs).toBeGreaterThanOrEqual(0);
  expect(third).toMatchObject({ outcome: "failed", error: "Error: at once" });
  expect(first!.id).not.toBe(second!.id);
});

it("a forked job that is called by its own thread is a run as well, and so is each attempt", async () => {
  expect(await jobs.forks()).toBe("run of seen, true");
  expect((await jobs.takeLog()).map(({ name }) => name)).toEqual(["forks", "seen"]);
  const counter = new Int32Array(new SharedArrayBuffer(4));
  await pool.run(jobs.dieOnce, [counter], { retries: 2 });
  const [run] = await jobs.takeLog();
  expect(run!.message).toMatchObject({ name: "dieOnce", attempt: 2 });
});

it("jobs of a module that suppresses tracing are operations on neither side; shipped functions are", async () => {
  const untraced = new URL("../fixtures/untraced.jobs.ts", import.meta.url);
  suppressTracing(untraced);
  const called: unknown[] = [];
  const listener = (message: unknown): void => void called.push((message as TracedJob).name);
  const channel = tracingChannel("skein:job");
  channel.start.subscribe(listener);
  expect(await pool.module<typeof Untraced>(untraced).answer()).toBe(42);
  expect(await pool.run(() => 1)).toBe(1);
  channel.start.unsubscribe(listener);
  expect(called).toEqual([null]);
  expect((await jobs.takeLog()).map(({ name }) => name)).toEqual([null]);
});

it("jobs of a module that stands for another function have its name, on both sides and in errors", async () => {
  const theirs = { url: "file:///theirs.js", name: "theirs" };
  expect(() => showJobsAs(sampleJobs, { name: "theirs" } as never)).toThrow(TypeError);
  showJobsAs(sampleJobs, theirs);
  const sample = pool.module<typeof Sample>(sampleJobs);
  const called: unknown[] = [];
  const listener = ({ url: at, name }: TracedJob): void => void called.push({ url: at, name });
  const channel = tracingChannel<unknown, TracedJob>("skein:job");
  channel.start.subscribe(listener as never);
  expect(await sample.add(1, 2)).toBe(3);
  await expect(sample.add((() => {}) as never, 2)).rejects.toThrow("Job: theirs (file:///theirs.js)");
  channel.start.unsubscribe(listener as never);
  expect(called).toEqual([theirs, theirs]);
  expect((await jobs.takeLog()).map(({ message }) => message)).toMatchObject([theirs]);
});

it("jobs of a thread where nobody listens any more, and nothing on the caller's", async () => {
  const here: unknown[] = [];
  const listener = (message: unknown): void => void here.push(message);
  const channel = tracingChannel("skein:job:run");
  channel.start.subscribe(listener);
  expect(await jobs.stop()).toBe(false);
  expect(await jobs.seenLater()).toBe("undefined, true");
  await expect(jobs.fail()).rejects.toThrow("at once");
  channel.start.unsubscribe(listener);
  expect(here).toEqual([]);
});
