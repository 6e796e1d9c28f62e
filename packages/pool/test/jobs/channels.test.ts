import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, it } from "vitest";
import { type JobMessage, ThreadPool, type ThreadMessage } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
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

it("threads: start and exit, with the exit code and what ended them", async () => {
  const seen = await record<ThreadMessage>(["skein:thread:start", "skein:thread:exit"], async () => {
    await using pool = new ThreadPool({ maxThreads: 1, name: "watched" });
    const jobs = pool.module<typeof Sample>(sampleJobs);
    await jobs.add(1, 2);
    await jobs.throwLater("boom").then(null, () => {});
    await jobs.add(1, 2);
  });
  expect(seen.map(([name]) => name)).toEqual([
    "skein:thread:start",
    "skein:thread:exit",
    "skein:thread:start",
    "skein:thread:exit",
  ]);
  expect(seen[1]![1]).toMatchObject({ pool: "watched", exitCode: 1, cause: { message: "boom" } });
  expect(seen[0]![1].threadId).toBe(seen[1]![1].threadId);
  expect(seen[2]![1].threadId).not.toBe(seen[1]![1].threadId);
});

it("start is published on the pool thread", async () => {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof Sample>(sampleJobs);
  await jobs.listenForStarts();
  await jobs.add(1, 2);
  await pool.run(() => 1, []);
  expect(await jobs.startsSeen()).toEqual(["add", null, "startsSeen"]);
});
