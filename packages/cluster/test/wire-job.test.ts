/** What a worker does with a job that is not for it. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { QueueFullError, ThreadPool } from "@skein/pool";
import { DelayedError } from "bullmq";
import { afterAll, expect, it, onTestFinished, vi } from "vitest";
import { throwsWhileDown, writtenFiles } from "../../pool/test/jobs/written-files.ts";
import { LookAhead } from "../src/look-ahead.ts";
import { Solitude } from "../src/solitude.ts";
import { ThreadCalls } from "../src/thread-calls.ts";
import type * as Thread from "../src/thread.ts";
import { now } from "../src/timers.ts";
import { type JobSurroundings, type StoredJob, WireJob } from "../src/wire-job.ts";

const url = new URL("./delivery.jobs.ts", import.meta.url).href;
const threadUrl = new URL("../src/thread.ts", import.meta.url);
const pool = new ThreadPool({ maxThreads: 1, maxQueue: 0 });
afterAll(() => pool.close());

const rest = { each: false, digest: null, context: null, reports: false, children: null };
const limits = { lostRetries: 2, threadRetries: 0, leftMs: null, runTimeoutMs: null };
const wordRequest = { v: 2, from: "1.0.0", fn: "word", args: 'J["a"]', ...rest, ...limits };

function play(skewMs: number, threads: ThreadPool, served = url) {
  const errors: Error[] = [];
  const around: JobSurroundings = {
    url: served,
    skewMs,
    maxPayloadBytes: 2 ** 20,
    solitude: new Solitude({ close() {}, open() {} }),
    lookAhead: new LookAhead(
      {
        concurrency: 10,
        waiting: () => 0,
        maxThreads: () => 1,
        unlike() {},
        hasLong: () => false,
        changed() {},
      },
      { now, after() {} },
    ),
    calls: new ThreadCalls(threads, threads.module<typeof Thread>(threadUrl, { flowContext: false })),
    onError: (error) => errors.push(error),
    isDisconnected: () => false,
    waits() {},
  };
  const givenBack: unknown[] = [];
  const pauses: number[] = [];
  const job = (data: object, attemptsStarted = 1, opts = {}) =>
    new WireJob(
      {
        data,
        attemptsStarted,
        attemptsMade: 0,
        stalledCounter: 0,
        opts,
        moveToDelayed: async (timestamp: number) => {
          givenBack.push(attemptsStarted);
          pauses.push(timestamp - Date.now());
        },
      } as unknown as StoredJob,
      around,
    );
  return { job, errors, givenBack, pauses };
}

it.each([
  [0, 0],
  [1, 1],
  [2000, 1],
  [3900, 2],
  [4100, 3],
])("leaves a job to other versions for no less than `skewMs`: %i, %i times", async (skewMs, times) => {
  const { job, givenBack } = play(skewMs, pool);
  const run = (starts: number) => job({ v: 99, from: "7.1.0" }, starts).run();
  for (let starts = 1; starts <= times; starts++)
    await expect(run(starts)).rejects.toBeInstanceOf(DelayedError);
  expect(await run(times + 1)).toMatchObject({ kind: "error" });
  expect(givenBack).toHaveLength(times);
});

it("leaves a job for as long where the program has set the clock, which BullMQ reads", async () => {
  const { job, pauses } = play(50, pool);
  vi.useFakeTimers({ toFake: ["Date"], now: 0 });
  onTestFinished(() => void vi.useRealTimers());
  await expect(job({ v: 99, from: "7.1.0" }, 1).run()).rejects.toBeInstanceOf(DelayedError);
  expect(pauses).toEqual([50]);
});

it("loads a module anew that failed once, with what it imports", async () => {
  const folder = writtenFiles({
    "word.jobs.mjs": `import "./needed.mjs"; export const word = (text) => text;`,
    "needed.mjs": throwsWhileDown,
    down: "",
  });
  await using threads = new ThreadPool({ maxThreads: 1 });
  const { job } = play(0, threads, pathToFileURL(join(folder, "word.jobs.mjs")).href);
  expect(await job(wordRequest).run()).toMatchObject({ kind: "error" });
  rmSync(join(folder, "down"));
  expect(await job(wordRequest).run()).toMatchObject({ kind: "result", text: 'J"a"' });
});

it("gives a job back that its pool refuses", async () => {
  const closed = new ThreadPool({ maxThreads: 1 });
  await closed.close();
  const { job, givenBack, errors } = play(0, closed);
  await expect(job(wordRequest).run()).rejects.toBeInstanceOf(DelayedError);
  expect(givenBack).toHaveLength(1);
  expect(errors).toMatchObject([{ code: "ERR_SKEIN_POOL_CLOSED" }]);
  const { job: other, errors: told } = play(0, pool);
  const both = await Promise.allSettled([other(wordRequest).run(), other(wordRequest).run()]);
  expect(both).toMatchObject([
    { value: { kind: "result", text: 'J"a"' } },
    { reason: expect.any(DelayedError) },
  ]);
  expect(told).toMatchObject([{ constructor: QueueFullError }]);
});

it("leaves no stack in the store for each attempt that threw", async () => {
  const { job } = play(0, pool);
  const attempt = job({ ...wordRequest, args: 'J[""]' }, 1, { attempts: 2 }).run();
  await expect(attempt).rejects.toMatchObject({ name: "AttemptError", stack: "" });
});
