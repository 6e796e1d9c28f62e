import { describe, expect, it } from "vitest";
import { Inbox } from "../../src/shared/inbox.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { SlotTable } from "../../src/shared/slot.ts";

function create(): { inbox: Inbox; take: () => number[] } {
  const layout = createLayout(4, 2);
  const control = new Int32Array(new SharedArrayBuffer(layout.controlBytes));
  const inbox = new Inbox(control, layout, new SlotTable(new SharedArrayBuffer(layout.slotsBytes), layout));
  const into = new Int32Array(layout.capacitySlots);
  return { inbox, take: () => [...into.subarray(0, inbox.takeAll(into))] };
}

describe("Inbox", () => {
  it("smoke: gives the finished jobs, oldest first, once", () => {
    const { inbox, take } = create();
    for (const slot of [2, 0, 3, 1]) inbox.put(slot);
    expect(take()).toEqual([2, 0, 3, 1]);
    expect(take()).toEqual([]);
  });

  it("isEmpty: sleep says whether there is nothing", () => {
    const { inbox, take } = create();
    expect(inbox.sleep()).toBe(true);
    inbox.put(0);
    expect(inbox.sleep()).toBe(false);
    take();
    expect(inbox.sleep()).toBe(true);
  });

  it("does not touch what lies behind the jobs that it gives", () => {
    const layout = createLayout(4, 2);
    const control = new Int32Array(new SharedArrayBuffer(layout.controlBytes));
    const inbox = new Inbox(control, layout, new SlotTable(new SharedArrayBuffer(layout.slotsBytes), layout));
    const into = new Int32Array(4).fill(-7);
    inbox.put(1);
    inbox.put(2);
    expect(inbox.takeAll(into)).toBe(2);
    expect([...into]).toEqual([1, 2, -7, -7]);
  });

  it("a slot can finish again as soon as it was taken", () => {
    const { inbox, take } = create();
    for (let round = 0; round < 10; round++) {
      inbox.put(round % 4);
      inbox.put((round + 1) % 4);
      expect(take()).toEqual([round % 4, (round + 1) % 4]);
    }
  });

  it("the owner is asleep at first: the first put rings, those behind it do not", () => {
    const { inbox } = create();
    expect([inbox.put(0), inbox.put(1), inbox.put(2)]).toEqual([true, false, false]);
  });

  it("nobody rings while the owner is awake, and one rings after each sleep", () => {
    const { inbox, take } = create();
    inbox.wake();
    expect(inbox.put(0)).toBe(false);
    for (let round = 0; round < 3; round++) {
      take();
      expect(inbox.sleep()).toBe(true);
      expect([inbox.put(0), inbox.put(1)]).toEqual([true, false]);
    }
  });

  it("an owner that finds a job as it falls asleep stays awake: nobody rings", () => {
    const { inbox, take } = create();
    inbox.wake();
    inbox.put(0);
    expect(inbox.sleep()).toBe(false);
    expect(inbox.put(1)).toBe(false);
    expect(take()).toEqual([0, 1]);
  });

  it("teardown: whoever died with the bell in its hand, the owner hears the next one once it has slept again", () => {
    const { inbox, take } = create();
    // Rang, and ended before it posted the message.
    expect(inbox.put(0)).toBe(true);
    expect(inbox.put(1)).toBe(false);
    expect(take()).toEqual([0, 1]);
    expect(inbox.sleep()).toBe(true);
    expect(inbox.put(2)).toBe(true);
  });
});
