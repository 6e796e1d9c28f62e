/** Timers as they were when this package was loaded: fake timers replace the global ones, and calls have to run out of time all the same. */
import timers from "node:timers";

const captured = { ...timers };

export const setTimeout: typeof timers.setTimeout = captured.setTimeout;
export const clearTimeout: typeof timers.clearTimeout = captured.clearTimeout;
export const queueMicrotask: (callback: () => void) => void = globalThis.queueMicrotask;
