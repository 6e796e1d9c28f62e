import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, it } from "vitest";
import { type JobMessage, ThreadPool, type ThreadMessage } from "../../src/index.ts";
import type * as Crash from "../fixtures/crash.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import type * as Streams from "../fixtures/stream.jobs.ts";
import { makeGate, opened, sampleJobs } from "../gate.ts";

/** Runs `body` with listeners on this thread's channels. */
async function record<T>(names: readonly string[], body: () => Promise<void>): Promise<[string, T][]> {
  const seen: [string, T][] = [];
  const listeners = names.map(
    (name) => [name, (message: unknown) => seen.push([name, message as T])] as const,
  );
  for (const [name, listener] of listeners) subscribe(name, listener);
  try {
    await body();
  } finally {
    for (const [name, listener] of listeners) unsubscribe(name, listener);
  }
  return seen;
}

const jobChannels = ["skein:job:submit", "skein:job:end", "skein:job:error", "skein:job:cancel"];

it("every submitted job has one submit, and exactly one of end, error, cancel", async () => {
  const seen = await record<JobMessage>(jobChannels, async () => {
    await using pool = new ThreadPool({ maxThreads: 2 });
    const jobs = pool.module<typeof Sample>(sampleJobs);
    const gate = makeGate();
    const controller = new AbortController();
    const all = Promise.allSettled([
      jobs.add(1, 2),
      jobs.fail("x"),
      jobs.exit(1),
      pool.run((a: number) => a, [1]),
      pool.run(jobs.spinUntilCancelled, [gate], { signal: controller.signal }),
      pool.run(jobs.spinUntilCancelled, [makeGate()], { timeoutMs: 200 }),
    ]);
    await opened(gate);
    controller.abort();
    await all;
  });
  const submitted = seen.filter(([name]) => name === "skein:job:submit");
  const over = seen.filter(([name]) => name !== "skein:job:submit");
  expect(submitted).toHaveLength(6);
  expect(over).toHaveLength(6);
  for (const [, { task }] of submitted)
    expect(over.filter(([, message]) => message.task === task)).toHaveLength(1);
  expect(over.map(([name]) => name).toSorted()).toEqual([
    "skein:job:cancel",
    "skein:job:end",
    "skein:job:end",
    "skein:job:error",
    "skein:job:error",
    "skein:job:error",
  ]);
  expect(submitted[0]![1]).toMatchObject({ name: "add", url: sampleJobs.href });
  expect(submitted[3]![1]).toMatchObject({ name: null, url: null });
  expect(over.find(([name]) => name === "skein:job:cancel")![1].error).toMatchObject({ name: "AbortError" });
});

/** A job that is over before its call returns. */
const overAtOnce: Record<string, (of: ThreadPool, signal: AbortController) => PromiseLike<unknown>> = {
  "a getter of its arguments has aborted its signal": (pool, controller) => {
    const args = {
      get value() {
        controller.abort();
        return 1;
      },
    };
    return pool.run((value: unknown) => value, [args], { signal: controller.signal });
  },
  "each of a broadcast": (pool, controller) => {
    subscribe("skein:job:submit", function abort() {
      unsubscribe("skein:job:submit", abort);
      controller.abort();
    });
    const jobs = pool.module<typeof Sample>(sampleJobs, { signal: controller.signal });
    return pool.broadcast(jobs.add, [1, 2]);
  },
  "no thread can be made": (of) => of.run(() => 1),
};

it.each(Object.keys(overAtOnce))("submit comes first, also when the job is over at once: %s", async (how) => {
  await using pool = new ThreadPool({
    minThreads: 2,
    maxThreads: 2,
    ...(how === "no thread can be made" ? { execArgv: ["--no-such-flag"] } : {}),
  });
  if (how === "each of a broadcast") {
    pool.start(2);
    await pool.ready();
  }
  const seen = await record<JobMessage>(jobChannels, async () => {
    await Promise.allSettled([overAtOnce[how]!(pool, new AbortController())]);
  });
  const tasks = new Set(seen.map(([, { task }]) => task));
  expect(tasks.size).toBe(how === "each of a broadcast" ? 2 : 1);
  expect(seen.slice(0, tasks.size).map(([name]) => name)).toEqual([...tasks].map(() => "skein:job:submit"));
  expect(seen).toHaveLength(2 * tasks.size);
});

