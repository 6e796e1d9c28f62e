import { describe, expect, it } from "vitest";
import {
  createLayout,
  INLINE_BYTES,
  LINE_WORDS,
  PRIORITIES,
  ringBase,
  SLOT_WORDS,
} from "../../src/shared/layout.ts";

describe("createLayout", () => {
  for (const [capacity, threads] of [
    [4, 1],
    [64, 3],
    [65_536, 32],
  ] as const) {
    it(`gives every part cache lines of its own: ${capacity} slots, ${threads} threads`, () => {
      const layout = createLayout(capacity, threads);
      const parts: [name: string, from: number, words: number][] = [
        ["inbox", layout.inboxWord, LINE_WORDS],
        ["bell", layout.bellWord, LINE_WORDS],
        ...PRIORITIES.map((name, i): [string, number, number] => [
          name,
          ringBase(layout.ringCells, i),
          2 * LINE_WORDS + layout.ringCells,
        ]),
        ["parking", layout.parkWord, threads * LINE_WORDS],
        ["returned", layout.returnedWord, threads * LINE_WORDS],
      ];
      let end = 0;
      for (const [name, from, words] of parts) {
        expect([name, from >= end, from % LINE_WORDS]).toEqual([name, true, 0]);
        end = from + words;
      }
      expect(end * 4).toBe(layout.controlBytes);
      expect(layout.slotsBytes).toBe(capacity * SLOT_WORDS * 4);
    });
  }

  it("keeps a slot at whole cache lines with 192 bytes inline", () => {
    expect(SLOT_WORDS % LINE_WORDS).toBe(0);
    expect(INLINE_BYTES).toBe(192);
  });
});
