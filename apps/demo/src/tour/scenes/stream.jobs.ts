/** A job that gives its results piece by piece. */

/** @param counter at 0 how many it has made; at 1 that its `finally` ran. */
// tour: begin
export function* rows(counter: Int32Array): Generator<string> {
  try {
    for (;;) yield `row ${Atomics.add(counter, 0, 1) + 1}`;
  } finally {
    Atomics.store(counter, 1, 1);
  }
}
// tour: end

export function add(a: number, b: number): number {
  return a + b;
}
