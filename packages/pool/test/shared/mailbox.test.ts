import { describe, expect, it } from "vitest";
import { JobQueues, NO_JOB, NO_THREAD } from "../../src/shared/job-queues.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { ALL, OWN, SHARED } from "../../src/shared/reach.ts";
import { FREE, placedWord, QUEUED, RUNNING, SlotTable } from "../../src/shared/slot.ts";

const [HIGH, NORMAL, LOW] = [0, 1, 2];
const MAX_SERIAL = 2 ** 20;

/** A pool of two threads, whose serials are as large as they can be. */
class Pool {
  readonly #layout = createLayout(8, 2, 4);
  readonly #control = new Int32Array(new SharedArrayBuffer(this.#layout.controlBytes));
  readonly slots = new SlotTable(new SharedArrayBuffer(this.#layout.slotsBytes), this.#layout);
  readonly host = new JobQueues(this.#control, this.#layout, this.slots, NO_THREAD);
  readonly threads = [0, 1].map((w) => new JobQueues(this.#control, this.#layout, this.slots, w));
  readonly cells = this.#layout.mailboxCells;

  serial(thread: number): number {
    return MAX_SERIAL - thread;
  }

  word(thread: number, priority = NORMAL, isExclusive = false): number {
    return placedWord(this.serial(thread), priority, isExclusive);
  }

  place(thread: number, slot: number, priority = NORMAL, isExclusive = false): boolean {
    this.slots.describeJob(slot, slot, 0, 0, 0, isExclusive);
    this.slots.publishPlaced(slot, this.word(thread, priority, isExclusive));
    return this.host.pushPlaced(thread, slot);
  }

  submit(slot: number): void {
    this.slots.describeJob(slot, slot, 0);
    this.slots.publish(slot);
    this.host.push(NORMAL, slot);
  }

  takeAll(thread: number): number[] {
    const taken: number[] = [];
    for (;;) {
      const slot = this.threads[thread]!.take(this.serial(thread));
      if (slot === NO_JOB) return taken;
      taken.push(slot);
    }
  }
}

describe("Mailbox", () => {
  it("smoke: only its own thread takes the job, and it counts for no other", () => {
    const pool = new Pool();
    pool.place(0, 3);
    expect([pool.threads[0]!.isEmpty(), pool.threads[1]!.isEmpty(), pool.host.isEmpty()]).toEqual([
      false,
      true,
      true,
    ]);
    expect(pool.takeAll(1)).toEqual([]);
    expect(pool.takeAll(0)).toEqual([3]);
    expect([pool.slots.state(3), pool.slots.owner(3)]).toEqual([RUNNING, pool.serial(0)]);
    expect(pool.threads[0]!.isEmpty()).toBe(true);
  });

  it("comes before the rings, most of the time; never do the rings wait for good", () => {
    const pool = new Pool();
    pool.submit(0);
    pool.place(0, 1);
    expect(pool.takeAll(0)).toEqual([1, 0]);
    pool.submit(0);
    let looks = 0;
    for (let slot = NO_JOB; slot !== 0; looks++) {
      pool.place(0, 1);
      slot = pool.threads[0]!.take(pool.serial(0));
      if (slot === 1) pool.slots.release(1);
    }
    expect(looks).toBeLessThanOrEqual(61);
  });

  it("nor does the mailbox behind a deque that is never empty", () => {
    const pool = new Pool();
    const [own] = pool.threads;
    const local = 8;
    pool.place(0, 1);
    let looks = 0;
    for (let slot = NO_JOB; slot !== 1; looks++) {
      pool.slots.describeJob(local, 1, 0);
      pool.slots.publish(local);
      own!.pushLocal(local);
      slot = own!.take(pool.serial(0));
      if (slot === local) pool.slots.release(local);
    }
    expect(looks).toBeLessThanOrEqual(8);
  });

  it("high priority first, then in order", () => {
    const pool = new Pool();
    for (const [slot, priority] of [LOW, NORMAL, HIGH, LOW, NORMAL].entries()) pool.place(0, slot, priority);
    expect(pool.takeAll(0)).toEqual([2, 1, 4, 0, 3]);
  });

  it("an exclusive job waits for a thread that has no other, and holds up nobody", () => {
    const pool = new Pool();
    const [own] = pool.threads;
    pool.place(0, 0, NORMAL, true);
    pool.place(0, 1);
    own!.reach = SHARED;
    expect(pool.takeAll(0)).toEqual([1]);
    expect([own!.isEmpty(), own!.hasExclusiveHere]).toEqual([true, true]);
    own!.reach = OWN;
    expect([own!.isEmpty(), pool.takeAll(0)]).toEqual([true, []]);
    own!.reach = ALL;
    expect([own!.isEmpty(), pool.takeAll(0), own!.hasExclusiveHere]).toEqual([false, [0], false]);
  });

  it("a thread that may not take every job takes none that it refuses, and remembers that it was there", () => {
    const pool = new Pool();
    const [own] = pool.threads;
    pool.place(0, 0);
    expect(own!.takeAccepted(pool.serial(0), () => false)).toBe(NO_JOB);
    expect(own!.refused).toBe(true);
    expect(pool.takeAll(0)).toEqual([0]);
  });

  it.each([false, true])("a withdrawn job never starts, whether it was seen (%s)", (wasSeen) => {
    const pool = new Pool();
    pool.place(0, 0, NORMAL, true);
    pool.threads[0]!.reach = SHARED;
    if (wasSeen) pool.takeAll(0);
    expect(pool.slots.withdraw(0, pool.word(0, NORMAL, true))).toBe(true);
    pool.threads[0]!.reach = ALL;
    expect([pool.takeAll(0), pool.slots.state(0)]).toEqual([[], FREE]);
  });

  it("a slot that is used again for somebody else is not claimed through an entry of before: mailbox, ring, or list", () => {
    const pool = new Pool();
    const [own] = pool.threads;
    // An entry in the ring of all, one in the mailbox of thread 0, and one in its list.
    pool.submit(0);
    pool.slots.withdraw(0);
    own!.reach = SHARED;
    pool.place(0, 0, NORMAL, true);
    pool.takeAll(0);
    pool.slots.withdraw(0, pool.word(0, NORMAL, true));
    pool.place(0, 0, LOW);
    pool.slots.withdraw(0, pool.word(0, LOW));
    own!.reach = ALL;
    pool.place(1, 0);
    expect([pool.takeAll(0), pool.slots.state(0)]).toEqual([[], QUEUED]);
    expect(pool.takeAll(1)).toEqual([0]);
  });

  it.each([false, true])(
    "a job in a slot that was used before does not come sooner (seen: %s)",
    (wasSeen) => {
      const pool = new Pool();
      const [own] = pool.threads;
      for (const slot of [0, 1]) pool.place(0, slot);
      // Seen, and left there.
      if (wasSeen) own!.takeAccepted(pool.serial(0), () => false);
      for (const slot of [0, 1]) pool.slots.withdraw(slot, pool.word(0));
      for (const slot of [2, 1, 0]) pool.place(0, slot);
      expect(pool.takeAll(0)).toEqual([2, 1, 0]);
    },
  );

  it("nor before its push", () => {
    const pool = new Pool();
    pool.place(0, 0);
    pool.threads[0]!.takeAccepted(pool.serial(0), () => false);
    pool.slots.withdraw(0, pool.word(0));
    pool.slots.describeJob(0, 7, 0);
    pool.slots.publishPlaced(0, pool.word(0));
    expect(pool.takeAll(0)).toEqual([]);
    pool.host.pushPlaced(0, 0);
    expect(pool.takeAll(0)).toEqual([0]);
  });

  it("what a thread that has ended leaves there is not for the next one", () => {
    const pool = new Pool();
    pool.place(0, 0);
    const next = MAX_SERIAL - 5;
    pool.slots.publishPlaced(1, placedWord(next, NORMAL, false));
    pool.host.pushPlaced(0, 1);
    expect([pool.threads[0]!.take(next), pool.threads[0]!.take(next)]).toEqual([1, NO_JOB]);
    expect(pool.slots.state(0)).toBe(QUEUED);
  });

  it("refuses what finds no room", () => {
    const pool = new Pool();
    for (let i = 0; i < pool.cells; i++) {
      expect(pool.place(0, 0)).toBe(true);
      pool.slots.withdraw(0, pool.word(0));
    }
    expect(pool.place(0, 0)).toBe(false);
    expect(pool.place(1, 1)).toBe(true);
    pool.slots.withdraw(0, pool.word(0));
    expect(pool.takeAll(0)).toEqual([]);
    expect(pool.place(0, 0)).toBe(true);
  });
});
