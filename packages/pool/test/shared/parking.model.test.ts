import { describe, expect, it } from "vitest";
import { JobQueues, NO_THREAD } from "../../src/shared/job-queues.ts";
import { LINE_WORDS } from "../../src/shared/layout.ts";
import { BUSY, Parking } from "../../src/shared/parking.ts";
import { Places } from "../../src/shared/places.ts";
import { EMPTY, Ring } from "../../src/shared/ring.ts";
import { SlotTable } from "../../src/shared/slot.ts";
import { Model } from "./model/model.ts";
import { ALL_QUEUES } from "./model/programs.ts";
import type { ModelMemory, Run, Scenario } from "./model/scenario.ts";
import { ringWord } from "./model/model-words.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const CELLS = 4;
const THREADS = 2;
const model = new Model();

function ringIn({ control, layout }: ModelMemory): Ring {
  return new Ring(control, ringWord(layout), CELLS);
}

function queuesIn({ control, layout, slotsBuffer }: ModelMemory, self: number): JobQueues {
  return new JobQueues(control, layout, new SlotTable(slotsBuffer, layout), self);
}

function drain(ring: Ring): number[] {
  const slots: number[] = [];
  for (let slot = ring.pop(); slot !== EMPTY; slot = ring.pop()) slots.push(slot);
  return slots;
}

function parkWord(run: ModelMemory, w: number): number {
  return run.layout.parkWord + w * LINE_WORDS;
}

function sleeps(run: Run, w: number): boolean {
  return run.blockedOn(w) === parkWord(run, w);
}

/** Nobody can go on: then no job waits, or nobody sleeps who could take it. */
function expectNoneForgotten(run: Run): void {
  if (ringIn(run).isEmpty()) return;
  expect([0, 1].filter((w) => w !== run.killed && sleeps(run, w))).toEqual([]);
}

function scenarioWith(jobs: number, more: Partial<Scenario>, ...flags: number[]): Scenario {
  return {
    threads: [
      ["work", CELLS, ...flags],
      ["work", CELLS, ...flags],
      ["submit", CELLS, jobs],
    ],
    prepare(memory) {
      ringIn(memory).initialize(-1);
      const parking = new Parking(memory.control, memory.layout);
      for (let w = 0; w < THREADS; w++) parking.setBusy(w);
    },
    atRest: expectNoneForgotten,
    atEnd(run) {
      const taken = [...run.logs(0), ...run.logs(1)];
      expect(new Set(taken).size).toBe(taken.length);
      const left = drain(ringIn(run)).length;
      // Whoever was ended may have had one in its hands.
      expect(jobs - taken.length - left).toBeLessThanOrEqual(run.killed < 0 ? 0 : 1);
    },
    ...more,
  };
}

