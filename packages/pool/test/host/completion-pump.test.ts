import { beforeEach, describe, expect, it, vi } from "vitest";
import { CompletionPump } from "../../src/host/completion-pump.ts";
import type { Inbox } from "../../src/shared/inbox.ts";
import type { Parking } from "../../src/shared/parking.ts";
import { played } from "../played-timers.ts";

vi.mock(import("../../src/shared/timers.ts"), async (original) => {
  const { playTimers } = await import("../played-timers.ts");
  return playTimers(original);
});

/** How long a turn of the event loop takes. */
const TURN_US = 2;

let isAsleep: boolean;
let looks: number;
/** Looks while it spins. */
let spins: number;
/** Whether results come while it spins. */
let isSoon: boolean;
let results: number;
let outstanding: number;
/** Of those, streams of which nobody waits for an item. */
let idle: number;
let onDrained: () => void;
/** What `drain` leaves for the next turns, in turns. */
let left: number;
/** How many turns the pump has said that it begins. */
let turnsBegun: number;
let pump: CompletionPump;

beforeEach(() => {
  [played.nowMs, played.immediates] = [1000, []];
  [isAsleep, looks, results, outstanding, idle] = [true, 0, 0, 0, 0];
  [spins, isSoon, onDrained, left, turnsBegun] = [0, false, () => {}, 0, 0];
  const inbox = {
    sleep: () => (isAsleep = true),
    wake: () => {
      isAsleep = false;
    },
    isEmpty: () => {
      spins++;
      if (isSoon) results = outstanding;
      return results === 0;
    },
  };
  pump = new CompletionPump(
    inbox as unknown as Inbox,
    // Not crowded, however few cores there are.
    { awake: () => 0 } as unknown as Parking,
    () => {
      looks++;
      outstanding -= results;
      const taken = results;
      results = 0;
      onDrained();
      return taken;
    },
    () => outstanding,
    () => outstanding > idle,
    () => left > 0,
    () => turnsBegun++,
  );
});

function turn(): void {
  played.nowMs += TURN_US / 1000;
  for (const callback of played.immediates.splice(0)) callback();
}

/** One job whose result comes after so many turns. @returns whether the pump was asleep by then, and how often it had looked. */
function roundTrip(turns: number): { slept: boolean; looked: number } {
  const before = looks;
  outstanding++;
  pump.submitted();
  for (let i = 0; i < turns; i++) turn();
  const slept = isAsleep;
  const looked = looks - before;
  results++;
  if (slept) {
    isAsleep = false;
    pump.onBell();
  } else {
    turn();
  }
  expect(outstanding).toBe(0);
  for (let i = 0; i < 100; i++) turn();
  return { slept, looked };
}

describe("CompletionPump", () => {
  it("looks on from a submission until the result is there", () => {
    for (let i = 0; i < 10; i++) expect(roundTrip(20)).toEqual({ slept: false, looked: 20 });
  });

  it("after jobs that took long it finds out that looking on pays off again", () => {
    for (let i = 0; i < 10; i++) roundTrip(1000);
    expect(roundTrip(1000)).toEqual({ slept: true, looked: 0 });
    const trips = Array.from({ length: 100 }, () => roundTrip(20).slept);
    expect(trips.lastIndexOf(true)).toBeLessThan(64);
  });

  it("one that is always in vain, though the bell comes soon, is tried ever less often", () => {
    const looked = Array.from({ length: 400 }, () => roundTrip(70).looked);
    const tries = looked.slice(200).filter((count) => count === 64);
    expect(tries.length).toBeGreaterThan(1);
    expect(tries.length).toBeLessThan(8);
    expect(looked.slice(200).reduce((sum, count) => sum + count, 0) / 200).toBeLessThan(5);
  });

  it("goes on turn by turn while a look has left some, whatever is outstanding", () => {
    onDrained = () => left--;
    [left, isAsleep] = [4, false];
    pump.onBell();
    expect([looks, isAsleep]).toEqual([1, false]);
    for (let i = 0; i < 10; i++) turn();
    expect([looks, left, isAsleep]).toEqual([4, 0, true]);
  });

  describe("spins behind a submission", () => {
    /** A job, and the microtasks behind it. @returns whether its result was taken without a turn. */
    async function quickTrip(): Promise<boolean> {
      outstanding++;
      pump.submitted();
      for (let i = 0; i < 4; i++) await Promise.resolve();
      return outstanding === 0;
    }

    it("and takes quick results without a turn of the event loop, 32 times at most", async () => {
      isSoon = true;
      roundTrip(0);
      const taken = [];
      for (let i = 0; i < 40; i++) taken.push(await quickTrip());
      expect(taken.indexOf(false)).toBe(32);
      results = outstanding;
      turn();
      expect(await quickTrip()).toBe(true);
    });

    it("again when the end of a stream that was read came first, not for a stream of which nobody waits for an item", async () => {
      roundTrip(0);
      for (const isEnd of [true, false]) {
        [outstanding, results, idle] = [2, 1, 1];
        onDrained = () => {
          if (isEnd) idle = 0;
        };
        pump.submitted();
        await Promise.resolve();
        await Promise.resolve();
        expect(outstanding).toBe(1);
        const before = spins;
        results = isEnd ? 1 : 0;
        for (let i = 0; i < 4; i++) await Promise.resolve();
        expect([outstanding, spins - before]).toEqual(isEnd ? [0, 1] : [1, 0]);
      }
    });

    it("leaves to the next turn what it was not to take", async () => {
      isSoon = true;
      roundTrip(0);
      const begun = turnsBegun;
      left = 1;
      expect(await quickTrip()).toBe(true);
      expect([spins, looks, turnsBegun]).toEqual([1, 2, begun]);
      expect(played.immediates).toHaveLength(1);
      left = 0;
      turn();
      expect([looks, turnsBegun]).toEqual([3, begun + 1]);
    });

    it("not when many jobs are outstanding", async () => {
      roundTrip(0);
      outstanding += 5;
      await quickTrip();
      expect(spins).toBe(0);
    });

    it.each([
      ["again soon, when after one in vain results come with the second turn", 1, true],
      ["not, when they come with the third", 2, false],
    ])("%s", async (_, emptyTurns, expected) => {
      roundTrip(0);
      expect(await quickTrip()).toBe(false);
      let isTaken = false;
      isSoon = true;
      for (let i = 0; i < 4 && !isTaken; i++) {
        for (let k = 0; k < emptyTurns; k++) turn();
        results = outstanding;
        turn();
        isTaken = await quickTrip();
      }
      expect(isTaken).toBe(expected);
    });

    it("ever less often when it is in vain, though the results come with the first turn", async () => {
      let tries = 0;
      for (let i = 0; i < 400; i++) {
        const before = spins;
        await quickTrip();
        if (spins > before) tries++;
        results = outstanding;
        turn();
      }
      expect(tries).toBeGreaterThan(2);
      expect(tries).toBeLessThan(20);
    });
  });
});
