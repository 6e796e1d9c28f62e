/**
 * Where everything lies in the two fixed SharedArrayBuffers of a pool. Pure arithmetic: no state, no atomics.
 *
 *   control   | inbox | bell | rings: high, normal, low | parking: one line a thread | returned: one line a thread |
 *   slots     | slot 0: 64 bytes of header, 192 of payload | slot 1 | …
 *
 * Words that different threads write lie on different cache lines (64 bytes, 16 words).
 */

/** 32-bit words of a cache line. */
export const LINE_WORDS = 16;
export const SLOT_WORDS = 64;
export const SLOT_HEADER_WORDS = 16;
/** What fits into a slot; more goes to the arena. */
export const INLINE_BYTES: number = (SLOT_WORDS - SLOT_HEADER_WORDS) * 4;
/** Job priorities, in the order in which a thread looks: the index of the ring. */
export const PRIORITIES = ["high", "normal", "low"] as const;

export interface Layout {
  readonly capacitySlots: number;
  readonly maxThreads: number;
  /** Word offsets into the control buffer. */
  readonly inboxWord: number;
  readonly bellWord: number;
  readonly parkWord: number;
  readonly returnedWord: number;
  readonly controlBytes: number;
  readonly slotsBytes: number;
  /**
   * Cells of each ring: twice the slots, so that entries of withdrawn jobs rarely fill it. They can: each withdrawal leaves
   * one until a thread comes by.
   */
  readonly ringCells: number;
}

/** @param capacitySlots A power of two, 4 to 65 536. */
export function createLayout(capacitySlots: number, maxThreads: number): Layout {
  const ringCells = capacitySlots * 2;
  const inboxWord = 0;
  const bellWord = LINE_WORDS;
  const parkWord = ringBase(ringCells, PRIORITIES.length);
  const returnedWord = parkWord + maxThreads * LINE_WORDS;
  return {
    capacitySlots,
    maxThreads,
    inboxWord,
    bellWord,
    parkWord,
    returnedWord,
    controlBytes: (returnedWord + maxThreads * LINE_WORDS) * 4,
    slotsBytes: capacitySlots * SLOT_WORDS * 4,
    ringCells,
  };
}

/** First word of a ring: a line for its tail, a line for its head, then its cells, at least a line of them. */
export function ringBase(ringCells: number, priority: number): number {
  return 2 * LINE_WORDS + priority * (2 * LINE_WORDS + Math.max(ringCells, LINE_WORDS));
}
