/** The time of a run, with threads and timers that the test plays. */
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_JOB } from "../../src/shared/job-queues.ts";
import type { TaskJob } from "../../src/submit/task-job.ts";
import type { SubmitOptions } from "../../src/submit/submit-options.ts";
import { PlayedPool } from "./played-pool.ts";

const { setTimeout, clearTimeout } = globalThis;
/** That run: what they do, and how long they were to take. */
const timers = new Map<object, { readonly fire: () => void; readonly ms: number }>();

beforeEach(() => {
  timers.clear();
  Object.assign(globalThis, {
    setTimeout: (fire: () => void, ms: number) => {
      const timer = {};
      timers.set(timer, { fire, ms });
      return timer;
    },
    clearTimeout: (timer: object) => void timers.delete(timer),
  });
});
afterEach(() => void Object.assign(globalThis, { setTimeout, clearTimeout }));

function fireAll(): void {
  const due = [...timers.values()];
  timers.clear();
  for (const { fire } of due) fire();
}

class Play {
  readonly pool = new PlayedPool({ slots: 4, threads: 2 });
  readonly running = new Map<number, { slot: number; job: TaskJob }>();

  submit(options: Partial<SubmitOptions> = {}): TaskJob {
    const job = this.pool.submit([1], { runTimeoutMs: 100, ...options });
    job.task.catch(() => {});
    return job;
  }

  /** A thread takes a job. Its report comes in at once, or is lost with the thread. */
  begin(thread: number, reports = true): void {
    const slot = this.pool.take(thread);
    if (slot === NO_JOB) return;
    const { ledger, progress } = this.pool.submitter;
    this.running.set(thread, { slot, job: ledger.jobIn(slot) as TaskJob });
    const { slots } = this.pool.host;
    if (slots.isTimed(slot) && reports) progress.began(slots.progressId(slot));
  }

  end(thread: number): void {
    const running = this.running.get(thread);
    if (running === undefined) return;
    this.running.delete(thread);
    this.pool.run(thread, running.slot, "done");
    this.pool.submitter.ledger.drain();
  }

  die(thread: number): void {
    this.running.delete(thread);
    this.pool.recover(thread);
  }

  deliver(): void {
    this.pool.submitter.ledger.deliver();
  }
}

const timedOut = { code: "ERR_SKEIN_JOB_TIMEOUT", limit: "runTimeoutMs", timeoutMs: 100 };

describe("a job with runTimeoutMs", () => {
  it("has no timer before a thread begins it, then one, and none when it is over", async () => {
    const play = new Play();
    const job = play.submit();
    expect(timers.size).toBe(0);
    play.begin(0);
    play.deliver();
    expect([...timers.values()]).toMatchObject([{ ms: 100 }]);
    play.end(0);
    expect(timers.size).toBe(0);
    await expect(job.task).resolves.toBe("done");
  });

  it("rejects when its time is over, and its late outcome is dropped", async () => {
    const play = new Play();
    const job = play.submit();
    play.begin(0);
    play.deliver();
    fireAll();
    await expect(job.task).rejects.toMatchObject(timedOut);
    play.end(0);
    expect(play.pool.slotsInUse()).toEqual([]);
  });

  it("a report that comes when the job was given up sets no timer", async () => {
    const play = new Play();
    const controller = new AbortController();
    const job = play.submit({ signal: controller.signal });
    play.begin(0);
    controller.abort(new Error("enough"));
    play.deliver();
    expect(timers.size).toBe(0);
    await expect(job.task).rejects.toThrow("enough");
  });

  it("that runs again has its time anew, whatever was under way of the run before", () => {
    const play = new Play();
    const job = play.submit({ retries: 2 });
    // The report and the death come in together.
    play.begin(0);
    play.die(0);
    expect(timers.size).toBe(0);
    play.begin(1);
    play.deliver();
    const [first] = timers.values();
    play.die(1);
    // It waits: the timer of the dead thread's run means nothing.
    first!.fire();
    expect(job.isOver).toBe(false);
    play.begin(0);
    play.deliver();
    expect(timers.size).toBe(1);
    first!.fire();
    expect(job.isOver).toBe(false);
    fireAll();
    expect(job.isOver).toBe(true);
  });

  it("goes by the timers that were global at the call", () => {
    const play = new Play();
    play.submit();
    Object.assign(globalThis, { setTimeout, clearTimeout });
    play.begin(0);
    play.deliver();
    expect(timers.size).toBe(1);
    play.end(0);
    expect(timers.size).toBe(0);
  });

  it("a job without it is not reported", () => {
    const play = new Play();
    play.pool.submit([1]);
    const slot = play.pool.take(0);
    expect([play.pool.host.slots.isTimed(slot), play.pool.host.slots.progressId(slot)]).toEqual([false, 0]);
    play.pool.run(0, slot, "done");
    play.pool.submitter.ledger.drain();
  });
});

describe("model", () => {
  const thread = fc.integer({ min: 0, max: 1 });
  const step = fc.oneof(
    fc.record({ do: fc.constant("submit" as const), retries: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ do: fc.constant("begin" as const), thread, reports: fc.boolean() }),
    fc.record({ do: fc.constantFrom("end" as const, "die" as const), thread }),
    fc.record({ do: fc.constantFrom("deliver" as const, "fire" as const, "cancel" as const) }),
  );

  it("only the timer of the run under way ends a job; each settles once, and leaves no timer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        timers.clear();
        const play = new Play();
        const jobs: { job: TaskJob; cancel: AbortController }[] = [];
        let settled = 0;
        let endedUnbegun = false;
        for (const each of steps) {
          if (each.do === "submit") {
            const cancel = new AbortController();
            const job = play.submit({ retries: each.retries, signal: cancel.signal });
            job.task.then(
              () => settled++,
              () => settled++,
            );
            jobs.push({ job, cancel });
          } else if (each.do === "begin") {
            if (!play.running.has(each.thread)) play.begin(each.thread, each.reports);
          } else if (each.do === "end") play.end(each.thread);
          else if (each.do === "die") play.die(each.thread);
          else if (each.do === "deliver") play.deliver();
          else if (each.do === "cancel")
            jobs.find(({ job }) => !job.isOver)?.cancel.abort(new Error("enough"));
          else {
            const running = new Set([...play.running.values()].map(({ job }) => job));
            const waiting = jobs.filter(({ job }) => !job.isOver && !running.has(job));
            fireAll();
            endedUnbegun ||= waiting.some(({ job }) => job.isOver);
          }
          // One per run; and what a death has left behind, until that job's next run.
          expect(timers.size).toBeLessThanOrEqual(jobs.filter(({ job }) => !job.isOver).length);
        }
        for (const each of [0, 1]) play.end(each);
        for (let i = 0; i < jobs.length; i++) {
          play.begin(0);
          play.end(0);
        }
        await Promise.allSettled(jobs.map(({ job }) => job.task));
        expect([settled, endedUnbegun, timers.size, play.pool.slotsInUse()]).toEqual([
          jobs.length,
          false,
          0,
          [],
        ]);
      }),
    );
  });
});
