/**
 * The timers and the clock that Node had when this module was loaded. Copies: the imports are bindings that
 * `syncBuiltinESMExports` changes.
 */
import { clearTimeout, setImmediate, setTimeout } from "node:timers";

export const startNodeTimer: (callback: () => void, ms: number) => NodeJS.Timeout = setTimeout;
export const stopNodeTimer: (timer: NodeJS.Timeout | undefined) => void = clearTimeout;
export const nextTurn: (callback: () => void) => unknown = setImmediate;

/** Some test environments hide it. */
const clock: { now(): number } =
  globalThis.performance ?? process.getBuiltinModule("node:perf_hooks").performance;

/** To know another one by; `nodeNow` is the same, to be called. */
export const nodePerformanceNow: unknown = Reflect.get(clock, "now");
export const nodeNow: () => number = clock.now.bind(clock);
