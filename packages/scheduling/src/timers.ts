/**
 * Where time and turns come from.
 *
 * What this package needs for itself (its queues, message loops, faults that nobody observed) runs on Node's own timers and clock as
 * they were when this file was loaded: fake timers and whatever else replaces the globals later do not reach it.
 *
 * Time that the user has asked for, in milliseconds, runs on the global `setTimeout` of the moment of the call: fake timers steer it.
 * A timer is ended by the `clearTimeout` that was there when it began, and may be a number, as in browsers.
 */

import * as timers from "node:timers";
import { AsyncScope } from "@skein/context";

const { setTimeout, clearTimeout } = timers;

export const { setImmediate, setInterval, clearInterval } = timers;

export const queueMicrotask: (callback: () => void) => void =
  globalThis.queueMicrotask ?? ((step) => void Promise.resolve().then(step));

/** Some test environments hide it. */
const clock: { now(): number } =
  globalThis.performance ?? process.getBuiltinModule("node:perf_hooks").performance;

/** Milliseconds of a clock that only goes forward. */
export const now: () => number = clock.now.bind(clock);

export const nextTick: (callback: () => void) => void = process.nextTick.bind(process);

/** A timer that the user has asked for. */
export interface Timer {
  readonly id: unknown;
  readonly clear: (id: never) => void;
}

/** Starts a timer that keeps nobody's context alive. */
export function startTimer<S>(callback: (state: S) => void, ms: number, state: S): Timer {
  return AsyncScope.root.run(start<S>, callback, ms, state);
}

function start<S>(callback: (state: S) => void, ms: number, state: S): Timer {
  const isThere =
    typeof globalThis.setTimeout === "function" && typeof globalThis.clearTimeout === "function";
  return isThere
    ? { clear: globalThis.clearTimeout, id: globalThis.setTimeout(callback, ms, state) }
    : { clear: clearTimeout, id: setTimeout(callback, ms, state) };
}

export function stopTimer(timer: Timer | undefined): void {
  if (timer === undefined) return;
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the `setTimeout` beside it has given.
    (0, timer.clear)(timer.id as never);
  } catch {
    // A `clearTimeout` of somebody's. What the timer was for has ended all the same.
  }
}

/** Lets the process end before the timer does; a timer that cannot do that holds nothing up. */
export function unrefTimer(timer: Timer): void {
  const { id } = timer;
  if (typeof id === "object" && id !== null && "unref" in id && typeof id.unref === "function") id.unref();
}
