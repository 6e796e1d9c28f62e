/**
 * Timers and the clock as they were when this package was loaded. Fake timers replace the global ones, jsdom's give numbers: what keeps the pool
 * alive must not depend on either. Whatever the pool itself waits for goes through here.
 */
import timers from "node:timers";

const captured = { ...timers };
const clock: { now(): number } =
  globalThis.performance ?? process.getBuiltinModule("node:perf_hooks").performance;

export const setTimeout: typeof timers.setTimeout = captured.setTimeout;
export const clearTimeout: typeof timers.clearTimeout = captured.clearTimeout;
export const setInterval: typeof timers.setInterval = captured.setInterval;
export const clearInterval: typeof timers.clearInterval = captured.clearInterval;
export const setImmediate: typeof timers.setImmediate = captured.setImmediate;
export const clearImmediate: typeof timers.clearImmediate = captured.clearImmediate;
/** Some test environments hide it. */
export const queueMicrotask: (callback: () => void) => void =
  globalThis.queueMicrotask ?? ((step) => void Promise.resolve().then(step));
/**
 * One that is never called, to be kept where turns of the event loop follow each other: see TaskJob.kept. What V8 would throw away is Node's own
 * code.
 */
export function idleImmediate(): NodeJS.Immediate {
  const immediate = setImmediate(() => {});
  clearImmediate(immediate);
  return immediate;
}
/** In milliseconds since the process started: `performance.now`. */
export const now: () => number = clock.now.bind(clock);
