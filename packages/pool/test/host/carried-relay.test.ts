/** Which carried job is sent to which thread, and when; the threads are played by hand. */
import { MessageChannel } from "node:worker_threads";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Carried, NotArrived } from "../../src/codec/carried.ts";
import { Encoder } from "../../src/codec/encoder.ts";
import { ThreadCrashedError } from "../../src/errors.ts";
import { CarriedRelay } from "../../src/host/carried-relay.ts";
import type { PoolThread } from "../../src/host/pool-thread.ts";
import { ThreadLead } from "../../src/host/thread-lead.ts";
import type { ThreadRoster } from "../../src/host/thread-roster.ts";
import { defaultSubmitOptions } from "../../src/submit/submit-options.ts";
import type { HostMessage } from "../../src/messages/protocol.ts";
import { NO_JOB } from "../../src/shared/job-queues.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { HOST, HOST_SERIAL, PoolMemory } from "../../src/shared/pool-memory.ts";
import { SharedBuffers } from "../../src/transfer/shared-buffers.ts";
import { ALL, OWN } from "../../src/shared/reach.ts";
import { OUTCOME_RESULT } from "../../src/shared/slot-fields.ts";
import { QUEUED, RUNNING } from "../../src/shared/slot.ts";
import type { TaskJob } from "../../src/submit/task-job.ts";
import { Submitter } from "../../src/submit/submitter.ts";
import type { SubmitOptions } from "../../src/submit/submit-options.ts";
import { CarriedValues } from "../../src/transfer/carried-values.ts";
import { played } from "../played-timers.ts";
import { ownMemories } from "../shared/own-memories.ts";

vi.mock(import("../../src/shared/timers.ts"), async (original) => {
  const { playTimers } = await import("../played-timers.ts");
  return playTimers(original);
});

const BYTES = 64 << 10;
const nothing = (): void => {};
const [A, B] = [0, 1];

/** A thread as the relay sees it, and what it was sent. */
class PlayedThread {
  readonly index: number;
  readonly serial: number;
  readonly lead: ThreadLead = new ThreadLead();
  isLeaving = false;
  hasEnded = false;
  readonly messages: HostMessage[] = [];
  /** What it was sent past its messages. */
  readonly memory: Carried[] = [];
  readonly lane = { send: (carried: Carried): number => this.memory.push(carried), close: nothing };
  readonly results = { close: nothing };

  constructor(index: number) {
    this.index = index;
    this.serial = index + 1;
  }

  post(message: HostMessage): void {
    this.messages.push(message);
  }
}

let memories: PoolMemory[];
let threads: PlayedThread[];
let submitter: Submitter;
let relay: CarriedRelay;
let carried: CarriedValues;
let mayStart: boolean;

beforeEach(() => {
  [played.nowMs, played.immediates, mayStart] = [1000, [], false];
  const layout = createLayout(64, 2, 64);
  const control = new SharedArrayBuffer(layout.controlBytes);
  const slots = new SharedArrayBuffer(layout.slotsBytes);
  memories = [0, 1, 2].map((each) => new PoolMemory(control, slots, layout, each));
  const memory = memories[HOST]!;
  memory.queues.initialize();
  memory.places.initialize(2);
  threads = [new PlayedThread(A), new PlayedThread(B)];
  for (const { index, serial } of threads) memory.prepareThread(index, serial);
  const roster = {
    taking: () => threads.filter(({ hasEnded, isLeaving }) => !hasEnded && !isLeaving),
    withSerial: (serial: number) => threads.find((thread) => thread.serial === serial) ?? null,
  };
  carried = new CarriedValues(HOST_SERIAL, nothing);
  relay = new CarriedRelay(memory, roster as unknown as ThreadRoster, carried, {
    mayStart: () => mayStart,
    jobIn: (slot) => submitter.ledger.jobIn(slot),
    requeue: (slot, id) => submitter.ledger.requeue(slot, id),
  });
  submitter = new Submitter({
    memory,
    ...ownMemories(HOST_SERIAL),
    sharedBuffers: new SharedBuffers(HOST_SERIAL, nothing, { announce: nothing, gone: nothing }),
    carried,
    holder: relay,
    limits: { jobs: Infinity, bytes: Infinity, maxQueue: Infinity },
    homes: null,
    carry: nothing,
    send: nothing,
    thread: {
      active: nothing,
      idle: nothing,
      queued: nothing,
      cancelRequested: nothing,
      takeMessages: nothing,
      wantReports: nothing,
      terminate: nothing,
      awaited: nothing,
    },
  });
  for (const { index } of threads) memory.parking.setBusy(index);
});

