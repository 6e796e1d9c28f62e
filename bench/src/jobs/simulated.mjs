/** What the simulation is compared with: jobs of a given length, and one that divides itself. */
import { fork } from "@skein/pool/worker";

export function echo(value) {
  return value;
}

/** Holds its thread: words are [go on, has begun, is over]. */
export function hold(gate, times) {
  Atomics.store(gate, 1, 1);
  Atomics.wait(gate, 0, 0);
  times[0] = performance.now();
}

export function stamp(gate, times) {
  times[1] = performance.now();
  Atomics.store(gate, 2, 1);
  Atomics.notify(gate, 2);
}

/** Runs for so many microseconds. */
export function compute(us) {
  if (us === 0) return 0;
  const until = performance.now() + us / 1000;
  while (performance.now() < until);
  return us;
}

export function divide(depth, us) {
  if (depth === 0) return compute(us);
  const half = fork(divide, depth - 1, us);
  const other = divide(depth - 1, us);
  return half.join() + other;
}

/** How long dividing takes, in milliseconds. */
export function divided(depth, us) {
  const started = performance.now();
  divide(depth, us);
  return performance.now() - started;
}
