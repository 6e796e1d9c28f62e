let last = 0;

/** No other pool of this thread has it. From 1. */
export function newPoolId(): number {
  return ++last;
}
