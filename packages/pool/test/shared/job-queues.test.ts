import { describe, expect, it } from "vitest";
import { JobQueues, NO_JOB, NO_THREAD } from "../../src/shared/job-queues.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { ALL, OWN, SHARED } from "../../src/shared/reach.ts";
import { FREE, queuedWord, RUNNING, SlotTable } from "../../src/shared/slot.ts";

const HIGH = 0;
const NORMAL = 1;
const LOW = 2;

interface Pool {
  readonly slots: SlotTable;
  /** As thread 0 sees them. */
  readonly queues: JobQueues;
  /** By thread, thread 0 again the first. */
  readonly threads: readonly JobQueues[];
  readonly host: JobQueues;
}

function create(start = 0, capacity = 4, maxThreads = 3): Pool {
  const layout = createLayout(capacity, maxThreads, 4);
  const slots = new SlotTable(new SharedArrayBuffer(layout.slotsBytes), layout);
  const control = new Int32Array(new SharedArrayBuffer(layout.controlBytes));
  const host = new JobQueues(control, layout, slots, NO_THREAD);
  host.initialize(start);
  const threads = Array.from({ length: maxThreads }, (_, w) => new JobQueues(control, layout, slots, w));
  for (const w of threads.keys()) host.prepareDeque(w);
  return { slots, queues: threads[0]!, threads, host };
}

function submit({ host, slots }: Pool, priority: number, slot: number): boolean {
  slots.describeJob(slot, slot, 0, 0, 0);
  slots.publish(slot);
  return host.push(priority, slot);
}

/** From inside a job of this thread. */
function submitLocal({ threads, slots }: Pool, thread: number, slot: number): boolean {
  slots.describeJob(slot, slot, 0, 0, 0);
  slots.publish(slot);
  return threads[thread]!.pushLocal(slot);
}

const serialOf = (thread: number): number => thread + 10;

