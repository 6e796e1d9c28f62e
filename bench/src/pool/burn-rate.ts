/** How long a step of `burn` takes on this machine, alone: the unit of useful work. */
import { burn } from "../jobs/work.mjs";

const STEPS = 8_000_000;
const TRIES = 15;

/** Steps per millisecond: of the fastest try, which nothing has disturbed. */
export function stepsPerMs(): number {
  let fastest = Infinity;
  for (let i = 0; i < TRIES; i++) {
    const started = performance.now();
    burn(STEPS + (i & 1));
    fastest = Math.min(fastest, performance.now() - started);
  }
  return STEPS / fastest;
}
