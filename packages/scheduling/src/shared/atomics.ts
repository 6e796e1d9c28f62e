/**
 * The only file that names `Atomics`. Every operation is sequentially consistent (ECMA-262 §29, memory model). Callers tag
 * each use with the pairing it takes part in: `// [P1]`.
 */

export function load(words: Int32Array, index: number): number {
  return Atomics.load(words, index);
}

export function store(words: Int32Array, index: number, value: number): void {
  Atomics.store(words, index, value);
}

/** Compare and swap: whether the word was `expected` and is now `value`. */
export function cas(words: Int32Array, index: number, expected: number, value: number): boolean {
  return Atomics.compareExchange(words, index, expected, value) === expected;
}

/** Adds and returns the value before. */
export function add(words: Int32Array, index: number, value: number): number {
  return Atomics.add(words, index, value);
}

/** Sets bits and returns the value before. */
export function or(words: Int32Array, index: number, value: number): number {
  return Atomics.or(words, index, value);
}

/** Blocks this thread while the word is `value`. */
export function wait(
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
): "ok" | "not-equal" | "timed-out" {
  return Atomics.wait(words, index, value, timeoutMs);
}

/** A promise of the same, or null when the word is not `value` and there is nothing to wait for. */
export function waitAsync(words: Int32Array, index: number, value: number): Promise<unknown> | null {
  const result = Atomics.waitAsync(words, index, value);
  return result.async ? result.value : null;
}

/** Wakes every waiter of the word: an asynchronous wait that was given up must not eat the wake-up of another. */
export function notify(words: Int32Array, index: number): void {
  Atomics.notify(words, index);
}
