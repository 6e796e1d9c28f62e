/** How far a worker looks ahead, with a clock of the test's own, and what becomes of jobs that are ahead. */
import { ThreadPool } from "@skein/pool";
import { DelayedError } from "bullmq";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { Gates, opened, store } from "../../../test/engines/gates.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { JobsOfThread } from "../src/jobs-of-thread.ts";
import { type AheadCall, LookAhead, type LookAheadParts } from "../src/look-ahead.ts";
import { Solitude } from "../src/solitude.ts";
import { type ThreadCall, ThreadCalls } from "../src/thread-calls.ts";
import type * as Thread from "../src/thread.ts";
import { requestOf } from "../src/wire.ts";
import { type JobSurroundings, type StoredJob, WireJob } from "../src/wire-job.ts";

const gates = new Gates(false);
afterAll(() => gates.remove());

class FakeCall implements AheadCall {
  hasBegun = false;
  isTaken = false;

  takeBack(): boolean {
    if (!this.hasBegun) this.isTaken = true;
    return this.isTaken;
  }
}

function start({ concurrency = 1, maxThreads = 1, waiting = 0 } = {}) {
  let time = 0;
  let timers: { readonly at: number; readonly look: () => void }[] = [];
  const clock = {
    now: () => time,
    after: (ms: number, look: () => void) => timers.push({ at: time + ms, look }),
  };
  const state = { waiting, maxThreads, hasOther: false, changes: 0 };
  const parts: LookAheadParts = {
    concurrency,
    waiting: () => state.waiting,
    maxThreads: () => state.maxThreads,
    unlike: () => ahead.reset(),
    hasLong: () => ahead.hasLong || state.hasOther,
    changed: () => state.changes++,
  };
  const ahead: LookAhead = new LookAhead(parts, clock);
  const pass = (ms: number): void => {
    time += ms;
    const due = timers.filter(({ at }) => at <= time);
    timers = timers.filter(({ at }) => at > time);
    for (const { look } of due) look();
  };
  const send = (): FakeCall => {
    const call = new FakeCall();
    ahead.sent(call, ahead.isAlone);
    return call;
  };
  /** Jobs that are over at once, one after the other. */
  const runShort = (count: number): void => {
    for (let i = 0; i < count; i++) ahead.ended(send(), true);
  };
  return { ahead, state, pass, send, runShort };
}

it("looks ahead after 16 short jobs in a row that have awaited nothing, and not for others", () => {
  const { ahead, runShort, send, pass } = start();
  runShort(15);
  ahead.ended(send(), false);
  runShort(16);
  expect([ahead.ahead, ahead.isAlone]).toEqual([0, true]);
  runShort(40);
  expect(ahead.ahead).toBe(16);
  const end = (tookMs: number): number => {
    const call = send();
    pass(tookMs);
    ahead.ended(call, true);
    return ahead.ahead;
  };
  expect([20, 20, 20, 20, 20, 19].map(end)).toEqual([8, 4, 2, 1, 1, 2]);
  ahead.drained();
  expect(ahead.ahead).toBe(0);
  runShort(3);
  expect(ahead.ahead).toBe(3);
  ahead.ended(send(), false);
  expect([ahead.ahead, ahead.isAlone]).toEqual([0, false]);
  runShort(17);
  expect(ahead.ahead).toBe(1);
  expect([end(50), ahead.isAlone]).toEqual([0, false]);
});

it("never looks ahead where more threads than `concurrency` allows could run, or beside a job that is not alone", () => {
  const wide = start({ concurrency: 2, maxThreads: 4 });
  wide.runShort(100);
  expect(wide.ahead.ahead).toBe(0);
  const { ahead, send, runShort } = start({ concurrency: 2, maxThreads: 2 });
  const beside = send();
  runShort(100);
  expect(ahead.ahead).toBe(0);
  ahead.ended(beside, true);
  runShort(2);
  expect(ahead.ahead).toBe(3);
});

it("looks ahead no more when the pool may have more threads", () => {
  const { ahead, state, runShort } = start();
  runShort(40);
  state.maxThreads = 2;
  runShort(1);
  expect(ahead.ahead).toBe(0);
});

it("jobs go on beside one that is long, of whatever module: none waits for it on its thread", () => {
  const { ahead, state, send, runShort, pass } = start({ concurrency: 2 });
  const long = send();
  pass(50);
  runShort(100);
  expect(ahead.isAlone).toBe(false);
  ahead.ended(long, false);
  state.hasOther = true;
  runShort(100);
  expect(ahead.isAlone).toBe(false);
  state.hasOther = false;
  runShort(1);
  expect(ahead.isAlone).toBe(true);
});

