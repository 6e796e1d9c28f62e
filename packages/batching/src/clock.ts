/**
 * Two clocks. What a user asked for, `pushIntervalMs`, goes by the global timers of the moment, so that fake timers can steer
 * it. Everything else goes by the timers that Node had when this module was loaded, and nothing can stop it.
 */
import { AsyncScope } from "@skein/context";
import { nodeNow, startNodeTimer, stopNodeTimer } from "./node-time.ts";
import { SteeredTime } from "./steered-time.ts";

export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number;
  startTimer(callback: () => void, ms: number, onLost: () => void): unknown;
  stopTimer(timer: unknown): void;
  /** Whether the timer will never fire: it belongs to fake timers that are gone. */
  isLost(timer: unknown): boolean;
  /** A timer for `at` has fired: it is that late, whatever `now` says. */
  reached(at: number): void;
}

export interface Clocks {
  /** For `pushIntervalMs`. */
  readonly steered: Clock;
  /** For the pause before a batch is tried again. */
  readonly own: Clock;
}

const own: Clock = {
  now: nodeNow,
  startTimer: (callback, ms) => AsyncScope.root.run(startNodeTimer, callback, ms),
  stopTimer: (timer) => stopNodeTimer(timer as NodeJS.Timeout),
  isLost: () => false,
  reached: () => {},
};

let current: Clocks = { steered: new SteeredTime(), own };

export function currentClocks(): Clocks {
  return current;
}

/** Until disposed, new consumers live by `clock` alone. A seam for tests: index.ts does not export it. */
export function useClock(clock: Clock): Disposable {
  const previous = current;
  current = { steered: clock, own: clock };
  return { [Symbol.dispose]: () => void (current = previous) };
}