function submit(args: unknown[], options: Partial<SubmitOptions> = {}): TaskJob {
  const fn = submitter.functions.ofExport("file:///jobs.js", "job");
  const job = submitter.jobs.submit(fn, args, { ...defaultSubmitOptions, ...options }, submit);
  job.task.then(nothing, nothing);
  return job;
}

function moved(options: Partial<SubmitOptions> = {}, bytes = BYTES): TaskJob {
  const buffer = new ArrayBuffer(bytes);
  return submit([buffer], { ...options, transfer: [buffer] });
}

const plain = (name: string, options: Partial<SubmitOptions> = {}): TaskJob => submit([name], options);

/** The microtasks of this turn, then the next turn. */
async function turn(): Promise<void> {
  await new Promise(setImmediate);
  for (const callback of played.immediates.splice(0)) callback();
}

/** The slots of the messages that the thread was sent since, each message by itself. */
function sentTo(thread: number): number[][] {
  return threads[thread]!.messages.splice(0).map((message) => {
    if (message.type === "handed-memory") return message.slots.slice();
    return message.type === "handed" ? message.jobs.map(({ slot }) => slot) : [];
  });
}

function finish(thread: number, slot: number): void {
  const { slots, inboxes } = memories[thread + 1]!;
  const encoder = new Encoder(
    new SharedBuffers(thread + 1, nothing, { announce: nothing, gone: nothing }),
    () => 1,
  );
  const message = encoder.encode(1, "result");
  slots.setInlinePayload(slot, message.bytes, message.length);
  message.release();
  slots.setOutcome(slot, OUTCOME_RESULT);
  slots.finish(slot, thread + 1);
  inboxes[HOST]!.put(slot);
}

/** The thread takes a job from the queues, and asks for what it carries. */
function claim(thread: number): number {
  const slot = memories[thread + 1]!.queues.take(thread + 1);
  const job = slot === NO_JOB ? null : submitter.ledger.jobIn(slot);
  if (job !== null && job.extras.carriedId !== 0)
    relay.onWanted(threads[thread] as unknown as PoolThread, job.extras.carriedId);
  return slot;
}

/** The thread is given a job, and is at it: jobs of its kind take 10 us. */
function makeQuick(thread: number): number {
  memories[HOST]!.parking.setSearching(thread);
  for (;;) {
    const { slot } = moved();
    memories[HOST]!.parking.setBusy(thread);
    expect(sentTo(thread)).toEqual([[slot]]);
    if (threads[thread]!.lead.hasRoom(played.nowMs, memories[HOST]!.parking.paceOf(thread))) return slot;
    played.nowMs += 0.01;
    memories[thread + 1]!.parking.setPace(thread, 10);
    finish(thread, slot);
    submitter.ledger.drain();
    memories[HOST]!.parking.setSearching(thread);
  }
}

const state = ({ slot }: TaskJob): number[] => [
  memories[HOST]!.slots.state(slot),
  memories[HOST]!.slots.owner(slot),
];

