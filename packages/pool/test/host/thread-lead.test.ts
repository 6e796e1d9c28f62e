import { describe, expect, it } from "vitest";
import { ThreadLead } from "../../src/host/thread-lead.ts";

const MB = 1 << 20;

/** A thread that has done so many jobs of `us` each, one after the other, and is at the next, which has so many bytes. */
function after(jobs: number, us: number, bytes = 0): { lead: ThreadLead; now: number } {
  const lead = new ThreadLead();
  let now = 1000;
  for (let i = 0; i < jobs; i++) {
    lead.given(now, 0);
    now += us / 1000;
    lead.ended(now, 0);
  }
  lead.given(now, bytes);
  return { lead, now };
}

function fill({ lead, now }: { lead: ThreadLead; now: number }, bytes = 0, threads = 1): number {
  while (lead.hasRoom(now, bytes, threads)) lead.given(now, bytes);
  return lead.jobs;
}

describe("ThreadLead", () => {
  it("a thread of which nothing is known gets nothing ahead", () => {
    const lead = new ThreadLead();
    expect([lead.isFree, lead.hasRoom(0, 0, 1)]).toEqual([true, false]);
    lead.given(0, 0);
    expect([lead.isFree, lead.hasRoom(0, 0, 1)]).toEqual([false, false]);
  });

  it("a quick one gets 64 at most", () => {
    expect(fill(after(5, 5))).toBe(64);
  });

  it("only half a millisecond of work, by what jobs took", () => {
    expect(fill(after(5, 120))).toBe(4);
  });

  it("only 8 MB together, the job that it is at included, and its part of that when there are several threads", () => {
    expect(fill(after(5, 10), MB)).toBe(9);
    expect(fill(after(5, 10, MB), MB)).toBe(8);
    expect(fill(after(5, 10, MB), MB, 4)).toBe(2);
    expect(fill(after(5, 10, 32 * MB), 1)).toBe(1);
  });

  it("is low when it has half of what it was given, or less", () => {
    const { lead, now } = after(5, 10);
    expect([fill({ lead, now }, 2 * MB), lead.isLow]).toEqual([5, false]);
    const left: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      lead.ended(now, 0);
      left.push(lead.isLow);
    }
    expect(left).toEqual([false, false, true, true]);
    lead.given(now, 0);
    expect(lead.isLow).toBe(false);
  });

  it("and again when jobs are over", () => {
    const { lead, now } = after(5, 10, MB);
    expect(fill({ lead, now }, MB)).toBe(8);
    expect(lead.hasRoom(now, MB, 1)).toBe(false);
    lead.ended(now, MB);
    expect(lead.hasRoom(now, MB, 1)).toBe(true);
  });

  it("nothing behind a job that takes longer, while it runs and until others were quick again", () => {
    const { lead, now } = after(5, 10);
    expect(lead.hasRoom(now + 0.4, 0, 1)).toBe(true);
    expect(lead.hasRoom(now + 0.6, 0, 1)).toBe(false);
    lead.ended(now + 20, 0);
    lead.given(now + 20, 0);
    expect(lead.hasRoom(now + 20, 0, 1)).toBe(false);
    let later = now + 20;
    for (let i = 0; i < 40; i++) {
      later += 0.01;
      lead.ended(later, 0);
      lead.given(later, 0);
    }
    expect(lead.hasRoom(later, 0, 1)).toBe(true);
  });

  it("nothing ahead of a thread that was given nothing: it may be at any other job", () => {
    const { lead, now } = after(5, 10);
    lead.ended(now, 0);
    expect([lead.isFree, lead.hasRoom(now, 0, 1)]).toEqual([true, false]);
  });

  it("a thread that has given a job back gets nothing until it has done 16 others", () => {
    const { lead, now } = after(5, 10);
    lead.returned(0);
    for (let i = 0; i < 16; i++) {
      expect([lead.jobs, lead.isFree]).toEqual([0, false]);
      lead.given(now, 0);
      expect(lead.hasRoom(now, 0, 1)).toBe(false);
      lead.ended(now, 0);
    }
    expect(lead.isFree).toBe(true);
  });
});