function takeAll({ threads }: Pool, thread: number): number[] {
  const taken: number[] = [];
  for (;;) {
    const slot = threads[thread]!.take(serialOf(thread));
    if (slot === NO_JOB) return taken;
    taken.push(slot);
  }
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

  it("A3.7 a thread takes its own jobs newest first, then the rings, then those of others oldest first", () => {
    const pool = create(-1);
    submit(pool, LOW, 0);
    submit(pool, HIGH, 1);
    for (const slot of [4, 5, 6]) submitLocal(pool, 0, slot);
    for (const slot of [8, 9, 10]) submitLocal(pool, 1, slot);
    expect(takeAll(pool, 0)).toEqual([6, 5, 4, 1, 0, 8, 9, 10]);
    expect([pool.queues.stolen, pool.threads[1]!.stolen]).toEqual([3, 0]);
    expect([pool.slots.state(9), pool.slots.owner(9)]).toEqual([RUNNING, serialOf(0)]);
  });

  it("takeOwn takes nothing else, and nothing from anybody else", () => {
    const pool = create();
    submit(pool, HIGH, 0);
    submitLocal(pool, 1, 8);
    expect(pool.queues.takeOwn(serialOf(0))).toBe(NO_JOB);
    submitLocal(pool, 0, 4);
    submitLocal(pool, 0, 5);
    expect(pool.queues.takeOwn(serialOf(0))).toBe(5);
    expect([pool.slots.state(5), pool.slots.owner(5)]).toEqual([RUNNING, serialOf(0)]);
    expect(pool.threads[1]!.takeOwn(serialOf(1))).toBe(8);
  });

  it("isEmpty: while any thread has a job in its deque it is not, for anybody", () => {
    const pool = create();
    for (const thread of [0, 1, 2]) {
      expect([pool.host.isEmpty(), pool.queues.isEmpty()]).toEqual([true, true]);
      submitLocal(pool, thread, 4 + 4 * thread);
      expect([pool.host.isEmpty(), pool.queues.isEmpty()]).toEqual([false, false]);
      expect(takeAll(pool, 1)).toEqual([4 + 4 * thread]);
    }
    expect(pool.host.isEmpty()).toBe(true);
  });

  describe("exclusive jobs", () => {
    function submitExclusive({ host, slots }: Pool, priority: number, slot: number): void {
      slots.describeJob(slot, slot, 0, 0, 0, true);
      slots.publish(slot, queuedWord(true));
      expect(host.push(priority, slot, true)).toBe(true);
    }

    it("a thread takes what its reach says, and finds its queues empty by the same measure", () => {
      const pool = create(-1);
      submitExclusive(pool, HIGH, 0);
      submit(pool, LOW, 1);
      submitLocal(pool, 1, 8);
      pool.queues.reach = OWN;
      expect([pool.queues.isEmpty(), takeAll(pool, 0)]).toEqual([true, []]);
      submitLocal(pool, 0, 4);
      expect([pool.queues.isEmpty(), takeAll(pool, 0)]).toEqual([false, [4]]);
      pool.queues.reach = SHARED;
      expect([pool.queues.isEmpty(), takeAll(pool, 0)]).toEqual([false, [1, 8]]);
      expect([pool.queues.isEmpty(), pool.queues.isSharedEmpty(), pool.queues.isExclusiveEmpty()]).toEqual([
        true,
        true,
        false,
      ]);
      pool.queues.reach = ALL;
      expect([pool.queues.isEmpty(), takeAll(pool, 0)]).toEqual([false, [0]]);
      expect(pool.slots.isExclusive(0)).toBe(true);
    });

    it("they hold nobody up: who may not take them takes what lies behind them", () => {
      const pool = create(-1);
      submitExclusive(pool, NORMAL, 0);
      submit(pool, NORMAL, 1);
      pool.queues.reach = SHARED;
      expect(takeAll(pool, 0)).toEqual([1]);
    });

    it("what a withdrawn job has left behind leads nobody to one that has other jobs, at whatever position", () => {
      const pool = create(-1);
      submit(pool, NORMAL, 0);
      pool.slots.withdraw(0);
      submitExclusive(pool, NORMAL, 0);
      pool.queues.reach = SHARED;
      expect(takeAll(pool, 0)).toEqual([]);
      pool.queues.reach = ALL;
      expect(takeAll(pool, 0)).toEqual([0]);
    });

    it("noStarvation: of a priority, exclusive jobs and others take turns, whichever there are more of", () => {
      for (const many of [true, false]) {
        const pool = create(0, 16);
        const put = (slot: number, isExclusive: boolean): void => {
          if (isExclusive) submitExclusive(pool, NORMAL, slot);
          else submit(pool, NORMAL, slot);
        };
        for (let slot = 0; slot < 10; slot++) put(slot, many);
        put(10, !many);
        const taken = Array.from({ length: 3 }, () => pool.queues.take(1));
        expect([many, taken.includes(10)]).toEqual([many, true]);
      }
    });

    it("teardown: knows whether one has lost its entry with the thread that popped it", () => {
      const pool = create(-1);
      submitExclusive(pool, NORMAL, 0);
      expect([pool.queues.holds(NORMAL, 0, true), pool.queues.holds(NORMAL, 0)]).toEqual([true, false]);
      pool.queues.take(0);
      expect(pool.queues.holds(NORMAL, 0, true)).toBe(false);
    });

    it("are counted with those of their priority, and the host sends none ahead", () => {
      const pool = create(-1);
      submitExclusive(pool, LOW, 0);
      expect(pool.host.sizeOf(LOW)).toBe(1);
      expect(pool.host.takeFromOnly(serialOf(0), () => true)).toBe(NO_JOB);
    });
  });

  it("finds the jobs of every other thread, wherever it begins to look", () => {
    const pool = create(0, 4, 5);
    for (let round = 0; round < 50; round++) {
      for (let thread = 0; thread < 5; thread++) submitLocal(pool, thread, 4 + 4 * thread);
      expect(new Set(takeAll(pool, 2))).toEqual(new Set([4, 8, 12, 16, 20]));
      for (let thread = 0; thread < 5; thread++) pool.slots.release(4 + 4 * thread);
    }
    expect(pool.threads[2]!.stolen).toBe(200);
  });

  it("a pool of one thread has nobody to steal from", () => {
    const pool = create(0, 4, 1);
    submitLocal(pool, 0, 4);
    expect(takeAll(pool, 0)).toEqual([4]);
    expect([pool.queues.take(1), pool.queues.stolen]).toEqual([NO_JOB, 0]);
  });

  it("A3.17 noStarvation: jobs that submit themselves again let one job of the rings through in 61", () => {
    const pool = create();
    submit(pool, LOW, 0);
    submitLocal(pool, 0, 4);
    for (let look = 1; look < 61; look++) {
      expect(pool.queues.take(serialOf(0))).toBe(4);
      pool.slots.release(4);
      submitLocal(pool, 0, 4);
    }
    expect(pool.queues.take(serialOf(0))).toBe(0);
    // And its own is not lost by that.
    expect(takeAll(pool, 0)).toEqual([4]);
  });

  it("when the rings are empty at such a look, its own jobs come before those of others", () => {
    const pool = create();
    for (let look = 1; look < 61; look++) expect(pool.queues.take(serialOf(0))).toBe(NO_JOB);
    submitLocal(pool, 1, 8);
    submitLocal(pool, 0, 4);
    expect([0, 0].map(() => pool.queues.take(serialOf(0)))).toEqual([4, 8]);
  });

  it("passes over withdrawn jobs in its own deque and in others'", () => {
    const pool = create();
    for (const slot of [4, 5, 6]) submitLocal(pool, 0, slot);
    for (const slot of [8, 9, 10]) submitLocal(pool, 1, slot);
    for (const slot of [4, 6, 8, 10]) expect(pool.slots.withdraw(slot)).toBe(true);
    expect(pool.host.isEmpty()).toBe(false);
    expect(takeAll(pool, 0)).toEqual([5, 9]);
    expect(pool.queues.stolen).toBe(1);
    expect(pool.host.isEmpty()).toBe(true);
  });

  it("a slot that was withdrawn and used again runs its new job once, whether its entries lie in ring, deque or both", () => {
    for (const [first, second] of [
      ["deque", "deque"],
      ["deque", "ring"],
      ["ring", "deque"],
      ["ring", "ring"],
    ] as const) {
      for (const taker of [0, 1]) {
        // Ring positions and deque positions apart, so that no stale entry shows the ticket by chance.
        const pool = create(2 ** 31 - 1);
        const put = (where: "ring" | "deque"): void => {
          const pushed = where === "ring" ? submit(pool, NORMAL, 4) : submitLocal(pool, 0, 4);
          expect(pushed).toBe(true);
        };
        put(first);
        expect(pool.slots.withdraw(4)).toBe(true);
        put(second);
        expect([first, second, takeAll(pool, taker)]).toEqual([first, second, [4]]);
        expect(pool.slots.owner(4)).toBe(serialOf(taker));
        expect(pool.host.isEmpty()).toBe(true);
      }
    }
  });

  it("I4 a stale entry whose position happens to be the ticket leads to the new job: it still runs once", () => {
    const pool = create(0);
    // Position of the ring first, of the deque second: made the same.
    submit(pool, NORMAL, 4);
    pool.slots.withdraw(4);
    submitLocal(pool, 0, 4);
    pool.slots.words[pool.slots.ticketWord(4)] = 0;
    expect(takeAll(pool, 1)).toEqual([4]);
    expect(takeAll(pool, 0)).toEqual([]);
    expect([pool.slots.state(4), pool.slots.owner(4)]).toEqual([RUNNING, serialOf(1)]);
  });

  it("withdrawn entries fill a deque: pushLocal drops them, and keeps the others in their order", () => {
    const pool = create();
    submitLocal(pool, 0, 4);
    for (let i = 0; i < 7; i++) {
      expect(submitLocal(pool, 0, 5)).toBe(true);
      expect(pool.slots.withdraw(5)).toBe(true);
    }
    expect(submitLocal(pool, 0, 5)).toBe(true);
    expect(submitLocal(pool, 0, 6)).toBe(true);
    expect(pool.threads[1]!.take(serialOf(1))).toBe(4);
    expect(pool.queues.takeOwn(serialOf(0))).toBe(6);
    expect(pool.queues.takeOwn(serialOf(0))).toBe(5);
    expect(pool.queues.takeOwn(serialOf(0))).toBe(NO_JOB);
  });

  it("a thread that may not take every job leaves those where they are, and says so", () => {
    const pool = create();
    submitLocal(pool, 0, 4);
    submitLocal(pool, 0, 5);
    submit(pool, NORMAL, 0);
    const thief = pool.threads[1]!;
    expect(thief.takeAccepted(serialOf(1), (slot) => slot > 5)).toBe(NO_JOB);
    expect(thief.refused).toBe(true);
    expect(pool.queues.takeAccepted(serialOf(0), (slot) => slot !== 5)).toBe(0);
    expect(pool.queues.refused).toBe(true);
    expect(thief.takeAccepted(serialOf(1), (slot) => slot === 4)).toBe(4);
    expect(thief.take(serialOf(1))).toBe(5);
    expect(thief.takeAccepted(serialOf(1), () => false)).toBe(NO_JOB);
    expect(thief.refused).toBe(false);
  });

  it("teardown: knows whether a job of this thread has lost its entry with the thief that took it", () => {
    const pool = create(-1);
    submitLocal(pool, 0, 4);
    submitLocal(pool, 0, 5);
    expect([pool.queues.holds(NORMAL, 4), pool.queues.holds(NORMAL, 5)]).toEqual([true, true]);
    pool.threads[1]!.take(serialOf(1));
    expect([pool.queues.holds(NORMAL, 4), pool.queues.holds(NORMAL, 5)]).toEqual([false, true]);
    expect(pool.queues.push(NORMAL, 4)).toBe(true);
    expect(pool.queues.holds(NORMAL, 4)).toBe(true);
    pool.queues.take(serialOf(0));
    expect(pool.queues.holds(NORMAL, 5)).toBe(false);
  });

  it("teardown: a thread that takes the place of a dead one begins with an empty deque", () => {
    const pool = create();
    for (const slot of [4, 5, 6]) submitLocal(pool, 0, slot);
    pool.threads[1]!.take(serialOf(1));
    for (const slot of [5, 6]) pool.slots.withdraw(slot);
    pool.host.prepareDeque(0);
    expect(pool.host.isEmpty()).toBe(true);
    for (const slot of [5, 6]) expect(submitLocal(pool, 0, slot)).toBe(true);
    expect(takeAll(pool, 1)).toEqual([5, 6]);
    expect(takeAll(pool, 0)).toEqual([]);
  });
});

