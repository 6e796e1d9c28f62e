import { describe, expect, it } from "vitest";
import {
  createLayout,
  dequeBase,
  firstSlot,
  inboxBase,
  INLINE_BYTES,
  LINE_WORDS,
  PRIORITIES,
  ringBase,
  SLOT_WORDS,
  slotCount,
  submitterOf,
} from "../../src/shared/layout.ts";
import { STATISTICS_WORDS } from "../../src/shared/statistics.ts";

describe("createLayout", () => {
  for (const [capacity, threads, threadSlots] of [
    [4, 1, undefined],
    [4, 2, 2],
    [64, 3, 5],
    [32_768, 32, undefined],
  ] as const) {
    const name = `${capacity} slots, ${threads} threads with ${threadSlots ?? "as many slots as there can be"}`;
    const layout = createLayout(capacity, threads, threadSlots);
    const submitters = Array.from({ length: threads + 1 }, (_, i) => i);

    it(`gives every part cache lines of its own: ${name}`, () => {
      const parts: [name: string, from: number, words: number][] = [
        ...submitters.map((s): [string, number, number] => [
          `inbox and bell of ${s}`,
          inboxBase(layout, s),
          2 * LINE_WORDS,
        ]),
        ["places", layout.placesWord, LINE_WORDS],
        ...PRIORITIES.map((priority, i): [string, number, number] => [
          priority,
          ringBase(layout, i),
          2 * LINE_WORDS + layout.ringCells,
        ]),
        ["parking", layout.parkWord, threads * LINE_WORDS],
        ...submitters
          .slice(1)
          .map((s): [string, number, number] => [
            `deque of ${s}`,
            dequeBase(layout, s - 1),
            2 * LINE_WORDS + layout.dequeCells,
          ]),
        ["statistics", layout.statisticsWord, submitters.length * STATISTICS_WORDS],
      ];
      let end = 0;
      for (const [part, from, words] of parts) {
        expect([part, from >= end, from % LINE_WORDS]).toEqual([part, true, 0]);
        end = from + words;
      }
      // The last line of cells may not be full.
      expect(Math.ceil(end / LINE_WORDS) * LINE_WORDS * 4).toBe(layout.controlBytes);
    });

    it(`gives every slot one submitter: ${name}`, () => {
      let next = 0;
      for (const submitter of submitters) {
        expect(firstSlot(layout, submitter)).toBe(next);
        const last = (next += slotCount(layout, submitter)) - 1;
        expect(submitterOf(layout, firstSlot(layout, submitter))).toBe(submitter);
        expect(submitterOf(layout, last)).toBe(submitter);
      }
      expect(slotCount(layout, 0)).toBe(capacity);
      expect(next).toBe(layout.totalSlots);
      expect(layout.slotsBytes).toBe(next * SLOT_WORDS * 4);
    });

    it(`has room for twice the slots in each queue, and slot numbers that fit its cells: ${name}`, () => {
      for (const [cells, slots] of [
        [layout.ringCells, capacity],
        [layout.dequeCells, layout.threadSlots],
      ] as const) {
        expect(cells).toBeGreaterThanOrEqual(2 * slots);
        expect(cells).toBeLessThan(4 * slots);
        expect(Math.log2(cells) % 1).toBe(0);
      }
      // slot + 1 in 17 bits (ring.ts).
      expect(layout.totalSlots).toBeLessThan(2 ** 17);
    });
  }

  it("gives a thread 4 096 slots at most, and fewer when there are many threads", () => {
    expect([1, 24, 32, 1024].map((threads) => createLayout(32_768, threads).threadSlots)).toEqual([
      4096, 4095, 3071, 95,
    ]);
  });

  it("keeps a slot at whole cache lines with 192 bytes inline", () => {
    expect(SLOT_WORDS % LINE_WORDS).toBe(0);
    expect(INLINE_BYTES).toBe(192);
  });
});
