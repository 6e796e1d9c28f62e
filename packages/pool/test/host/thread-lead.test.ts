import { describe, expect, it } from "vitest";
import { ThreadLead } from "../../src/host/thread-lead.ts";

const NOW = 1000;

/** A thread that is at a job that it was given. */
function atOne(): ThreadLead {
  const lead = new ThreadLead();
  lead.given(NOW);
  return lead;
}

/** @returns how many jobs it has then. */
function fill(lead: ThreadLead, usPerJob: number): number {
  while (lead.hasRoom(NOW, usPerJob)) lead.given(NOW);
  return lead.jobs;
}

describe("ThreadLead", () => {
  it("a thread whose pace is not known gets nothing ahead", () => {
    const lead = new ThreadLead();
    expect([lead.isFree, lead.hasRoom(NOW, 5)]).toEqual([true, false]);
    lead.given(NOW);
    expect([lead.isFree, lead.hasRoom(NOW, 0)]).toEqual([false, false]);
  });

  it("a quick one gets 64 at most", () => {
    expect(fill(atOne(), 5)).toBe(64);
  });

  it("only half a millisecond of work, by what jobs took", () => {
    expect(fill(atOne(), 120)).toBe(4);
    expect(fill(atOne(), 500)).toBe(1);
  });

  it("is low when it has half of what it was given, or less", () => {
    const lead = atOne();
    expect([fill(lead, 120), lead.isLow]).toEqual([4, false]);
    const left: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      lead.ended(NOW);
      left.push(lead.isLow);
    }
    expect(left).toEqual([false, true, true, true]);
    lead.given(NOW);
    expect(lead.isLow).toBe(false);
  });

  it("more when jobs are over", () => {
    const lead = atOne();
    expect([fill(lead, 120), lead.hasRoom(NOW, 120)]).toEqual([4, false]);
    lead.ended(NOW);
    expect(lead.hasRoom(NOW, 120)).toBe(true);
  });

  it("nothing behind a job that takes longer, while it runs", () => {
    const lead = atOne();
    expect([lead.hasRoom(NOW + 0.4, 10), lead.hasRoom(NOW + 0.6, 10)]).toEqual([true, false]);
  });

  it("nothing ahead of a thread that was given nothing: it may be at any other job", () => {
    const lead = atOne();
    lead.ended(NOW);
    expect([lead.isFree, lead.hasRoom(NOW, 10)]).toEqual([true, false]);
  });

  it("a thread that has given a job back gets nothing until it has done 16 others", () => {
    const lead = atOne();
    lead.returned();
    for (let i = 0; i < 16; i++) {
      expect([lead.jobs, lead.isFree]).toEqual([0, false]);
      lead.given(NOW);
      expect(lead.hasRoom(NOW, 10)).toBe(false);
      lead.ended(NOW);
    }
    expect(lead.isFree).toBe(true);
  });
});
