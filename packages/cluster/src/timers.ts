/** Timers and clocks as they were when this package was loaded: fake timers replace the global ones, and deadlines have to end all the same. */
import timers from "node:timers";

const captured = { ...timers };

export const setTimeout: typeof timers.setTimeout = captured.setTimeout;
export const clearTimeout: typeof timers.clearTimeout = captured.clearTimeout;
export const setInterval: typeof timers.setInterval = captured.setInterval;
export const clearInterval: typeof timers.clearInterval = captured.clearInterval;
export const setImmediate: typeof timers.setImmediate = captured.setImmediate;
export const nextTick: typeof process.nextTick = process.nextTick.bind(process);

/** In milliseconds; nobody can set it. */
export const now: () => number = performance.now.bind(performance);
