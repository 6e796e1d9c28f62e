import { describe, expect, it } from "vitest";
import { Inbox } from "../../src/shared/inbox.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { SlotTable } from "../../src/shared/slot.ts";

interface Owned {
  readonly inbox: Inbox;
  readonly take: () => number[];
  /** Links a job and wakes the host, as a thread does. @returns whether the bell message is to be posted. */
  readonly put: (slot: number) => boolean;
}

/** The inboxes of all submitters over the same memory. */
function createAll(): Owned[] {
  const layout = createLayout(4, 2, 4);
  const control = new Int32Array(new SharedArrayBuffer(layout.controlBytes));
  const slots = new SlotTable(new SharedArrayBuffer(layout.slotsBytes), layout);
  const into = new Int32Array(layout.totalSlots);
  return [0, 1, 2].map((submitter) => {
    const inbox = new Inbox(control, layout, slots, submitter);
    return {
      inbox,
      take: () => [...into.subarray(0, inbox.takeAll(into))],
      put(slot) {
        inbox.put(slot);
        return inbox.ring();
      },
    };
  });
}

function create(): Owned {
  return createAll()[0]!;
}

describe("Inbox", () => {
  it("smoke: gives the finished jobs, oldest first, once", () => {
    const { take, put } = create();
    for (const slot of [2, 0, 3, 1]) put(slot);
    expect(take()).toEqual([2, 0, 3, 1]);
    expect(take()).toEqual([]);
  });

  it("isEmpty: says whether there is nothing, and so does sleep", () => {
    const { inbox, take, put } = create();
    expect([inbox.isEmpty(), inbox.sleep()]).toEqual([true, true]);
    put(0);
    expect([inbox.isEmpty(), inbox.sleep()]).toEqual([false, false]);
    take();
    expect([inbox.isEmpty(), inbox.sleep()]).toEqual([true, true]);
  });

  it("does not touch what lies behind the jobs that it gives", () => {
    const { inbox } = create();
    const into = new Int32Array(4).fill(-7);
    inbox.put(1);
    inbox.put(2);
    expect(inbox.takeAll(into)).toBe(2);
    expect([...into]).toEqual([1, 2, -7, -7]);
  });

  it("a slot can finish again as soon as it was taken", () => {
    const { take, put } = create();
    for (let round = 0; round < 10; round++) {
      put(round % 4);
      put((round + 1) % 4);
      expect(take()).toEqual([round % 4, (round + 1) % 4]);
    }
  });

  it("the owner is asleep at first: the first put rings, those behind it do not", () => {
    const { put } = create();
    expect([put(0), put(1), put(2)]).toEqual([true, false, false]);
  });

  it("nobody rings while the owner is awake, and one rings after each sleep", () => {
    const { inbox, take, put } = create();
    inbox.wake();
    expect(put(0)).toBe(false);
    for (let round = 0; round < 3; round++) {
      take();
      expect(inbox.sleep()).toBe(true);
      expect([put(0), put(1)]).toEqual([true, false]);
    }
  });

  it("an owner that finds a job as it falls asleep stays awake: nobody rings", () => {
    const { inbox, take, put } = create();
    inbox.wake();
    put(0);
    expect(inbox.sleep()).toBe(false);
    expect(put(1)).toBe(false);
    expect(take()).toEqual([0, 1]);
  });

  it("teardown: whoever died with the bell in its hand, the owner hears the next one once it has slept again", () => {
    const { inbox, take, put } = create();
    // Rang, and ended before it posted the message.
    expect(put(0)).toBe(true);
    expect(put(1)).toBe(false);
    expect(take()).toEqual([0, 1]);
    expect(inbox.sleep()).toBe(true);
    expect(put(2)).toBe(true);
  });

  it("teardown: a job whose finisher ended before it rang is found by whoever looks, and does not use up the bell", () => {
    const { inbox, take, put } = create();
    inbox.put(0);
    expect(inbox.sleep()).toBe(false);
    expect(take()).toEqual([0]);
    expect(inbox.sleep()).toBe(true);
    expect(put(1)).toBe(true);
  });

  it("every submitter has an inbox, a bell and a serial of its own", () => {
    const owned = createAll();
    for (const [i, { inbox }] of owned.entries()) inbox.setOwner(7 + i);
    for (const [i, { inbox, put, take }] of owned.entries()) {
      expect(put(4 * i)).toBe(true);
      expect(put(4 * i + 1)).toBe(false);
      expect(take()).toEqual([4 * i, 4 * i + 1]);
      expect(inbox.ownerSerial).toBe(7 + i);
    }
    owned[1]!.inbox.setOwner(70);
    owned[1]!.inbox.wake();
    owned[1]!.put(5);
    expect(owned.map(({ inbox }) => inbox.ownerSerial)).toEqual([7, 70, 9]);
    expect(owned.map(({ inbox }) => inbox.isEmpty())).toEqual([true, false, true]);
    expect([owned[0]!.inbox.sleep(), owned[2]!.inbox.sleep()]).toEqual([true, true]);
    expect(owned[1]!.take()).toEqual([5]);
  });
});