describe("a carried job of the host", () => {
  it("goes to the thread that looks for work at once, before the turn is over", () => {
    memories[HOST]!.parking.setSearching(B);
    const job = moved();
    expect(sentTo(B)).toEqual([[job.slot]]);
    expect(state(job)).toEqual([RUNNING, threads[B]!.serial]);
  });

  it("is queued when all threads are busy with who knows what, and sent to the one that asks", async () => {
    const job = moved();
    await turn();
    expect([sentTo(A), sentTo(B), state(job)]).toEqual([[], [], [QUEUED, 0]]);
    claim(A);
    expect(threads[A]!.messages).toEqual([]);
    await turn();
    expect(threads[A]!.messages).toMatchObject([{ type: "carried", id: job.extras.carriedId }]);
  });

  it("is sent ahead of a quick thread, with all others of the turn in one message", async () => {
    makeQuick(A);
    const jobs = Array.from({ length: 3 }, () => moved());
    expect(sentTo(A)).toEqual([]);
    await turn();
    expect(sentTo(A)).toEqual([jobs.map(({ slot }) => slot)]);
    expect(jobs.map(state)).toEqual(jobs.map(() => [RUNNING, threads[A]!.serial]));
  });

  it("leaves large memory in the lane, which is no part of the message", async () => {
    makeQuick(A);
    const jobs = [moved({}, 1 << 20), moved({}, 1 << 20)];
    const ids = jobs.map(({ extras }) => extras.carriedId);
    await turn();
    expect(threads[A]!.messages).toEqual([{ type: "handed-memory", slots: jobs.map(({ slot }) => slot) }]);
    expect(threads[A]!.memory.map(({ id }) => id)).toEqual(ids);
    expect(ids.map((id) => carried.has(id))).toEqual([false, false]);
  });

  it("is queued beyond half a millisecond of work, and sent when others are over, oldest first", async () => {
    const first = makeQuick(A);
    const jobs = Array.from({ length: 60 }, () => moved());
    await turn();
    const [sent] = sentTo(A);
    expect(sent!.length).toBeGreaterThan(10);
    expect(sent).toEqual(jobs.slice(0, sent!.length).map(({ slot }) => slot));
    const left = jobs.slice(sent!.length);
    expect(left.map(state)).toEqual(left.map(() => [QUEUED, 0]));
    // More is sent at the end of the turn, or when half of them are over, whatever comes first.
    finish(A, first);
    submitter.ledger.drain();
    expect(sentTo(A)).toEqual([]);
    await turn();
    expect(sentTo(A)[0]?.[0]).toBe(left[0]!.slot);
    for (const slot of sent!) finish(A, slot);
    submitter.ledger.drain();
    expect(sentTo(A).length).toBeGreaterThan(0);
  });

  it("is sent behind the one that a quick thread asks for", async () => {
    finish(A, makeQuick(A));
    submitter.ledger.drain();
    const jobs = Array.from({ length: 4 }, () => moved({}, 1 << 20));
    await turn();
    expect(sentTo(A)).toEqual([]);
    expect(claim(A)).toBe(jobs[0]!.slot);
    await turn();
    expect(threads[A]!.messages.shift()).toMatchObject({ type: "carried", id: jobs[0]!.extras.carriedId });
    expect(sentTo(A)).toEqual([jobs.slice(1).map(({ slot }) => slot)]);
  });

  it("is not sent ahead while another thread has nothing to do, or may be started", async () => {
    makeQuick(A);
    mayStart = true;
    const job = moved();
    await turn();
    mayStart = false;
    memories[HOST]!.parking.announceSleep(B);
    await turn();
    moved();
    await turn();
    expect([sentTo(A), state(job)]).toEqual([[], [QUEUED, 0]]);
  });

  it("does not overtake a job that waits: sent when that one is taken", async () => {
    makeQuick(A);
    const other = plain("a");
    const job = moved();
    await turn();
    expect([sentTo(A), state(job)]).toEqual([[], [QUEUED, 0]]);
    expect(claim(B)).toBe(other.slot);
    moved();
    await turn();
    expect(sentTo(A)[0]?.[0]).toBe(job.slot);
  });

  it("is not sent ahead while jobs of several priorities wait: the threads choose", async () => {
    makeQuick(A);
    plain("a");
    moved({ priority: 0 });
    moved({ priority: 2 });
    await turn();
    expect([sentTo(A), sentTo(B)]).toEqual([[], []]);
  });

  it("is not sent ahead if it carries more than memory, or is exclusive", async () => {
    makeQuick(A);
    const { port1, port2 } = new MessageChannel();
    const port = submit([port2], { transfer: [port2] });
    await turn();
    expect([sentTo(A), state(port)]).toEqual([[], [QUEUED, 0]]);
    claim(B);
    await turn();
    const exclusive = moved({ isExclusive: true });
    await turn();
    expect([sentTo(A), state(exclusive)[0]]).toEqual([[], QUEUED]);
    port1.close();
  });

  it("goes to the thread that has less to do", async () => {
    makeQuick(A);
    makeQuick(B);
    const jobs = Array.from({ length: 4 }, () => moved());
    await turn();
    expect([sentTo(A)[0]?.length, sentTo(B)[0]?.length]).toEqual([2, 2]);
    expect(jobs.every((job) => state(job)[0] === RUNNING)).toBe(true);
  });
});

