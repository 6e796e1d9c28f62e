/**
 * The only file that names `Atomics`. Every operation is sequentially consistent (ECMA-262 §29, memory model). Callers tag
 * each use with the pairing it takes part in: `// [A1]`.
 */

// As they were when this module was loaded.
export const load: (words: Int32Array, index: number) => number = Atomics.load;
export const store: (words: Int32Array, index: number, value: number) => void = Atomics.store;
export const exchange: (words: Int32Array, index: number, value: number) => number = Atomics.exchange;
const { compareExchange, and, waitAsync: blockAsync, notify: wakeAll } = Atomics;

/** Compare and swap: whether the word was `expected` and is now `value`. */
export function cas(words: Int32Array, index: number, expected: number, value: number): boolean {
  return compareExchange(words, index, expected, value) === expected;
}

/** Clears the bits that are set in `mask`. */
export function clearBits(words: Int32Array, index: number, mask: number): void {
  and(words, index, ~mask);
}

/** A promise that resolves when the word is notified or the time is over; null when it is not `value` already. */
export function waitAsync(
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
): Promise<unknown> | null {
  const result = blockAsync(words, index, value, timeoutMs);
  return result.async ? result.value : null;
}

/** Wakes every waiter of the word: there is one at most. */
export function notify(words: Int32Array, index: number): void {
  wakeAll(words, index);
}
