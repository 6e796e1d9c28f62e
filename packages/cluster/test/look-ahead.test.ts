/** How far a worker looks ahead, with a clock of the test's own. */
import { expect, it } from "vitest";
import { JobsOfThread } from "../src/jobs-of-thread.ts";
import { type AheadCall, LookAhead } from "../src/look-ahead.ts";

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
  const state = { waiting, changes: 0 };
  const parts = {
    concurrency,
    waiting: () => state.waiting,
    maxThreads: () => maxThreads,
    changed: () => state.changes++,
  };
  const ahead = new LookAhead(parts, clock);
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
  const waiting = ["a", "b"].map(async (name) => {
    const here = await jobs.beginWhenIdle();
    begun.push(name);
    return here;
  });
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
