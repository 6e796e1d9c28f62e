/** Timers, microtasks and the clock as they were when this package was loaded: fake timers replace the global ones. */
import timers from "node:timers";

const captured = { ...timers };
const clock: { now(): number } = performance;

export const setTimeout: typeof timers.setTimeout = captured.setTimeout;
export const clearTimeout: typeof timers.clearTimeout = captured.clearTimeout;
export const setImmediate: typeof timers.setImmediate = captured.setImmediate;
export const queueMicrotask: (callback: () => void) => void = globalThis.queueMicrotask;
/** `performance.now`. */
export const now: () => number = clock.now.bind(clock);

/** The clock, read once for all that comes before the next microtask: results that arrive together have arrived at one time. */
export class TurnClock {
  #at = 0;
  readonly #forget = (): void => {
    this.#at = 0;
  };

  now(): number {
    if (this.#at === 0) {
      this.#at = now();
      queueMicrotask(this.#forget);
    }
    return this.#at;
  }
}
