import { describe, expect, it } from "vitest";
import { timeLimit } from "../../../../../test/support/time-limit.ts";
import { Model } from "../model/model.ts";
import { CLOSE, LOOKED, OPEN } from "../model/programs.ts";
import type { Run, Scenario } from "../model/scenario.ts";

const READER = 1;
const model = new Model();

/** After each look: every slice that was begun so far is a record that was read once, or open, and none is both. */
function expectWhole(run: Run): void {
  const read: number[] = [];
  let open: number[] = [];
  for (const value of run.logs(READER)) {
    if (value > 0) read.push(value);
    else if (value < LOOKED) open.push(LOOKED - value);
    else {
      const seen = [...read, ...open].toSorted((a, b) => a - b);
      expect(seen).toEqual(seen.map((_, i) => i + 1));
      open = [];
    }
  }
}

function scenario(moves: readonly number[], hasty = 0): Scenario {
  return {
    threads: [
      ["writeTrace", ...moves],
      ["readTraceAlong", 2, hasty],
    ],
    prepare: () => {},
    mortal: [0],
    atEnd: expectWhole,
  };
}

describe("TraceLog, stepped", { timeout: timeLimit(600_000) }, () => {
  it("whoever reads along misses no slice and sees none twice, also when its thread is ended anywhere", () => {
    expect(model.explore(scenario([OPEN, OPEN, CLOSE, CLOSE, OPEN, CLOSE]), 2)).toBeGreaterThan(50);
  });

  it("the model finds a reader that takes what is open from another moment than the records", () => {
    expect(() => model.explore(scenario([OPEN, CLOSE], 1), 3)).toThrow(/schedule: /);
  });
});

/** No line is torn, and none comes twice or late. */
function notes(lines: number, hasty = 0): Scenario {
  return {
    threads: [
      ["writeNotes", lines],
      ["readNotesAlong", 3, hasty],
    ],
    prepare: () => {},
    mortal: [0],
    atEnd(run) {
      const read = run.logs(READER).filter((value) => value !== LOOKED);
      expect(read).toEqual([...new Set(read)].filter((number) => number > 0).toSorted((a, b) => a - b));
    },
  };
}

describe("NoteLog, stepped", { timeout: timeLimit(600_000) }, () => {
  it("whoever reads along sees whole lines, in order, each once, also when the thread is ended anywhere", () => {
    expect(model.explore(notes(1), 2)).toBeGreaterThan(5);
    expect(model.explore(notes(5), 2)).toBeGreaterThan(50);
  });

  it("the model finds a reader that does not keep clear of what is being written", () => {
    expect(() => model.explore(notes(5, 1), 2)).toThrow(/schedule: /);
  });
});
