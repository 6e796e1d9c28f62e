import { describe, expect, it } from "vitest";
import { LateArguments } from "../../src/worker/late-arguments.ts";

function setUp() {
  const asked: number[] = [];
  const resumed: number[] = [];
  const late = new LateArguments(
    (id) => asked.push(id),
    () => false,
    (slot) => resumed.push(slot),
  );
  const wait = (id: number, slot: number): Promise<void> => late.wait(id, slot, () => false)!;
  return { asked, resumed, late, wait };
}

describe("LateArguments", () => {
  it("jobs go on when what they wait for has come", async () => {
    const { asked, resumed, late, wait } = setUp();
    const waiting = [wait(7, 1), wait(-8, 2), wait(-8, 3)];
    expect(asked).toEqual([7, -8, -8]);
    expect(late.arrived(-8)).toBe(true);
    expect(resumed).toEqual([2, 3]);
    late.arrived(7);
    await Promise.all(waiting);
    expect(late.takeGone(2, -8)).toBe(false);
    expect(late.size).toBe(0);
  });

  it("every job that waits for what will never come is told so, once", async () => {
    const { resumed, late, wait } = setUp();
    const waiting = [wait(-8, 2), wait(-8, 3)];
    late.gone(-8);
    await Promise.all(waiting);
    expect(resumed).toEqual([2, 3]);
    for (const slot of [2, 3])
      expect([late.takeGone(slot, -8), late.takeGone(slot, -8)]).toEqual([true, false]);
  });

  it("of jobs that wait for the same memory only those go on in vain whose submitter has ended", async () => {
    const { resumed, late, wait } = setUp();
    const waiting = wait(-8, 2);
    const other = wait(-8, 3);
    const carried = wait(9, 2);
    late.goneOf((slot) => slot === 2);
    await waiting;
    expect(resumed).toEqual([2]);
    expect(late.takeGone(2, -8)).toBe(true);
    late.arrived(-8);
    late.arrived(9);
    await Promise.all([other, carried]);
    expect(resumed).toEqual([2, 3, 2]);
    expect(late.takeGone(3, -8)).toBe(false);
  });

  it("what a job has waited for in vain is no news for the next one in its slot", async () => {
    const { late, wait } = setUp();
    const waiting = wait(-8, 2);
    late.gone(-8);
    await waiting;
    expect(late.takeGone(2, -9)).toBe(false);
    const again = wait(-8, 2);
    late.gone(-8);
    await again;
    late.forget(2);
    expect(late.takeGone(2, -8)).toBe(false);
  });
});
