import { describe, expect, it } from "vitest";
import { OrphanedSlots } from "../../src/host/orphaned-slots.ts";
import { HOST, PoolMemory } from "../../src/shared/pool-memory.ts";
import { DONE, FREE, QUEUED, RUNNING, SlotTable } from "../../src/shared/slot.ts";
import { Model } from "../shared/model/model.ts";
import type { ModelMemory, Run, Scenario } from "../shared/model/scenario.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

/** Of thread 0: the first is running on one thread, the second running on another or still queued. */
const SLOTS = [4, 5];
const KEEPER = 2;
const NEXT_OWNERS_JOB = 77;
const model = new Model();

function memoryOf({ control, slotsBuffer, layout }: ModelMemory): PoolMemory {
  return new PoolMemory(control.buffer as SharedArrayBuffer, slotsBuffer, layout, HOST);
}

/** The place was given away, and no link of a former job came afterwards; or it can be given away now that all have ended. */
function expectNoLateLink(run: Run): void {
  const { slots, inboxes } = memoryOf(run);
  const givenAway = run.logs(KEEPER).includes(1);
  // The host's last look, when there was none.
  const orphans = new OrphanedSlots(
    memoryOf(run),
    (serial) => serial !== run.killed + 1,
    () => {},
  );
  if (!givenAway) orphans.adopt(0);
  expect(orphans.isFree(0)).toBe(true);
  // By a stale entry a thread may have come to the next owner's job (slot.ts I4): that one it may link.
  const next = SLOTS.filter((_, thread) => run.logs(thread).includes(NEXT_OWNERS_JOB));
  const into = new Int32Array(2);
  const linked = [...into.subarray(0, inboxes[1]!.takeAll(into))];
  expect(run.killed < 0 ? linked : next).toEqual(next);
  expect(next).toEqual(expect.arrayContaining(linked));
  for (const slot of SLOTS) {
    const claimed = run.killed < 0 ? [DONE] : [RUNNING, DONE];
    const expected = next.includes(slot) ? claimed : [givenAway ? QUEUED : FREE];
    expect(expected).toContain(slots.state(slot));
  }
}

/** @param hears What the host gets wrong, see `keepOrphans`. */
function scenarioWith(claims: 0 | 1, hears: 0 | 1 | 2, more: Partial<Scenario> = {}): Scenario {
  return {
    threads: [
      ["finishOrphan", SLOTS[0]!, 0],
      ["finishOrphan", SLOTS[1]!, claims],
      ["keepOrphans", hears, 2],
    ],
    prepare({ slotsBuffer, layout }) {
      const slots = new SlotTable(slotsBuffer, layout);
      for (const slot of SLOTS) slots.publish(slot);
      slots.claim(SLOTS[0]!, 0, 1);
      if (claims === 0) slots.claim(SLOTS[1]!, 0, 2);
    },
    atEnd: expectNoLateLink,
    ...more,
  };
}

describe("OrphanedSlots, stepped", { timeout: timeLimit(600_000) }, () => {
  it("a place is never given away while a late finisher can still link one of its slots", () => {
    expect(model.explore(scenarioWith(0, 0), 3)).toBeGreaterThan(500);
  });

  it("a queued job is withdrawn or waited for, whoever comes by it meanwhile", () => {
    expect(model.explore(scenarioWith(1, 0), 3)).toBeGreaterThan(500);
  });

  it("one finisher, in every interleaving", () => {
    const threads: Scenario["threads"] = [
      ["finishOrphan", SLOTS[0]!, 0],
      ["finishOrphan", SLOTS[1]!, 1],
      ["keepOrphans", 0, 1],
    ];
    const alone = scenarioWith(1, 0, { threads: [threads[0]!, ["lookInto", 0], threads[2]!] });
    expect(model.explore(alone, Infinity)).toBeGreaterThan(300);
  });

  it("teardown: a finisher that is ended anywhere is not waited for, and what it had linked is taken out", () => {
    expect(model.explore(scenarioWith(0, 0, { mortal: [0, 1] }), 1)).toBeGreaterThan(50);
    expect(model.explore(scenarioWith(1, 0, { mortal: [1] }), 2)).toBeGreaterThan(50);
  });

  it("stress: any schedule, any finisher ended", () => {
    expect(model.sample(scenarioWith(0, 0, { mortal: [0, 1] }), 300)).toBeGreaterThan(0);
    expect(model.sample(scenarioWith(1, 0, { mortal: [0, 1] }), 300)).toBeGreaterThan(0);
  });

  it("the model finds a host that hears of an exit in the middle of a look", () => {
    expect(() => model.explore(scenarioWith(0, 1, { mortal: [0] }), 2)).toThrow(/schedule: .*0:kill/);
  });

  it("the model finds a host that waits for nobody", () => {
    expect(() => model.explore(scenarioWith(0, 2), 2)).toThrow(/schedule: /);
  });
});
