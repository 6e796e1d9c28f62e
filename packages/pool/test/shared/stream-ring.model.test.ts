import { describe, expect, it } from "vitest";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import { messageWord } from "./model/model-words.ts";
import { Model } from "./model/model.ts";
import type { Scenario } from "./model/scenario.ts";

const PRODUCER = 0;
const READER = 1;
const NOBODY = -1;
const model = new Model();

function scenario(
  count: number,
  highWaterMark: number,
  more: Partial<Scenario> = {},
  hasty = [0, 0],
): Scenario {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  return {
    threads: [
      ["stream", count, highWaterMark, hasty[0]!, hasty[2] ?? 0],
      ["readStream", highWaterMark, hasty[1]!],
    ],
    prepare: () => {},
    atRest(run) {
      expect([PRODUCER, READER].map((thread) => run.blockedOn(thread))).toEqual([NOBODY, NOBODY]);
    },
    atEnd(run) {
      expect(run.logs(READER)).toEqual([...numbers, -1]);
    },
    ...more,
  };
}

/** The reader waits for the word ITEMS, not for a link. */
function argument(
  count: number,
  highWaterMark: number,
  more: Partial<Scenario> = {},
  hasty = [0, 0],
): Scenario {
  const threads: Scenario["threads"] = [
    ["pourStream", count, highWaterMark, hasty[0]!],
    ["drinkStream", highWaterMark, hasty[1]!],
  ];
  return { ...scenario(count, highWaterMark, more), threads };
}

describe("a stream, stepped", { timeout: timeLimit(600_000) }, () => {
  it("every item arrives once, in order, then the end; nobody waits for ever", () => {
    expect(model.explore(scenario(2, 1), 1)).toBeGreaterThan(10);
    expect(model.explore(scenario(3, 2), 1)).toBeGreaterThan(10);
  });

  it("stress: any schedule, around the end of the ring", () => {
    expect(model.sample(scenario(7, 2), 25)).toBeGreaterThan(0);
    expect(model.sample(scenario(6, 3), 25)).toBeGreaterThan(0);
  });

  it("a producer that is ended anywhere: what has arrived is in order, and only a message of its end is missing", () => {
    const mortal: Partial<Scenario> = {
      mortal: [PRODUCER],
      atRest(run) {
        const isToldOfExits = run.killed === PRODUCER && run.blockedOn(READER) === messageWord(run.layout);
        expect(isToldOfExits || run.blockedOn(READER) === NOBODY).toBe(true);
      },
      atEnd(run) {
        const seen = run.logs(READER);
        expect(seen).toEqual([1, 2, -1].slice(0, seen.length));
      },
    };
    expect(model.explore(scenario(2, 1, mortal), 1)).toBeGreaterThan(50);
  });

  it("a thread that sleeps in its parking word, while its stream is suspended: the same", () => {
    expect(model.explore(scenario(2, 1, {}, [0, 0, 1]), 1)).toBeGreaterThan(10);
    expect(model.sample(scenario(6, 2, {}, [0, 0, 1]), 25)).toBeGreaterThan(0);
  });

  it("the model finds one that does not look once more before it sleeps", () => {
    expect(() => model.explore(scenario(2, 1, {}, [0, 0, 2]), 2)).toThrow(/schedule: /);
  });

  it("of an argument: every item arrives once, in order, then the end; nobody waits for ever", () => {
    expect(model.explore(argument(2, 1), 2)).toBeGreaterThan(10);
    expect(model.explore(argument(3, 2), 1)).toBeGreaterThan(10);
    expect(model.sample(argument(7, 2), 25)).toBeGreaterThan(0);
  });

  it("of an argument: the model finds whoever does not look once more before it waits", () => {
    expect(() => model.explore(argument(2, 1, {}, [1, 0]), 2)).toThrow(/schedule: /);
    expect(() => model.explore(argument(2, 1, {}, [0, 1]), 2)).toThrow(/schedule: /);
  });

  it("of an argument: a producer that is ended anywhere, and a reader that then hears only of its end", () => {
    const mortal: Partial<Scenario> = {
      mortal: [PRODUCER],
      atRest: () => {},
      atEnd(run) {
        const seen = run.logs(READER);
        expect(seen).toEqual([1, 2, -1].slice(0, seen.length));
      },
    };
    expect(model.explore(argument(2, 1, mortal), 1)).toBeGreaterThan(20);
  });

  it("the model finds a producer that does not look once more before it is suspended", () => {
    expect(() => model.explore(scenario(2, 1, {}, [1, 0]), 2)).toThrow(/schedule: /);
  });

  it("the model finds a reader that does not look once more before it waits", () => {
    expect(() => model.explore(scenario(2, 1, {}, [0, 1]), 2)).toThrow(/schedule: /);
  });
});
