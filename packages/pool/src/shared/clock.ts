/**
 * A clock in microseconds that all threads of a process share, for words in shared memory. It is monotonic: nobody can set it, and a machine
 * whose time is corrected measures no nonsense. Its values repeat after 101 days: use `elapsedUs`.
 */

import { now } from "./timers.ts";

/** Bits of a timestamp. */
export const TIMESTAMP_BITS = 43;
const RANGE_US = 2 ** TIMESTAMP_BITS;
const SAMPLES = 200;

// Taken now: programs replace clocks later.
const hrtimeNs = process.hrtime.bigint.bind(process.hrtime);
const offsetUs = clockOffsetUs(0n, 20);

/** Never 0. */
export function timestampUs(): number {
  return Math.floor(offsetUs + now() * 1000) % RANGE_US || 1;
}

/** How long ago that was, if less than 50 days; 0 when the clocks of two threads differ by a microsecond. */
export function elapsedUs(since: number, until: number = timestampUs()): number {
  const elapsed = (until - since + RANGE_US) % RANGE_US;
  return elapsed < RANGE_US / 2 ? elapsed : 0;
}

/**
 * What to add to `performance.now`, in microseconds. It is the clock of `process.hrtime` with a start of its own on each thread, so each
 * pair of readings gives bounds, right to some hundred nanoseconds together. (performance.timeOrigin is no help: it was read from
 * the clock on the wall, another time on each thread.)
 *
 * @param originNs What `process.hrtime` says when the clock is to be 0.
 */
export function clockOffsetUs(originNs: bigint, samples: number = SAMPLES): number {
  let low = -Infinity;
  let high = Infinity;
  for (let i = 0; i < samples; i++) {
    const before = now() * 1000;
    const ns = Number(hrtimeNs() - originNs);
    const after = now() * 1000;
    low = Math.max(low, ns / 1000 - after);
    high = Math.min(high, ns / 1000 - before);
  }
  return (low + high) / 2;
}