describe("Parking, stepped", { timeout: timeLimit(600_000) }, () => {
  it("mpmc: never all asleep while a job waits", () => {
    expect(model.explore(scenarioWith(1, {}), 2)).toBeGreaterThan(500);
  });

  it("mpmc: nor when a sleep ends by its timeout in between", () => {
    expect(model.explore(scenarioWith(1, { timeouts: 1 }), 1)).toBeGreaterThan(50);
  });

  it("noStarvation: never one asleep while a job waits behind a long one", () => {
    expect(model.explore(scenarioWith(2, {}, 1), 1)).toBeGreaterThan(50);
  });

  it("stress: any schedule, with timeouts", () => {
    expect(model.sample(scenarioWith(3, { timeouts: 2 }), 400)).toBeGreaterThan(0);
    expect(model.sample(scenarioWith(2, { timeouts: 2 }, 1), 400)).toBeGreaterThan(0);
  });

  it("teardown: a thread that is ended anywhere, also with a wake-up it has swallowed, leaves no job behind", () => {
    expect(model.explore(scenarioWith(1, { mortal: [0] }), 1)).toBeGreaterThan(50);
    expect(model.sample(scenarioWith(3, { mortal: [0, 1], timeouts: 2 }), 200)).toBeGreaterThan(0);
  });

  it("a thread in its event loop is woken like one that blocks, and none that waits says that it is busy", () => {
    expect(
      model.explore(
        scenarioWith(1, {
          timeouts: 2,
          always(run) {
            for (let w = 0; w < THREADS; w++) {
              const saysBusy = run.control[parkWord(run, w)] === BUSY;
              expect(saysBusy && sleeps(run, w)).toBe(false);
            }
          },
        }),
        1,
      ),
    ).toBeGreaterThan(50);
  });

  /** No place was ever used when the job is submitted, and threads start in all of them. */
  function newcomers(counted: 1 | 2): Scenario {
    const usual = scenarioWith(1, {}, 0, 0, counted);
    return {
      ...usual,
      prepare(memory) {
        ringIn(memory).initialize(-1);
        new Places(memory.control, memory.layout).initialize(THREADS);
      },
    };
  }

  it("a thread in a place that was never used before is not overlooked (places.ts P1)", () => {
    expect(model.explore(newcomers(1), 2)).toBeGreaterThan(100);
  });

  it("the model finds a thread whose place is counted in only when it sleeps", () => {
    expect(() => model.explore(newcomers(2), 2)).toThrow(/schedule: /);
  });

  function lateAsleep(): Scenario["fault"] & object {
    const from = model.layout.parkWord;
    return { operation: "store", from, to: from + THREADS * LINE_WORDS, value: 3, until: "wait" };
  }

  it("the model finds a thread that says that it sleeps after its last search", () => {
    expect(() => model.explore(scenarioWith(1, { fault: lateAsleep() }), 2)).toThrow(/schedule: /);
    expect(() => model.sample(scenarioWith(1, { fault: lateAsleep() }), 5000, 1)).toThrow(
      /seed \d+, schedule: /,
    );
  });

  it("the model finds a thread that runs a job as if it still searched", () => {
    expect(() => model.explore(scenarioWith(2, {}, 1, 1), 1)).toThrow(/schedule: /);
  });

  /** Thread 0 submits from inside a job; its jobs wait in its deque until thread 1 steals them. */
  function forkScenario(more: Partial<Scenario>): Scenario {
    return {
      threads: [
        ["forkAndStay", 4, 5],
        ["work", ALL_QUEUES, 0, 0],
      ],
      prepare(memory) {
        const queues = queuesIn(memory, NO_THREAD);
        queues.initialize(-1);
        for (let w = 0; w < THREADS; w++) queues.prepareDeque(w);
        const parking = new Parking(memory.control, memory.layout);
        for (let w = 0; w < THREADS; w++) parking.setBusy(w);
      },
      atRest(run) {
        expect([queuesIn(run, 1).isEmpty(), sleeps(run, 1)]).toEqual([true, true]);
      },
      atEnd(run) {
        expect(run.logs(1)).toEqual([4, 5]);
      },
      ...more,
    };
  }

  it("nobody sleeps while a job waits in the deque of a thread that is busy", () => {
    expect(model.explore(forkScenario({}), 2)).toBeGreaterThan(300);
    expect(model.sample(forkScenario({ timeouts: 2 }), 300)).toBeGreaterThan(0);
  });

  it("the model finds a thread that says that it sleeps after its last look into the deques", () => {
    expect(() => model.explore(forkScenario({ fault: lateAsleep() }), 2)).toThrow(/schedule: /);
  });

  /** The host posts to a thread without jobs. */
  function mailScenario(messages: number, more: Partial<Scenario>, ...wrong: number[]): Scenario {
    return {
      threads: [
        ["takeMail", ...wrong],
        ["postMail", messages],
      ],
      prepare(memory) {
        new Parking(memory.control, memory.layout).setBusy(0);
      },
      atRest(run) {
        expect(run.logs(0).reduce((sum, n) => sum + n, 0)).toBe(messages);
        expect(sleeps(run, 0)).toBe(true);
      },
      ...more,
    };
  }

  it("P4 no thread sleeps with messages that it was to take, also when a sleep ends by its timeout", () => {
    expect(model.explore(mailScenario(2, {}), 3)).toBeGreaterThan(100);
    expect(model.explore(mailScenario(2, { timeouts: 1 }), 2)).toBeGreaterThan(100);
    expect(model.sample(mailScenario(3, { timeouts: 2 }), 300)).toBeGreaterThan(0);
  });

  it("the model finds a thread that looks for mail before it says that it sleeps, and not after", () => {
    expect(() => model.explore(mailScenario(1, {}, 1), 2)).toThrow(/schedule: /);
  });

  it("the model finds a thread that takes the mail word after the messages", () => {
    expect(() => model.explore(mailScenario(2, {}, 0, 1), 2)).toThrow(/schedule: /);
  });

  /** The host submits exclusive jobs; threads may take them only from their second look on. */
  function exclusiveScenario(
    threads: number,
    jobs: readonly number[],
    more: Partial<Scenario>,
    late = 0,
  ): Scenario {
    const workers = Array.from({ length: threads }, (_, i) => i);
    return {
      threads: [...workers.map(() => ["workWithin", late] as const), ["submitExclusive", ...jobs]],
      prepare(memory) {
        const queues = queuesIn(memory, NO_THREAD);
        queues.initialize(-1);
        for (const w of workers) queues.prepareDeque(w);
        const parking = new Parking(memory.control, memory.layout);
        for (const w of workers) parking.setBusy(w);
      },
      atRest(run) {
        expect(queuesIn(run, NO_THREAD).isExclusiveEmpty()).toBe(true);
      },
      atEnd(run) {
        expect(workers.flatMap((w) => run.logs(w)).toSorted((a, b) => a - b)).toEqual(jobs);
      },
      ...more,
    };
  }

  it("P5 an exclusive job is never lost while a thread that may take it sleeps", () => {
    expect(model.explore(exclusiveScenario(1, [0], {}), 2)).toBeGreaterThan(50);
    expect(model.explore(exclusiveScenario(2, [0], {}), 1)).toBeGreaterThan(50);
    expect(model.explore(exclusiveScenario(1, [0], { timeouts: 1 }), 1)).toBeGreaterThan(50);
    expect(model.sample(exclusiveScenario(2, [0, 1], { timeouts: 2 }), 300)).toBeGreaterThan(0);
  });

  it("the model finds a thread that tells what it may take after its last search", () => {
    expect(() => model.explore(exclusiveScenario(1, [0], {}, 1), 2)).toThrow(/schedule: /);
  });

  /** The host hands a job to a thread that begins an exclusive one. */
  function handingScenario(more: Partial<Scenario>, careless = 0, hasty = 0): Scenario {
    return {
      threads: [
        ["beginExclusive", careless],
        ["handJob", hasty],
      ],
      prepare: ({ control, layout }) => new Parking(control, layout).setBusy(0),
      atEnd(run) {
        // It has the job in time, or the host has kept it.
        expect(run.killed === 0 || run.logs(0)[0] === run.logs(1)[0]).toBe(true);
      },
      ...more,
    };
  }

  it("P6 no job is handed to a thread that does not hear of it before its exclusive job", () => {
    expect(model.explore(handingScenario({}), Infinity)).toBeGreaterThan(20);
    expect(model.explore(handingScenario({ mortal: [0] }), Infinity)).toBeGreaterThan(50);
  });

  it("the model finds a host that does not say that it hands over, and a thread that does not wait for it", () => {
    expect(() => model.explore(handingScenario({}, 0, 1), 2)).toThrow(/schedule: /);
    expect(() => model.explore(handingScenario({}, 1, 0), 2)).toThrow(/schedule: /);
  });
});
