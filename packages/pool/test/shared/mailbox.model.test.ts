import { describe, expect, it } from "vitest";
import { JobQueues, NO_THREAD } from "../../src/shared/job-queues.ts";
import { LINE_WORDS } from "../../src/shared/layout.ts";
import { Parking } from "../../src/shared/parking.ts";
import { DONE, QUEUED, RUNNING, SlotTable } from "../../src/shared/slot.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import { Model } from "./model/model.ts";
import { ALL_QUEUES } from "./model/programs.ts";
import type { ModelMemory, Run, Scenario } from "./model/scenario.ts";

const NORMAL = 1;
const model = new Model();

function partsOf({ control, layout, slotsBuffer }: ModelMemory): { slots: SlotTable; host: JobQueues } {
  const slots = new SlotTable(slotsBuffer, layout);
  return { slots, host: new JobQueues(control, layout, slots, NO_THREAD) };
}

/** Job 11 for thread 0, then, if it can be withdrawn, job 12 in the same slot for thread 1. Entries of former jobs lie everywhere. */
function moving(more: Partial<Scenario>, careless = 0): Scenario {
  return {
    threads: [
      ["takeAny", 2],
      ["takeAny", 1],
      ["placeAndMove", careless],
    ],
    prepare(memory) {
      const { host, slots } = partsOf(memory);
      host.initialize(-1);
      for (const w of [0, 1]) host.prepareDeque(w);
      slots.publish(0);
      host.push(NORMAL, 0);
      host.pushPlaced(0, 0);
      host.pushPlaced(1, 0);
      slots.withdraw(0);
    },
    atEnd(run) {
      const [wasWithdrawn] = run.logs(2);
      const { slots } = partsOf(run);
      const [by, job] = wasWithdrawn === 1 ? [1, 12] : [0, 11];
      expect(run.logs(1 - by)).toEqual([]);
      expect(slots.functionId(0)).toBe(job);
      // Or its thread has looked for the last time before it came, or has ended with it.
      const hasRun = run.logs(by).length > 0;
      expect(run.logs(by)).toEqual(hasRun ? [job] : []);
      const withTheDead = run.killed < 0 ? [] : [RUNNING, DONE];
      expect(hasRun ? [DONE] : [QUEUED, ...withTheDead]).toContain(slots.state(0));
    },
    ...more,
  };
}

/** The host places `jobs` with thread 0 and wakes it: with `hasty` before the push, which is wrong. */
function waking(jobs: number, more: Partial<Scenario>, hasty = 0): Scenario {
  return {
    threads: [
      ["work", ALL_QUEUES, 0, 0],
      ["work", ALL_QUEUES, 0, 0],
      ["placeAndWake", jobs, hasty],
    ],
    prepare(memory) {
      const { host } = partsOf(memory);
      host.initialize(-1);
      const parking = new Parking(memory.control, memory.layout);
      for (const w of [0, 1]) {
        host.prepareDeque(w);
        parking.setBusy(w);
      }
    },
    atRest(run) {
      const parked = run.layout.parkWord;
      expect([run.blockedOn(0), run.logs(0).length]).toEqual([parked, jobs]);
      expect([run.blockedOn(1), run.logs(1)]).toEqual([parked + LINE_WORDS, []]);
    },
    ...more,
  };
}

describe("Mailbox, stepped", { timeout: timeLimit(600_000) }, () => {
  const seen = new Set<number | undefined>();
  const watched = (run: Run): void => void seen.add(run.logs(2)[0]);

  it("a job is run by its own thread alone, once, or withdrawn and never run there", () => {
    const scenario = moving({});
    const { atEnd } = scenario;
    expect(
      model.explore(
        {
          ...scenario,
          atEnd(run) {
            watched(run);
            atEnd!(run);
          },
        },
        2,
      ),
    ).toBeGreaterThan(100);
    expect(seen).toEqual(new Set([0, 1]));
  });

  it("stress: any schedule, with threads that end", () => {
    expect(model.sample(moving({ mortal: [0, 1] }), 300)).toBeGreaterThan(0);
  });

  it("the model finds a host that takes a slot back without asking whether its thread has claimed it", () => {
    expect(() => model.explore(moving({}, 1), 2)).toThrow(/schedule: /);
  });

  it("no thread sleeps with a job in its mailbox, and none is woken in vain to stay awake", () => {
    expect(model.explore(waking(1, {}), 1)).toBeGreaterThan(50);
    expect(model.sample(waking(2, { timeouts: 2 }), 200)).toBeGreaterThan(0);
  });

  it("the model finds a host that wakes the thread before it pushes", () => {
    expect(() => model.explore(waking(1, {}, 1), 2)).toThrow(/schedule: /);
  });
});
