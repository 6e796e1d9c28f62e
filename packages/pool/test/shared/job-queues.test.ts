import { describe, expect, it } from "vitest";
import { JobQueues, NO_JOB } from "../../src/shared/job-queues.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { FREE, RUNNING, SlotTable } from "../../src/shared/slot.ts";

const HIGH = 0;
const NORMAL = 1;
const LOW = 2;

function create(start = 0, capacity = 4): { queues: JobQueues; slots: SlotTable } {
  const layout = createLayout(capacity, 2);
  const slots = new SlotTable(new SharedArrayBuffer(layout.slotsBytes), layout);
  const queues = new JobQueues(new Int32Array(new SharedArrayBuffer(layout.controlBytes)), layout, slots);
  queues.initialize(start);
  return { queues, slots };
}

function submit({ queues, slots }: ReturnType<typeof create>, priority: number, slot: number): boolean {
  slots.describeJob(slot, slot);
  slots.publish(slot);
  return queues.push(priority, slot);
}

describe("JobQueues", () => {
  it("smoke: what is taken is claimed", () => {
    const pool = create(-1);
    submit(pool, NORMAL, 2);
    expect(pool.queues.take(1)).toBe(2);
    expect([pool.slots.state(2), pool.slots.owner(2)]).toEqual([RUNNING, 1]);
    expect(pool.queues.take(1)).toBe(NO_JOB);
  });

  it("isEmpty: while any priority has a job it is not", () => {
    const pool = create();
    for (const priority of [HIGH, NORMAL, LOW]) {
      expect(pool.queues.isEmpty()).toBe(true);
      submit(pool, priority, 0);
      expect(pool.queues.isEmpty()).toBe(false);
      pool.queues.take(0);
      pool.slots.release(0);
    }
  });

  it("takes high before normal before low, and each in order", () => {
    const pool = create();
    submit(pool, LOW, 0);
    submit(pool, NORMAL, 1);
    submit(pool, NORMAL, 2);
    submit(pool, HIGH, 3);
    expect([0, 0, 0, 0].map((thread) => pool.queues.take(thread))).toEqual([3, 1, 2, 0]);
  });

  it("A3.7 noStarvation: a flood of high priority lets one normal job through in 8, one low in 64", () => {
    const pool = create(0, 64);
    const waiting = { [NORMAL]: 0, [LOW]: 0 };
    submit(pool, NORMAL, 62);
    submit(pool, LOW, 63);
    let next = 0;
    for (let look = 1; look <= 64; look++) {
      submit(pool, HIGH, (next = (next + 1) % 60));
      const slot = pool.queues.take(0);
      if (slot === 62) waiting[NORMAL] = look;
      if (slot === 63) waiting[LOW] = look;
      pool.slots.release(slot);
    }
    expect(waiting).toEqual({ [NORMAL]: 8, [LOW]: 64 });
  });

  it("passes over withdrawn jobs", () => {
    const pool = create();
    for (const slot of [0, 1, 2]) submit(pool, NORMAL, slot);
    pool.slots.withdraw(0);
    pool.slots.withdraw(1);
    expect(pool.queues.isEmpty()).toBe(false);
    expect(pool.queues.take(0)).toBe(2);
    expect(pool.queues.isEmpty()).toBe(true);
  });

  it("a slot that was withdrawn and used again runs its new job once, at the place of the new entry", () => {
    const pool = create(2 ** 31 - 1);
    submit(pool, NORMAL, 0);
    pool.slots.withdraw(0);
    submit(pool, NORMAL, 1);
    submit(pool, NORMAL, 0);
    expect([0, 0, 0].map((thread) => pool.queues.take(thread))).toEqual([1, 0, NO_JOB]);
  });

  it("withdrawn entries fill a ring: push says so, and withdraw gives the slot back", () => {
    const pool = create();
    for (let i = 0; i < 8; i++) {
      expect(submit(pool, NORMAL, 0)).toBe(true);
      pool.slots.withdraw(0);
    }
    expect(submit(pool, NORMAL, 0)).toBe(false);
    expect(pool.slots.withdraw(0)).toBe(true);
    expect(pool.slots.state(0)).toBe(FREE);
    expect(pool.queues.take(0)).toBe(NO_JOB);
    expect(submit(pool, NORMAL, 0)).toBe(true);
    expect(pool.queues.take(0)).toBe(0);
  });

  it("teardown: knows whether a queued job has lost its entry with the thread that popped it", () => {
    const pool = create(-1);
    submit(pool, NORMAL, 0);
    submit(pool, NORMAL, 1);
    expect([pool.queues.holds(NORMAL, 0), pool.queues.holds(NORMAL, 1)]).toEqual([true, true]);
    expect(pool.queues.holds(HIGH, 0)).toBe(false);
    pool.queues.take(0);
    expect([pool.queues.holds(NORMAL, 0), pool.queues.holds(NORMAL, 1)]).toEqual([false, true]);
  });
});
