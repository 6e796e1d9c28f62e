let last = 0;

/** Names a pool, of whatever engine, in `skein:thread:*`: no other pool of this thread has it. From 1. */
export function newPoolId(): number {
  return ++last;
}