it("takes back what has not begun behind a job that turns out to be long; who waits for the cluster makes room", () => {
  const { ahead, state, send, runShort, pass } = start();
  runShort(20);
  const calls = [send(), send(), send()];
  calls[0]!.hasBegun = true;
  pass(100);
  expect(calls.map(({ isTaken }) => isTaken)).toEqual([false, true, true]);
  expect([ahead.ahead, ahead.hasRoom, ahead.isAlone]).toEqual([0, false, true]);
  state.waiting = 1;
  expect([ahead.hasRoom, ahead.isAlone]).toEqual([true, false]);
  // What it is told of a job that was taken back changes nothing.
  for (const call of calls) ahead.ended(call, true);
  expect(state.changes).toBeGreaterThan(0);
  pass(100);
  expect(ahead.hasRoom).toBe(true);
});

it("a thread begins a job alone when no other runs, one after the other; those that wait for the cluster do not count", async () => {
  const jobs = new JobsOfThread();
  const first = jobs.begin();
  const begun: string[] = [];
  const { signal } = new AbortController();
  const waiting = ["a", "b"].map(async (name) => {
    const here = await jobs.beginWhenIdle(signal);
    begun.push(name);
    return here!;
  });
  const taken = new AbortController();
  const late = jobs.beginWhenIdle(taken.signal);
  taken.abort();
  expect(await late).toBeNull();
  await Promise.resolve();
  expect(begun).toEqual([]);
  first.wait();
  const a = await waiting[0]!;
  expect(begun).toEqual(["a"]);
  first.proceed();
  a.end();
  a.end();
  await new Promise(setImmediate);
  expect(begun).toEqual(["a"]);
  first.end();
  (await waiting[1]!).end();
  first.proceed();
  expect([begun, jobs.isIdle]).toEqual([["a", "b"], true]);
});

it("a job that was taken back leaves its thread, and another one begins there", async () => {
  await using pool = new ThreadPool({ maxThreads: 1, jobsPerThread: 2 });
  const thread = pool.module<typeof Thread>(new URL("../src/thread.ts", import.meta.url));
  const calls = new ThreadCalls(pool, thread);
  const url = new URL("../../../test/engines/engines.jobs.ts", import.meta.url).href;
  const call = (fn: string, args: unknown[], isAlone: boolean): ThreadCall => {
    const about = { args: `J${JSON.stringify(args)}`, context: null, reports: false, children: null };
    const rest = { ...about, url, attempt: 1, isAlone, maxPayloadBytes: 1000 };
    return calls.begin({ v: 2, from: "1.0.0", fn, each: false, ...rest }, () => {});
  };
  const gate = gates.make();
  const long = call("hold", [gate], true);
  await opened(gate, 1);
  const behind = call("add", [1, 2], true);
  await eventually("the thread has both", () => pool.stats().queued.normal === 0);
  expect(behind.takeBack()).toBe(true);
  expect(await behind.answer).toBeNull();
  expect(await call("add", [3, 4], false).answer).toMatchObject({ outcome: { kind: "result", text: "J7" } });
  store(gate, 0, 1);
  expect(await long.answer).toMatchObject({ outcome: { kind: "result" } });
});

/** A job as it comes from the store, and the call that its worker makes for it. */
function received(ahead: LookAhead, request: { runTimeoutMs?: number; lostRetries?: number }) {
  const { promise, resolve } = Promise.withResolvers<null>();
  const call = { hasBegun: false, answer: promise, stop: () => resolve(null) };
  const rest = { args: "J[]", digest: null, context: null, reports: false, threadRetries: 0, leftMs: null };
  const source = { kind: "export", url: "file:///a.jobs.ts", name: "f" } as const;
  const stored = {
    data: requestOf(source, { ...rest, lostRetries: 2, runTimeoutMs: null, children: null, ...request }),
    stalledCounter: 0,
    attemptsMade: 0,
    opts: {},
    moveToDelayed: () => Promise.resolve(),
  };
  const solitude = new Solitude({ close() {}, open() {} });
  const around = { maxPayloadBytes: 1000, solitude, lookAhead: ahead, calls: { begin: () => call } };
  return {
    call,
    job: new WireJob(stored as unknown as StoredJob, around as unknown as JobSurroundings),
  };
}

it("the time that a job may run begins when it begins", async () => {
  const { call, job } = received(start().ahead, { runTimeoutMs: 1 });
  const outcome = job.run();
  await sleep(20);
  expect(await Promise.race([outcome, Promise.resolve("open")])).toBe("open");
  call.hasBegun = true;
  expect(await outcome).toMatchObject({ kind: "error", text: expect.stringContaining("runTimeoutMs") });
});

it("a job that would be lost for good is not ahead of its turn, and none is beside it", async () => {
  const { ahead, send, runShort } = start();
  runShort(30);
  send();
  await expect(received(ahead, { lostRetries: 0 }).job.run()).rejects.toBeInstanceOf(DelayedError);
  expect([ahead.ahead, ahead.isAlone]).toEqual([0, true]);
});
