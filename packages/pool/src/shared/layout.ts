/**
 * Where everything lies in the two fixed SharedArrayBuffers of a pool. Pure arithmetic: no state, no atomics.
 *
 *   control   | inboxes and bells | places | rings: high, normal, low, and the same for exclusive jobs | parking | deques | mailboxes | statistics |
 *   slots     | the host's slots | thread 0's | thread 1's | …     each: 64 bytes of header, 192 of payload
 *
 * Whoever submits is a submitter: 0 is the host, w + 1 is thread w. Each has slots, an inbox and a bell of its own. Words that
 * different threads write lie on different cache lines (64 bytes, 16 words).
 */

import { STATISTICS_WORDS } from "./statistics.ts";

/** 32-bit words of a cache line. */
export const LINE_WORDS = 16;
export const SLOT_WORDS = 64;
export const SLOT_HEADER_WORDS = 16;
/** What fits into a slot; more goes to the arena. */
export const INLINE_BYTES: number = (SLOT_WORDS - SLOT_HEADER_WORDS) * 4;
/** Job priorities, in the order in which a thread looks: the index of the ring. */
export const PRIORITIES = ["high", "normal", "low"] as const;
/** Two for each priority: jobs that share a thread with others, and exclusive ones. */
const RINGS: number = 2 * PRIORITIES.length;
/** Ring cells name a slot with 17 bits, one of them for "none". */
const MAX_SLOTS = (1 << 17) - 1;
const MAX_THREAD_SLOTS = 4096;
const MAX_MAILBOX_CELLS = 1024;

export interface Layout {
  /** Of the host. */
  readonly capacitySlots: number;
  /** Of each thread. */
  readonly threadSlots: number;
  readonly totalSlots: number;
  /** How many threads there can be at once: each has a place, with a parking word, a deque, an inbox and slots of its own. */
  readonly places: number;
  /** Word offsets into the control buffer. */
  readonly inboxWord: number;
  readonly placesWord: number;
  readonly ringWord: number;
  readonly parkWord: number;
  readonly dequeWord: number;
  readonly mailboxWord: number;
  readonly statisticsWord: number;
  readonly controlBytes: number;
  readonly slotsBytes: number;
  /**
   * Cells of each ring: about twice the host's slots, so that entries of withdrawn jobs rarely fill it. They can, each withdrawal
   * leaves one until a thread comes by; so can jobs that threads submit with a priority. A power of two.
   */
  readonly ringCells: number;
  /** Cells of each deque: about twice the slots of a thread; a power of two. */
  readonly dequeCells: number;
  /** Cells of each mailbox: what finds no room there waits with the host. A power of two. */
  readonly mailboxCells: number;
}

/**
 * @param capacitySlots Slots of the host: a power of two, 4 to 32 768.
 * @param threadSlots Slots of each thread, for the jobs that jobs submit; as many as 17 bits leave, by default at most 4 096.
 */
export function createLayout(
  capacitySlots: number,
  places: number,
  threadSlots: number = Math.min(MAX_THREAD_SLOTS, Math.floor((MAX_SLOTS - capacitySlots) / places)),
): Layout {
  const totalSlots = capacitySlots + places * threadSlots;
  const ringCells = powerOfTwo(2 * capacitySlots);
  const dequeCells = powerOfTwo(2 * threadSlots);
  const placesWord = (1 + places) * 2 * LINE_WORDS;
  const ringWord = placesWord + LINE_WORDS;
  const parkWord = ringWord + RINGS * queueWords(ringCells);
  const dequeWord = parkWord + places * LINE_WORDS;
  const mailboxCells = Math.min(MAX_MAILBOX_CELLS, ringCells);
  const mailboxWord = dequeWord + places * queueWords(dequeCells);
  const statisticsWord = mailboxWord + places * queueWords(mailboxCells);
  return {
    capacitySlots,
    threadSlots,
    totalSlots,
    places,
    inboxWord: 0,
    placesWord,
    ringWord,
    parkWord,
    dequeWord,
    mailboxWord,
    statisticsWord,
    controlBytes: (statisticsWord + (1 + places) * STATISTICS_WORDS) * 4,
    slotsBytes: totalSlots * SLOT_WORDS * 4,
    ringCells,
    dequeCells,
    mailboxCells,
  };
}

/** First word of a ring: a line for its tail, a line for its head, then its cells. */
export function ringBase(layout: Layout, priority: number, isExclusive = false): number {
  const ring = isExclusive ? priority + PRIORITIES.length : priority;
  return layout.ringWord + ring * queueWords(layout.ringCells);
}

/** First word of a deque: a line for its top, a line for its bottom, then its cells. */
export function dequeBase(layout: Layout, thread: number): number {
  return layout.dequeWord + thread * queueWords(layout.dequeCells);
}

/** First word of the mailbox of a thread: a ring. */
export function mailboxBase(layout: Layout, thread: number): number {
  return layout.mailboxWord + thread * queueWords(layout.mailboxCells);
}

export function inboxBase(layout: Layout, submitter: number): number {
  return layout.inboxWord + submitter * 2 * LINE_WORDS;
}

/** The first of a submitter's slots. */
export function firstSlot(layout: Layout, submitter: number): number {
  return submitter === 0 ? 0 : layout.capacitySlots + (submitter - 1) * layout.threadSlots;
}

export function slotCount(layout: Layout, submitter: number): number {
  return submitter === 0 ? layout.capacitySlots : layout.threadSlots;
}

/** Whose slot this is. */
export function submitterOf(layout: Layout, slot: number): number {
  return slot < layout.capacitySlots ? 0 : 1 + Math.floor((slot - layout.capacitySlots) / layout.threadSlots);
}

/** Two counters on lines of their own, then whole lines of cells. */
function queueWords(cells: number): number {
  return 2 * LINE_WORDS + Math.max(LINE_WORDS, cells);
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}
