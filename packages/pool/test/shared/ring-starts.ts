/** Positions at which a ring of four cells begins: next to each of its wrap-arounds. */
export const RING_STARTS: readonly (readonly [name: string, position: number])[] = [
  ["0", 0],
  ["2^31", 2 ** 31 - 2],
  ["2^32", -2],
  ["the end of the laps", 4 * 2 ** 15 - 2],
];