describe("takeFromOnly: the host claims in the name of a thread", () => {
  const yes = (): boolean => true;

  it("the oldest job of the only ring that is not empty", () => {
    const pool = create(-1);
    submit(pool, LOW, 2);
    submit(pool, LOW, 1);
    expect(pool.host.takeFromOnly(7, yes)).toBe(2);
    expect([pool.slots.state(2), pool.slots.owner(2)]).toEqual([RUNNING, 7]);
    expect(pool.host.takeFromOnly(7, yes)).toBe(1);
    expect(pool.host.takeFromOnly(7, yes)).toBe(NO_JOB);
  });

  it("nothing while jobs wait in two rings, or in a deque", () => {
    const pool = create();
    submit(pool, NORMAL, 2);
    submit(pool, HIGH, 1);
    expect(pool.host.takeFromOnly(7, yes)).toBe(NO_JOB);
    expect(pool.queues.take(1)).toBe(1);
    submitLocal(pool, 1, 4);
    expect(pool.host.takeFromOnly(7, yes)).toBe(NO_JOB);
    expect(pool.threads[1]!.take(2)).toBe(4);
    expect(pool.host.takeFromOnly(7, yes)).toBe(2);
  });

  it("nothing behind a job that is refused, which stays where it is", () => {
    const pool = create();
    submit(pool, NORMAL, 2);
    submit(pool, NORMAL, 1);
    expect(pool.host.takeFromOnly(7, (slot) => slot === 1)).toBe(NO_JOB);
    expect(takeAll(pool, 0)).toEqual([2, 1]);
  });

  it("withdrawn jobs are passed over", () => {
    const pool = create();
    submit(pool, NORMAL, 2);
    submit(pool, NORMAL, 1);
    pool.slots.withdraw(2);
    expect(pool.host.takeFromOnly(7, yes)).toBe(1);
    expect(pool.slots.state(2)).toBe(FREE);
  });
});
