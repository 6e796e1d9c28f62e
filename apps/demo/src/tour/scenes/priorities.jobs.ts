/** Keeps its thread until the word is no longer 0. */
export function hold(gate: Int32Array): void {
  Atomics.wait(gate, 0, 0);
}

/** @param order its first word counts; the others are numbered in the order in which they run. */
export function takeNumber(order: Int32Array, index: number, ms: number): void {
  order[index + 1] = Atomics.add(order, 0, 1) + 1;
  for (const end = performance.now() + ms; performance.now() < end;);
}
