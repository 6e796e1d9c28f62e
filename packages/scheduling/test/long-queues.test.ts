/** What waits in a long queue costs what it costs in a short one: moving all for each that goes would take minutes here. */
import { describe, expect, it } from "vitest";
import {
  ConcurrentExclusiveSchedulerPair,
  ManualScheduler,
  Task,
  TaskCompletionSource,
} from "../src/index.ts";

const COUNT = 300_000;
const done = Task.fromResult(1);

describe("hundreds of thousands in one queue go one by one, in order:", () => {
  it("items of a ManualScheduler", () => {
    const scheduler = new ManualScheduler();
    let ran = 0;
    for (let i = 0; i < COUNT; i++)
      void done.continueWith(() => (ran += i === ran ? 1 : 0), { policy: scheduler });
    expect([scheduler.runAll(), ran]).toEqual([COUNT, COUNT]);
  });

  it("items of a ConcurrentExclusiveSchedulerPair", async () => {
    const pair = new ConcurrentExclusiveSchedulerPair();
    let ran = 0;
    const policy = pair.exclusiveScheduler;
    for (let i = 0; i < COUNT; i++) void done.continueWith(() => (ran += i === ran ? 1 : 0), { policy });
    pair.complete();
    await pair.completion;
    expect(ran).toBe(COUNT);
  });

  it("tasks of whenEach that nobody has taken yet", async () => {
    const sources = Array.from({ length: COUNT }, () => new TaskCompletionSource<number>());
    const steps = Task.whenEach(sources.map(({ task }) => task));
    for (const [i, source] of sources.entries()) source.setResult(i);
    let taken = 0;
    for await (const task of steps) taken += task.result === taken ? 1 : 0;
    expect(taken).toBe(COUNT);
  });
});
