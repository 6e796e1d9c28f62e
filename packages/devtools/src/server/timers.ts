/** As they are when this package is loaded: fake timers of a test must not hold the window up. */
import timers from "node:timers";

const captured = { ...timers };

export const setInterval: typeof timers.setInterval = captured.setInterval;
export const clearInterval: typeof timers.clearInterval = captured.clearInterval;