it("all messages of a stream have the task of its call; the last one has its completion, if nobody listened when it began", async () => {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof Streams>(new URL("../fixtures/stream.jobs.ts", import.meta.url));
  const calls: object[] = [];
  const seen = await record<JobMessage>(jobChannels, async () => {
    const call = jobs.count(3);
    calls.push(call);
    for await (const _ of call);
  });
  expect(seen.map(([name]) => name)).toEqual(["skein:job:submit", "skein:job:end"]);
  for (const [, { task }] of seen) expect(task).toBe(calls[0]);
  // More items than may be ahead of the reader: it has not ended yet.
  const late = await jobs.count(100);
  const heard = await record<JobMessage>(jobChannels, async () => {
    for await (const _ of late);
  });
  expect(heard.map(([name]) => name)).toEqual(["skein:job:end"]);
  expect(heard[0]![1].task).toBe(late.completion);
});

it("threads: start and exit, with the exit code and what ended them", async () => {
  const seen = await record<ThreadMessage>(["skein:thread:start", "skein:thread:exit"], async () => {
    await using pool = new ThreadPool({ maxThreads: 1, name: "watched" });
    const jobs = pool.module<typeof Sample>(sampleJobs);
    await jobs.add(1, 2);
    await jobs.throwLater("boom").then(null, () => {});
    await jobs.add(1, 2);
  });
  expect(seen.map(([name, { pool }]) => `${pool}: ${name}`)).toEqual([
    "watched: skein:thread:start",
    "watched: skein:thread:exit",
    "watched: skein:thread:start",
    "watched: skein:thread:exit",
  ]);
  expect(seen[1]![1]).toMatchObject({ pool: "watched", exitCode: 1, cause: { message: "boom" } });
  expect(seen[1]![1].lostJobs).toMatchObject([{ url: sampleJobs.href, name: "throwLater" }]);
  expect(seen[3]![1].lostJobs).toEqual([]);
  expect(new Set(seen.map(([, { poolId }]) => poolId)).size).toBe(1);
  expect(seen[0]![1].threadId).toBe(seen[1]![1].threadId);
  expect(seen[2]![1].threadId).not.toBe(seen[1]![1].threadId);
});

it("the exit names the jobs that were lost, not those that run again; pools of one name are told apart", async () => {
  const crash = new URL("../fixtures/crash.jobs.ts", import.meta.url);
  const ids: number[] = [];
  const tasks: object[] = [];
  const seen = await record<ThreadMessage>(["skein:thread:exit"], async () => {
    await using first = new ThreadPool({ maxThreads: 1 });
    await using second = new ThreadPool({ maxThreads: 1 });
    ids.push(first.id, second.id);
    await first.run(first.module<typeof Crash>(crash).exitFirst, [makeGate()], { retries: 1 });
    const lost = second.module<typeof Crash>(crash).exit();
    tasks.push(lost);
    await lost.then(null, () => {});
  });
  expect(ids[0]).not.toBe(ids[1]);
  const lostIn = (id: number | undefined): readonly object[] =>
    seen.filter(([, { poolId }]) => poolId === id).flatMap(([, { lostJobs }]) => lostJobs!);
  expect(lostIn(ids[0])).toEqual([]);
  expect(lostIn(ids[1])).toEqual([{ url: crash.href, name: "exit", task: expect.anything() as object }]);
  expect((lostIn(ids[1])[0] as { task: object }).task).toBe(tasks[0]);
});

it("start is published on the pool thread", async () => {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof Sample>(sampleJobs);
  await jobs.listenForStarts();
  await jobs.add(1, 2);
  await pool.run(() => 1, []);
  expect(await jobs.startsSeen()).toEqual(["add", null, "startsSeen"]);
});
