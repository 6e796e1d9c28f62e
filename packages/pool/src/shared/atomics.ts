/**
 * The only file that names `Atomics`. Every operation is sequentially consistent (ECMA-262 §29, memory model);
 * JavaScript has nothing weaker. The seam is here so that model tests can replace it and step threads one
 * operation at a time. Callers tag each use with the pairing it takes part in: `// [P1]`.
 */

// As they were when this module was loaded. The built-ins themselves, not functions around them: hot paths call them by the dozen.
export const load: (words: Int32Array, index: number) => number = Atomics.load;
export const store: (words: Int32Array, index: number, value: number) => void = Atomics.store;
export const exchange: (words: Int32Array, index: number, value: number) => number = Atomics.exchange;
/** Adds and returns the value before. */
export const add: (words: Int32Array, index: number, value: number) => number = Atomics.add;
const { compareExchange, wait: block, waitAsync: blockAsync, notify: wakeAll } = Atomics;

/** Compare and swap: whether the word was `expected` and is now `value`. */
export function cas(words: Int32Array, index: number, expected: number, value: number): boolean {
  return compareExchange(words, index, expected, value) === expected;
}

/** Blocks this thread while the word is `value`. 'ok': notified. 'not-equal': no need to sleep. 'timed-out'. */
export function wait(
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
): "ok" | "not-equal" | "timed-out" {
  return block(words, index, value, timeoutMs);
}

/** A promise of the same, or null when the word is not `value` and there is nothing to wait for. */
export function waitAsync(words: Int32Array, index: number, value: number): Promise<unknown> | null {
  const result = blockAsync(words, index, value);
  return result.async ? result.value : null;
}

/** Wakes every waiter of the word: there is one at most, and a stale one must not eat the wake-up (hazard H3). */
export function notify(words: Int32Array, index: number): void {
  wakeAll(words, index);
}

const hardwarePause = (Atomics as { pause?: (iterations?: number) => void }).pause;

/** Tells the processor that this is a spin loop; a no-op before Node 24. */
export const pause: () => void = hardwarePause === undefined ? () => {} : () => hardwarePause.call(Atomics);

/** Blocks this thread for so many milliseconds. */
export function sleep(ms: number): void {
  block(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
