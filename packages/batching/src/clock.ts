import { AsyncScope } from "@skein/context";

/** Time, as consumers made from now on see it. A seam for tests: index.ts does not export it. */
export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number;
  startTimer(callback: () => void, ms: number): unknown;
  stopTimer(timer: unknown): void;
}

/** The globals are looked up at each call, so that the fake timers of test frameworks work for users too. */
const systemClock: Clock = {
  now: () => performance.now(),
  // A timer keeps the context of its creation; the pusher's must not be pinned.
  startTimer: (callback, ms) => AsyncScope.root.run(startGlobalTimer, callback, ms),
  stopTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

function startGlobalTimer(callback: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(callback, ms);
}

let current: Clock = systemClock;

export function currentClock(): Clock {
  return current;
}

/** Until disposed, new consumers live by `clock`. */
export function useClock(clock: Clock): Disposable {
  const previous = current;
  current = clock;
  return { [Symbol.dispose]: () => void (current = previous) };
}
