/**
 * A thread dies between any two steps of its work, played through by hand: what Ledger.recover then finds, and that each job
 * settles once. The steps themselves, under every interleaving: ../shared/*.model.test.ts.
 */
import { Task } from "@skein/scheduling";
import { beforeEach, describe, expect, it } from "vitest";
import { Encoder } from "../../src/codec/encoder.ts";
import { ThreadCrashedError } from "../../src/errors.ts";
import { defaultSubmitOptions } from "../../src/submit/submit-options.ts";
import { Deque } from "../../src/shared/deque.ts";
import { NO_JOB } from "../../src/shared/job-queues.ts";
import { createLayout, dequeBase, ringBase } from "../../src/shared/layout.ts";
import { HOST, HOST_SERIAL, PoolMemory } from "../../src/shared/pool-memory.ts";
import { Ring } from "../../src/shared/ring.ts";
import { SharedBuffers } from "../../src/transfer/shared-buffers.ts";
import { OUTCOME_RESULT } from "../../src/shared/slot.ts";
import type { TaskJob } from "../../src/submit/pending-job.ts";
import { Submitter } from "../../src/submit/submitter.ts";
import { CarriedValues } from "../../src/transfer/carried-values.ts";
import { ownMemories } from "../shared/own-memories.ts";

const layout = createLayout(4, 2, 4);
const [VICTIM, OTHER] = [0, 1];
const serialOf = (thread: number): number => thread + 1;
const crash = new ThreadCrashedError(1);
const nothing = (): void => {};

let memories: PoolMemory[];
let control: Int32Array;
let queued: number;
/** Whether carried arguments are still with the host. */
let untouched: boolean;
let submitters: Submitter[];
let settlements: string[];

function openSubmitter(memory: PoolMemory, serial: number): Submitter {
  const sharedBuffers = new SharedBuffers(serial, nothing, { announce: nothing, gone: nothing });
  return new Submitter({
    memory,
    ...ownMemories(serial),
    sharedBuffers,
    carried: new CarriedValues(serial, nothing),
    holder: {
      hold: nothing,
      drop: nothing,
      isUntouched: () => untouched,
      threadFor: () => 0,
      give: nothing,
      queued: nothing,
    },
    limits: { jobs: Infinity, bytes: Infinity, maxQueue: Infinity },
    thread: {
      active: nothing,
      idle: nothing,
      queued: () => queued++,
      cancelRequested: nothing,
      takeMessages: nothing,
      terminate: nothing,
    },
  });
}

beforeEach(() => {
  const controlBuffer = new SharedArrayBuffer(layout.controlBytes);
  const slots = new SharedArrayBuffer(layout.slotsBytes);
  control = new Int32Array(controlBuffer);
  memories = [0, 1, 2].map((submitter) => new PoolMemory(controlBuffer, slots, layout, submitter));
  memories[HOST]!.queues.initialize();
  memories[HOST]!.places.initialize(2);
  for (const thread of [VICTIM, OTHER]) memories[HOST]!.prepareThread(thread, serialOf(thread));
  queued = 0;
  untouched = false;
  submitters = memories.map((memory, submitter) =>
    openSubmitter(memory, submitter === HOST ? HOST_SERIAL : submitter),
  );
  settlements = [];
});

/** A job of one argument, submitted by the host or by thread `submitter - 1`. */
function submit(name: string, submitter: number = HOST, retries = 0, args: unknown[] = [name]): TaskJob {
  const from = submitters[submitter]!;
  const fn = from.functions.ofExport("file:///jobs.js", "echo");
  const job = from.jobs.submit(fn, args, { ...defaultSubmitOptions, retries }, submit);
  const say = (outcome: string) => (): void => {
    settlements.push(`${name} ${outcome}`);
  };
  job.task.then(say("succeeded"), say("failed"));
  return job;
}

/** What a thread does with a job that it has claimed, as far as the outcome in the slot. */
function writeOutcome(thread: number, slot: number, value: unknown): void {
  const encoder = new Encoder(
    new SharedBuffers(serialOf(thread), nothing, { announce: nothing, gone: nothing }),
    () => 1,
  );
  const length = encoder.encode(value, "result");
  const { slots } = memories[thread + 1]!;
  slots.setInlinePayload(slot, encoder.bytes, length);
  slots.setOutcome(slot, OUTCOME_RESULT);
}

function take(thread: number): number {
  return memories[thread + 1]!.queues.take(serialOf(thread));
}

/** All there is to running a job. */
function run(thread: number, slot: number, value: unknown): void {
  writeOutcome(thread, slot, value);
  memories[thread + 1]!.slots.finish(slot, serialOf(thread));
  memories[HOST]!.inboxes.find(
    (_, s) => slot >= memories[s]!.firstSlot && slot < memories[s]!.firstSlot + memories[s]!.slotCount,
  )!.put(slot);
}

/** As every submitter does when the host has heard of the exit. */
function recover(submitter: number = HOST): void {
  const { ledger } = submitters[submitter]!;
  ledger.collect();
  ledger.recover(serialOf(VICTIM), crash, true);
  ledger.deliver();
}

async function settled(): Promise<string[]> {
  await Task.yield();
  await new Promise((resolve) => setImmediate(resolve));
  return settlements.toSorted();
}

function assertNothingLeft(): void {
  for (const { ledger } of submitters) expect(ledger.outstanding).toBe(0);
  const total = (counter: "submitted" | "completed" | "failed" | "crashed"): number =>
    memories[HOST]!.allStatistics.total(counter);
  expect(total("completed") + total("failed") + total("crashed")).toBe(total("submitted"));
}