describe("a job that its thread gives back", () => {
  function giveBack(job: TaskJob): void {
    const handed = threads[A]!.messages.splice(0).flatMap((message) =>
      message.type === "handed" ? message.jobs : [],
    );
    relay.onReturned(
      threads[A] as unknown as PoolThread,
      handed.filter(({ slot }) => slot === job.slot),
    );
  }

  it("is queued again, with its values, and that thread gets nothing ahead for a while", async () => {
    makeQuick(A);
    const job = moved();
    await turn();
    giveBack(job);
    await turn();
    expect(state(job)).toEqual([QUEUED, 0]);
    moved();
    await turn();
    expect(sentTo(A)).toEqual([]);
    expect(claim(B)).toBe(job.slot);
    await turn();
    expect(threads[B]!.messages).toMatchObject([{ type: "carried", id: job.extras.carriedId }]);
  });

  it("is over when it was cancelled meanwhile, and its slot free", async () => {
    makeQuick(A);
    const job = moved();
    const { slot } = job;
    await turn();
    submitter.ledger.cancel(job, new Error("stop"));
    giveBack(job);
    await turn();
    expect(submitter.ledger.jobIn(slot)).toBeNull();
    expect(carried.has(job.extras.carriedId)).toBe(false);
  });

  it("runs elsewhere when the thread dies before that is heard", async () => {
    makeQuick(A);
    const job = moved();
    await turn();
    giveBack(job);
    crash(A);
    await turn();
    expect(state(job)).toEqual([QUEUED, 0]);
    expect(claim(B)).toBe(job.slot);
  });
});

function crash(thread: number): void {
  threads[thread]!.hasEnded = true;
  submitter.ledger.recover(thread + 1, new ThreadCrashedError(1));
  submitter.ledger.deliver();
  relay.onExit(threads[thread] as unknown as PoolThread);
}

it("what was about to be sent to a thread that is told to leave is queued again", async () => {
  makeQuick(A);
  const job = moved();
  threads[A]!.isLeaving = true;
  await turn();
  expect([sentTo(A), state(job)]).toEqual([[], [QUEUED, 0]]);
  expect(claim(B)).toBe(job.slot);
  await turn();
  expect(threads[B]!.messages).toMatchObject([{ type: "carried", id: job.extras.carriedId }]);
});

it("what was not sent to a thread that takes nothing any more does not count as its own", async () => {
  const first = makeQuick(A);
  const job = moved();
  memories[A + 1]!.parking.setReach(A, OWN);
  await turn();
  expect([sentTo(A), state(job), threads[A]!.lead.jobs]).toEqual([[], [QUEUED, 0], 1]);
  memories[A + 1]!.parking.setReach(A, ALL);
  finish(A, first);
  submitter.ledger.drain();
  expect(threads[A]!.lead.isFree).toBe(true);
});

describe("a thread that dies", () => {
  it("says of a job that it has begun that it ran it", async () => {
    const slot = makeQuick(A);
    memories[A + 1]!.slots.begin(slot);
    const { task } = submitter.ledger.jobIn(slot)!;
    crash(A);
    await expect(Promise.resolve(task)).rejects.toThrow(/while it ran this job/);
  });

  it("takes along what it was sent; what it was about to be sent runs elsewhere", async () => {
    makeQuick(A);
    const sent = moved();
    await turn();
    const job = moved();
    crash(A);
    await turn();
    expect([job.isOver, state(job)]).toEqual([false, [QUEUED, 0]]);
    expect(claim(B)).toBe(job.slot);
    await expect(Promise.resolve(sent.task)).rejects.toThrow(/before this job began/);
  });
});

it("what was about to be sent to a thread that dies keeps its values while jobs wait and others of that thread are settled", async () => {
  makeQuick(A);
  moved();
  await turn();
  const job = moved();
  plain("waits");
  sentTo(A);
  crash(A);
  await turn();
  expect([sentTo(A), job.isOver, state(job)]).toEqual([[], false, [QUEUED, 0]]);
  expect(carried.has(job.extras.carriedId)).toBe(true);
});

it("what is sent away is not here any more", () => {
  memories[HOST]!.parking.setSearching(A);
  const job = moved();
  expect(() => carried.take(job.extras.carriedId)).toThrow(NotArrived);
});
