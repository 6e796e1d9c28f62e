/**
 * The CPU work of a heavy request: mixes 64 KiB over and over, in an order that depends on what was read. A loop in JavaScript, so it
 * matters how it is compiled: on every thread that stays it is in V8's highest tier from the third call on, within the warm-up
 * (`--trace-opt`), and takes the same CPU time everywhere. Piscina by default ends idle threads; what new ones cost is its own.
 */

const WORDS = 16_384;
const block = new Uint32Array(WORDS);

/** The same number for the same seed and steps, on every thread. Allocates nothing, and keeps its thread until it is done. */
export function stretch(seed: number, steps: number): number {
  let state = (seed + 0x9e37_79b9) | 0 || 1;
  for (let i = 0; i < WORDS; i++) {
    state = mix(state);
    block[i] = state;
  }
  for (let i = 0; i < steps; i++) {
    const at = state & (WORDS - 1);
    state = mix(state ^ block[at]!);
    block[at] = state;
  }
  return state >>> 0;
}

/** One step of xorshift32, without its fixed point at zero. */
function mix(state: number): number {
  let x = state | 0 || 1;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x;
}
