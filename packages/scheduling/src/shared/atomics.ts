/**
 * The only file that names `Atomics`. Every operation is sequentially consistent (ECMA-262 §29, memory model). Callers tag
 * each use with the pairing it takes part in: `// [P1]`.
 *
 * `load`, `store` and `compareExchange` are the built-ins themselves, taken when this file is loaded: a call enters no JavaScript function,
 * so between them a thread is hardly ever terminated, and nobody who patches `Atomics` later is asked.
 */

export const load: (words: Int32Array, index: number) => number = Atomics.load;

export const store: (words: Int32Array, index: number, value: number) => number = Atomics.store;

/** Sets the word to `value` if it is `expected`, and returns what it was. */
export const compareExchange: (words: Int32Array, index: number, expected: number, value: number) => number =
  Atomics.compareExchange;

/** Adds and returns the value before. */
export const add: (words: Int32Array, index: number, value: number) => number = Atomics.add;

/** Blocks this thread while the word is `value`. */
export const wait: (
  words: Int32Array<SharedArrayBuffer>,
  index: number,
  value: number,
  timeoutMs: number,
) => "ok" | "not-equal" | "timed-out" = Atomics.wait;

const builtinWaitAsync = Atomics.waitAsync;

/** A promise of the same, or null when the word is not `value` and there is nothing to wait for. */
export function waitAsync(
  words: Int32Array<SharedArrayBuffer>,
  index: number,
  value: number,
  timeoutMs: number,
): Promise<unknown> | null {
  const result = builtinWaitAsync(words, index, value, timeoutMs);
  return result.async ? result.value : null;
}

/** Wakes every waiter of the word: an asynchronous wait that was given up must not eat the wake-up of another. */
export const notify: (words: Int32Array, index: number) => number = Atomics.notify;
