import { beforeEach, describe, expect, it, vi } from "vitest";
import { Recycling } from "../../src/worker/recycling.ts";
import { played } from "../played-timers.ts";

vi.mock(import("../../src/shared/timers.ts"), async (original) => {
  const { playTimers } = await import("../played-timers.ts");
  return playTimers(original);
});

const none = { maxJobs: Infinity, maxHeapBytes: Infinity, maxAgeMs: Infinity };
let heapBytes: number;
let looks: number;
const heap = (): number => {
  looks++;
  return heapBytes;
};

beforeEach(() => {
  played.nowMs = 1000;
  [heapBytes, looks] = [0, 0];
});

describe("a thread's limits", () => {
  it("of jobs: reached by the last one that it may begin, and told once", () => {
    const recycling = new Recycling({ ...none, maxJobs: 2 }, heap);
    expect(recycling.reached()).toBeNull();
    recycling.ran();
    expect(recycling.reached()).toBeNull();
    recycling.ran();
    expect([recycling.reached(), recycling.reached()]).toEqual(["jobs", null]);
    recycling.ran();
    expect(recycling.reached()).toBeNull();
  });

  it("of age: only after another job", () => {
    const recycling = new Recycling({ ...none, maxAgeMs: 50 }, heap);
    recycling.ran();
    expect(recycling.reached()).toBeNull();
    played.nowMs += 50;
    expect(recycling.reached()).toBeNull();
    recycling.ran();
    expect(recycling.reached()).toBe("age");
  });

  it("of the heap: looked at now and then, and not without that limit", () => {
    const recycling = new Recycling({ ...none, maxHeapBytes: 100 }, heap);
    for (let i = 0; i < 10; i++) {
      recycling.ran();
      expect(recycling.reached()).toBeNull();
    }
    expect(looks).toBe(1);
    heapBytes = 100;
    played.nowMs += 5;
    recycling.ran();
    expect(recycling.reached()).toBe("heap");
    const other = new Recycling({ ...none, maxJobs: 9 }, heap);
    other.ran();
    other.reached();
    expect(looks).toBe(2);
  });

  it("without a successor: it goes on, and asks again a second later", () => {
    const recycling = new Recycling({ ...none, maxJobs: 1 }, heap);
    recycling.ran();
    expect(recycling.reached()).toBe("jobs");
    expect(recycling.kept()).toBe(true);
    recycling.ran();
    expect(recycling.reached()).toBeNull();
    played.nowMs += 1000;
    expect(recycling.reached()).toBe("jobs");
    const old = new Recycling({ ...none, maxAgeMs: 1 }, heap);
    played.nowMs += 1;
    old.ran();
    expect([old.reached(), old.kept()]).toEqual(["age", false]);
  });
});
