import { describe, expect, it } from "vitest";
import { ThreadLead } from "../../src/host/thread-lead.ts";

/** A thread that has done so many jobs of `us` each, one after the other, and is at the next. */
function after(jobs: number, us: number, maxJobs = 8): { lead: ThreadLead; now: number } {
  const lead = new ThreadLead(maxJobs);
  let now = 1000;
  for (let i = 0; i < jobs; i++) {
    lead.given(now);
    now += us / 1000;
    lead.ended(now);
  }
  lead.given(now);
  return { lead, now };
}

describe("ThreadLead", () => {
  it("a thread of which nothing is known gets nothing ahead", () => {
    const lead = new ThreadLead(8);
    expect([lead.isDone, lead.hasRoom(0)]).toEqual([true, false]);
    lead.given(0);
    expect([lead.isDone, lead.hasRoom(0)]).toEqual([false, false]);
  });

  it("a quick one gets as many as jobsPerThread allows", () => {
    const { lead, now } = after(5, 10);
    while (lead.hasRoom(now)) lead.given(now);
    expect(lead.jobs).toBe(8);
  });

  it("with jobsPerThread 1 nobody gets anything ahead", () => {
    const { lead, now } = after(5, 10, 1);
    expect(lead.hasRoom(now)).toBe(false);
  });

  it("only half a millisecond of work, by what jobs took", () => {
    const { lead, now } = after(5, 120);
    while (lead.hasRoom(now)) lead.given(now);
    expect(lead.jobs).toBe(4);
  });

  it("nothing behind a job that takes longer, while it runs and until others were quick again", () => {
    const { lead, now } = after(5, 10);
    expect(lead.hasRoom(now + 0.4)).toBe(true);
    expect(lead.hasRoom(now + 0.6)).toBe(false);
    lead.ended(now + 20);
    lead.given(now + 20);
    expect(lead.hasRoom(now + 20)).toBe(false);
    let later = now + 20;
    for (let i = 0; i < 40; i++) {
      later += 0.01;
      lead.ended(later);
      lead.given(later);
    }
    expect(lead.hasRoom(later)).toBe(true);
  });

  it("nothing ahead of a thread that was given nothing: it may be at any other job", () => {
    const { lead, now } = after(5, 10);
    lead.ended(now);
    expect([lead.isDone, lead.hasRoom(now)]).toEqual([true, false]);
  });
});
