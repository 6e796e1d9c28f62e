import { expect, it } from "vitest";
import { CallState, OVER, RUNNING, STOPPING, WAITING, WITHDRAWN } from "../../src/shared/call-state.ts";

const stateOf = (call: CallState): number => call.words[0]!;

it("CallState, smoke: a call waits, runs, and is over", () => {
  const call = new CallState();
  expect([stateOf(call), call.isRunning, call.hasBegun]).toEqual([WAITING, false, false]);
  expect(call.begin()).toBe(true);
  expect([stateOf(call), call.isRunning, call.isStopping]).toEqual([RUNNING, true, false]);
  call.end();
  expect([stateOf(call), call.isRunning, call.hasBegun]).toEqual([OVER, false, true]);
});

it("CallState: a withdrawn call never begins", () => {
  const call = new CallState();
  expect(call.giveUp()).toBe("withdrawn");
  expect([call.begin(), stateOf(call), call.hasBegun]).toEqual([false, WITHDRAWN, false]);
});

it("CallState: one that has begun is asked to stop, once or twice, and still runs", () => {
  const call = new CallState();
  call.begin();
  expect([call.giveUp(), call.giveUp(), stateOf(call)]).toEqual(["begun", "begun", STOPPING]);
  expect([call.isStopping, call.isRunning]).toEqual([true, true]);
  call.end();
  expect([call.isStopping, stateOf(call)]).toEqual([false, OVER]);
});

it("CallState: giving up what is over changes nothing", () => {
  const call = new CallState();
  call.begin();
  call.end();
  expect([call.giveUp(), stateOf(call)]).toEqual(["begun", OVER]);
});

it("CallState: both sides share one word, and who waits for a stop is told of it, or of the end", async () => {
  const call = new CallState();
  const thread = new CallState(call.words);
  thread.begin();
  const alive = setInterval(() => {}, 1000);
  const stopping = thread.whenStopping();
  call.giveUp();
  await stopping;
  expect(thread.whenStopping()).toBeNull();
  const other = new CallState();
  other.begin();
  const over = other.whenStopping();
  other.end();
  await over;
  clearInterval(alive);
});

it("CallState: a call can be taken back until it begins, and nothing is asked of it then", () => {
  const call = new CallState();
  expect([call.withdraw(), call.begin(), call.withdraw()]).toEqual([true, false, false]);
  call.reuse();
  expect([call.begin(), call.withdraw(), call.isStopping]).toEqual([true, false, false]);
});

it("CallState: the thread's side is over for good, whatever call has its word then", () => {
  const call = new CallState();
  const thread = new CallState(call.words);
  thread.begin();
  thread.end();
  call.reuse();
  const next = new CallState(call.words);
  next.begin();
  call.giveUp();
  expect([next.isStopping, thread.isStopping, thread.isRunning, thread.whenStopping()]).toEqual([
    true,
    false,
    false,
    null,
  ]);
});
