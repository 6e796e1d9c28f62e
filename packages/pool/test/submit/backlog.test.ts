/** Jobs that wait in order, with their arguments, while others among them are given up. */
import { setImmediate } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INLINE_BYTES } from "../../src/shared/layout.ts";
import { Backlog } from "../../src/submit/backlog.ts";
import { NORMAL } from "../../src/submit/queued-slots.ts";
import { DECIDED, type PendingJob, WAITING } from "../../src/submit/pending-job.ts";
import { PlayedPool } from "./played-pool.ts";

interface Waiting {
  stage: number;
  readonly block: number;
  readonly argsLength: number;
  readonly fill: number;
}

describe("a backlog", () => {
  it("keeps jobs and their arguments in order, whatever is given up, and however often it is made anew", () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant("add" as const),
          count: fc.nat(400),
          length: fc.nat(INLINE_BYTES),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant("giveUp" as const), every: fc.integer({ min: 1, max: 4 }) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("shift" as const), count: fc.nat(500) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("compact" as const) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const backlog = new Backlog();
        const jobs: Waiting[] = [];
        let made = 0;
        const [expected, taken]: [unknown[], unknown[]] = [[], []];
        const takeFirst = (): void => {
          const job = backlog.peek() as unknown as Waiting;
          if (job.stage === WAITING) {
            expected.push(jobs.shift(), true);
            const args = Buffer.alloc(job.argsLength, job.fill);
            taken.push(job, job.block !== 0 || args.equals(backlog.peekArguments()));
          }
          backlog.shift();
        };
        for (const each of steps) {
          if (each.do === "add") {
            for (let i = 0; i < each.count; i++) {
              const fill = ++made & 255;
              const job = { stage: WAITING, block: made % 7 === 0 ? 1 : 0, argsLength: each.length, fill };
              jobs.push(job);
              backlog.add(job as unknown as PendingJob, new Uint8Array(each.length).fill(fill));
            }
          } else if (each.do === "giveUp") {
            for (let i = jobs.length - 1; i >= 0; i -= each.every) {
              jobs[i]!.stage = DECIDED;
              jobs.splice(i, 1);
            }
          } else if (each.do === "shift") {
            for (let i = 0; i < each.count && backlog.size > 0; i++) takeFirst();
          } else {
            backlog.compact();
            expected.push(jobs.length);
            taken.push(backlog.size);
          }
          expect(backlog.countWaiting(Infinity)).toBe(jobs.length);
        }
        while (backlog.size > 0) takeFirst();
        expect(taken).toEqual([...expected, ...jobs]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("jobs that are given up while they wait behind others", () => {
  const COUNT = 2000;
  it.each([null, { kind: "affinity", key: "1" }, { kind: "thread", threadId: 1 }] as const)(
    "are let go, those that wait stay in their order: placement %j",
    async (placement) => {
      const pool = new PlayedPool();
      const { ledger } = pool.submitter;
      const submit = (name: string) => pool.submit([name], { placement });
      const rest = Array.from({ length: 100 }, (_, i) => {
        for (let n = 0; n < COUNT / 100; n++) {
          const job = submit("given up");
          job.task.catch(() => {});
          ledger.cancel(job, new Error("enough"));
        }
        return submit(`job ${i}.`);
      });
      const entries =
        placement === null ? ledger.backlogSize(NORMAL) : pool.homes.homeOf(placement)!.inBacklog;
      // Not more than wait, and those of the moment.
      expect(entries).toBeLessThan(2 * rest.length + 64);
      const ran: unknown[] = [];
      for (const { task } of rest) void task.then((result) => ran.push(result));
      while (ledger.outstanding > 0) {
        pool.runAll(1);
        ledger.drain();
        // What waits for room in a ring is tried again by a timer.
        await setImmediate();
      }
      expect(ran.map((result) => /job \d+/.exec(String(result))?.[0])).toEqual(
        rest.map((_, i) => `job ${i}`),
      );
    },
  );
});
