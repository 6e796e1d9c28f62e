/** Deque operations that break a rule of deque.ts, each in one place: to show that the model finds it. */
import { cas, load, store } from "../../../src/shared/atomics.ts";
import { EMPTY } from "../../../src/shared/deque.ts";
import { LINE_WORDS } from "../../../src/shared/layout.ts";

/** A pop that loads TOP before it stores BOTTOM (D2). */
export function hastyPop(words: Int32Array, base: number, cells: number): number {
  const bottom = (words[base + LINE_WORDS]! - 1) | 0;
  const top = load(words, base);
  const left = (bottom - top) | 0;
  if (left < 0) return EMPTY;
  store(words, base + LINE_WORDS, bottom);
  const slot = words[base + 2 * LINE_WORDS + (bottom & (cells - 1))]!;
  if (left > 0) return slot;
  const won = cas(words, base, top, (top + 1) | 0);
  store(words, base + LINE_WORDS, (bottom + 1) | 0);
  return won ? slot : EMPTY;
}

/** A pop that takes the last one without competing for it (I1). */
export function greedyPop(words: Int32Array, base: number, cells: number): number {
  const bottom = (words[base + LINE_WORDS]! - 1) | 0;
  store(words, base + LINE_WORDS, bottom);
  const top = load(words, base);
  if (((bottom - top) | 0) >= 0) return words[base + 2 * LINE_WORDS + (bottom & (cells - 1))]!;
  store(words, base + LINE_WORDS, (bottom + 1) | 0);
  return EMPTY;
}

/** A new owner that begins where every owner began (I1). */
export function beginAgain(words: Int32Array, base: number, start: number): void {
  store(words, base + LINE_WORDS, start);
  store(words, base, start);
}
