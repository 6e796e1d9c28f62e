/** How event-loop delays are drawn, in the terminal and in the browser: in eight levels, each but the first twice the one before. */
export const DELAY_LEVELS = 8;

/** 0 below a millisecond, 7 from 64 on. */
export function delayLevel(ms: number): number {
  return ms < 1 ? 0 : Math.min(DELAY_LEVELS - 1, 1 + Math.floor(Math.log2(ms)));
}
