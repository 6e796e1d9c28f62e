/** Words of the model tests behind those of the layout: two small rings, and what stands for messages and exits. */
import { type Layout, LINE_WORDS } from "../../../src/shared/layout.ts";

const RING_WORDS = 3 * LINE_WORDS;

export function ringWord(layout: Layout): number {
  return layout.controlBytes / 4;
}

export function secondRingWord(layout: Layout): number {
  return ringWord(layout) + RING_WORDS;
}

/** Counts the bell messages. */
export function messageWord(layout: Layout): number {
  return ringWord(layout) + 2 * RING_WORDS;
}

/** 0, or 1 + the index of the thread that has ended. */
export function exitWord(layout: Layout): number {
  return messageWord(layout) + 1;
}

/** Nobody ever notifies this one. */
export function foreverWord(layout: Layout): number {
  return messageWord(layout) + 2;
}

export function controlBytes(layout: Layout): number {
  return (messageWord(layout) + LINE_WORDS) * 4;
}
