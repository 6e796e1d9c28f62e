/** Positions at which a deque of four cells begins: next to each of its wrap-arounds. */
export const DEQUE_STARTS: readonly (readonly [name: string, position: number])[] = [
  ["0", 0],
  ["2^31", 2 ** 31 - 2],
  ["2^32", -2],
];