describe("the thread is ended", () => {
  it("while claiming: it has popped a job and not claimed it. Another one runs it", async () => {
    submit("lost");
    submit("next");
    const lost = new Ring(control, ringBase(layout, 1), layout.ringCells).pop();
    recover();
    expect(queued).toBe(3);
    for (let slot = take(OTHER); slot !== NO_JOB; slot = take(OTHER))
      run(OTHER, slot, slot === lost ? "lost" : "next");
    submitters[HOST]!.ledger.drain();
    expect(await settled()).toEqual(["lost succeeded", "next succeeded"]);
    assertNothingLeft();
  });

  it("while running: its job rejects, the queued one runs", async () => {
    const job = submit("running");
    submit("queued");
    expect(take(VICTIM)).toBe(job.slot);
    recover();
    expect(job.task.error).toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      exitCode: 1,
      job: "echo (file:///jobs.js)",
    });
    run(OTHER, take(OTHER), "queued");
    submitters[HOST]!.ledger.drain();
    expect(await settled()).toEqual(["queued succeeded", "running failed"]);
    assertNothingLeft();
  });

  it("while it waits for carried arguments: the job runs elsewhere, unless they had been sent", async () => {
    const job = submit("carried", HOST, 0, [new Blob(["x"])]);
    expect(take(VICTIM)).toBe(job.slot);
    untouched = true;
    recover();
    expect([job.task.isCompleted, queued]).toEqual([false, 2]);
    expect(take(OTHER)).toBe(job.slot);
    run(OTHER, job.slot, "carried");
    submitters[HOST]!.ledger.drain();
    const sent = submit("sent", HOST, 0, [new Blob(["x"])]);
    expect(take(VICTIM)).toBe(sent.slot);
    untouched = false;
    recover();
    expect(sent.task.error).toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      exitCode: 1,
      job: "echo (file:///jobs.js)",
    });
    expect(await settled()).toEqual(["carried succeeded", "sent failed"]);
    assertNothingLeft();
  });

  it("while writing the result: half an outcome is none; a job that may run again has its arguments", async () => {
    const once = submit("once");
    const again = submit("again", HOST, 1);
    for (const job of [once, again]) {
      const slot = take(VICTIM);
      expect(slot).toBe(job.slot);
      writeOutcome(VICTIM, slot, "over the arguments");
    }
    recover();
    expect(once.task.error).toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      exitCode: 1,
      job: "echo (file:///jobs.js)",
    });
    const slot = take(OTHER);
    const { slots } = memories[OTHER + 1]!;
    const text = Buffer.from(
      slots.bytes.subarray(slots.inlineOffset(slot), slots.inlineOffset(slot) + slots.payloadLength(slot)),
    );
    expect(text.toString("latin1")).toContain("again");
    run(OTHER, slot, "done");
    submitters[HOST]!.ledger.drain();
    expect(again.task.result).toBe("done");
    expect(await settled()).toEqual(["again succeeded", "once failed"]);
    assertNothingLeft();
  });

  it("with the result written and not linked: it counts", async () => {
    const job = submit("written");
    const slot = take(VICTIM);
    writeOutcome(VICTIM, slot, 42);
    memories[VICTIM + 1]!.slots.finish(slot, serialOf(VICTIM));
    recover();
    expect(job.task.result).toBe(42);
    expect(await settled()).toEqual(["written succeeded"]);
    assertNothingLeft();
  });

  it("with the result linked and nobody told: it counts, once", async () => {
    const job = submit("linked");
    run(VICTIM, take(VICTIM), 42);
    recover();
    recover();
    expect(job.task.result).toBe(42);
    expect(await settled()).toEqual(["linked succeeded"]);
    assertNothingLeft();
  });

  it("while stealing: what it has taken from another thread's deque and not claimed is run by somebody else", async () => {
    submit("stolen", OTHER + 1);
    const slot = new Deque(control, dequeBase(layout, OTHER), layout.dequeCells).steal();
    expect(slot).toBeGreaterThanOrEqual(0);
    expect(take(OTHER)).toBe(NO_JOB);
    recover();
    recover(OTHER + 1);
    expect(take(OTHER)).toBe(slot);
    run(OTHER, slot, "stolen");
    submitters[OTHER + 1]!.ledger.drain();
    expect(await settled()).toEqual(["stolen succeeded"]);
    assertNothingLeft();
  });

  it("while running what it has stolen: the job rejects where it was submitted", async () => {
    const job = submit("stolen", OTHER + 1);
    expect(take(VICTIM)).toBe(job.slot);
    recover();
    recover(OTHER + 1);
    expect(job.task.error).toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      exitCode: 1,
      job: "echo (file:///jobs.js)",
    });
    expect(await settled()).toEqual(["stolen failed"]);
    assertNothingLeft();
  });

  it("with a job that its caller has given up: that is not settled again, and its slot is free", async () => {
    const controller = new AbortController();
    const { functions } = submitters[HOST]!;
    const job = submitters[HOST]!.jobs.submit(
      functions.ofExport("file:///jobs.js", "echo"),
      [1],
      { ...defaultSubmitOptions, signal: controller.signal },
      submit,
    );
    job.task.then(null, () => settlements.push("given up"));
    expect(take(VICTIM)).toBe(job.slot);
    controller.abort();
    recover();
    recover();
    expect(await settled()).toEqual(["given up"]);
    for (const name of ["a", "b", "c", "d"]) submit(name);
    for (let slot = take(OTHER); slot !== NO_JOB; slot = take(OTHER)) run(OTHER, slot, 1);
    submitters[HOST]!.ledger.drain();
    expect(await settled()).toHaveLength(5);
  });
});
