/** Successors of threads, in the order in which the test has things happen. */
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Recycling } from "../../src/host/recycling.ts";

interface Thread {
  isLeaving: boolean;
  hasEnded: boolean;
  isSpare: boolean;
  isReplaced: boolean;
  isReady: boolean;
  /** What it was told. */
  told: string[];
}

/** A roster of threads, as far as it counts. */
class Played {
  readonly threads: Thread[] = [];
  maxThreads = 2;
  canStart = true;
  /** Threads that jobs have asked for by their id. */
  readonly asked = new Set<Thread>();
  /** Called in the middle of a start, as a listener of the user's would be. */
  onStart: () => void = () => {};
  readonly recycling: Recycling<Thread> = new Recycling<Thread>({
    startSpare: () => {
      if (!this.canStart) return null;
      const thread = this.add(true);
      this.onStart();
      return thread;
    },
    count: (thread) => {
      if (!thread.isSpare) throw new Error("counted twice");
      thread.isSpare = false;
    },
    leave: (thread) => this.leave(thread),
    keep: (thread) => void thread.told.push("kept"),
    mayLeave: (thread) => !this.asked.has(thread),
    room: () => this.maxThreads - this.count,
  });

  add(isSpare = false): Thread {
    const thread = {
      isLeaving: false,
      hasEnded: false,
      isSpare,
      isReplaced: false,
      isReady: !isSpare,
      told: [],
    };
    this.threads.push(thread);
    return thread;
  }

  get count(): number {
    return this.threads.filter((thread) => this.counts(thread)).length;
  }

  counts({ isLeaving, isSpare, hasEnded }: Thread): boolean {
    return !isLeaving && !isSpare && !hasEnded;
  }

  leave(thread: Thread): void {
    if (thread.isLeaving) throw new Error("told to leave twice");
    thread.isLeaving = true;
    thread.told.push("leave");
  }

  ready(thread: Thread): void {
    thread.isReady = true;
    this.recycling.ready(thread);
  }

  end(thread: Thread): void {
    const counted = this.counts(thread);
    thread.hasEnded = true;
    this.recycling.ended(thread, counted);
  }
}

let played: Played;
let thread: Thread;
beforeEach(() => {
  played = new Played();
  thread = played.add();
});

/** The successor that starts now. */
function ask(): Thread {
  played.recycling.asked(thread);
  return played.threads.at(-1)!;
}

describe("a thread that asks", () => {
  it("leaves when its successor is ready, not before, and they count as one", () => {
    const successor = ask();
    expect([thread.told, successor.isSpare, played.count]).toEqual([[], true, 1]);
    played.ready(successor);
    expect([thread.told, successor.isSpare, played.count]).toEqual([["leave"], false, 1]);
    expect([thread.isReplaced, successor.isReplaced]).toEqual([true, false]);
    played.end(thread);
    expect([played.recycling.replaced, played.count]).toEqual([1, 1]);
  });

  it("is kept when none can start, and when the successor ends before it is ready", () => {
    played.canStart = false;
    ask();
    expect([thread.told, played.threads.length]).toEqual([["kept"], 1]);
    played.canStart = true;
    played.end(ask());
    expect([thread.told, played.count, played.recycling.replaced]).toEqual([["kept", "kept"], 1, 0]);
  });

  it("and crashes: its successor counts at once", () => {
    const successor = ask();
    played.end(thread);
    expect([successor.isSpare, played.count]).toEqual([false, 1]);
    played.ready(successor);
    expect([played.count, played.recycling.replaced]).toEqual([1, 0]);
  });

  it("and is told to leave by others: its successor stays if there is room, else it leaves", () => {
    const successor = ask();
    played.leave(thread);
    played.ready(successor);
    expect([successor.told, played.count]).toEqual([[], 1]);
    thread = successor;
    const next = ask();
    played.leave(thread);
    played.maxThreads = 0;
    played.ready(next);
    expect(next.told).toEqual(["leave"]);
  });

  it("is kept while a job has asked for it by its id, also when that came while its successor started", () => {
    played.asked.add(thread);
    ask();
    expect([thread.told, played.threads.length]).toEqual([["kept"], 1]);
    played.asked.clear();
    played.maxThreads = 1;
    const successor = ask();
    played.asked.add(thread);
    played.ready(successor);
    expect([thread.told, successor.told, played.count]).toEqual([["kept", "kept"], ["leave"], 1]);
  });

  it("of more threads than there may be leaves without a successor", () => {
    played.maxThreads = 0;
    ask();
    expect([thread.told, played.threads.length]).toEqual([["leave"], 1]);
  });

  it("when it leaves already, is told nothing more", () => {
    played.leave(thread);
    ask();
    expect([thread.told, played.threads.length]).toEqual([["leave"], 1]);
  });

  it("and ends while its successor is made", () => {
    played.onStart = () => played.end(thread);
    const successor = ask();
    played.ready(successor);
    expect([thread.told, successor.isSpare, played.count]).toEqual([[], false, 1]);
  });
});

describe("model", () => {
  const index = fc.nat({ max: 9 });
  const step = fc.record({
    do: fc.constantFrom("ask", "ready", "end", "leave", "add", "max", "canStart"),
    index,
  });

  it("in any order: a due thread hears one thing, leaves only for a successor that is ready, and the count never exceeds the limit by it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const play = new Played();
        play.add();
        /** Those that have asked and were not answered. */
        const due = new Map<Thread, number>();
        const problems: string[] = [];
        for (const each of steps) {
          const alive = play.threads.filter(({ hasEnded }) => !hasEnded);
          const one = alive[each.index % Math.max(1, alive.length)];
          const before = play.count;
          if (each.do === "add" && play.count < play.maxThreads) play.add();
          else if (each.do === "max") play.maxThreads = 1 + (each.index % 3);
          else if (each.do === "canStart") play.canStart = each.index > 2;
          else if (one === undefined) continue;
          else if (each.do === "ask" && one.isReady && !due.has(one) && !one.isLeaving) {
            due.set(one, one.told.length);
            play.recycling.asked(one);
          } else if (each.do === "ready" && !one.isReady) play.ready(one);
          else if (each.do === "end") play.end(one);
          else if (each.do === "leave" && play.counts(one) && one.isReady) play.leave(one);
          for (const [asker, told] of due) {
            const news = asker.told.length - told;
            if (news > 1) problems.push("told twice");
            if (news > 0 || asker.hasEnded) due.delete(asker);
          }
          if (play.count > before && before >= play.maxThreads) problems.push("above the limit");
        }
        for (const each of play.threads)
          if (!each.hasEnded && !each.isReady && !each.isLeaving) play.ready(each);
        const waits = [...due.keys()].filter((each) => each.told.length === due.get(each) && !each.hasEnded);
        const spares = play.threads.filter((each) => each.isSpare && !each.isLeaving && !each.hasEnded);
        expect([problems, waits, spares]).toEqual([[], [], []]);
      }),
      { numRuns: 500 },
    );
  });
});
