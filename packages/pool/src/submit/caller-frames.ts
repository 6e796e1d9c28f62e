/**
 * The stack frames of whoever submitted a job, for the stack of the error it may end with. Capturing costs about as much as
 * the rest of a submission, so it is rationed: the first 256 jobs of each 100 ms have their frames, which is every job of a
 * program that does not submit more than 2 560 a second.
 */
import { AsyncScope } from "@skein/context";
import { appendFrames, framesIn, stackOf } from "../codec/stack-text.ts";
import { Error, getOwnPropertyDescriptor, reflectSet } from "../shared/intrinsics.ts";
import { setTimeout } from "../shared/timers.ts";

const PER_INTERVAL = 256;
const INTERVAL_MS = 100;
const FRAMES = 8;

/** Some environments hide it. */
// oxlint-disable-next-line typescript/unbound-method -- it does not look at `this`
const captureStackTrace = Error.captureStackTrace as typeof Error.captureStackTrace | undefined;

export interface CallerFrames {
  /** "Error\n    at …", formatted when first read: by V8, or by the program's `Error.prepareStackTrace`, which may return anything. */
  readonly stack?: unknown;
}

let left = PER_INTERVAL;

function refill(): void {
  left = PER_INTERVAL;
}

/**
 * Runs no code of the program. Null when the ration is used up.
 * @param below The frames above this function, and it itself, are ours and left out.
 */
export function captureCallerFrames(below: (...args: never[]) => unknown): CallerFrames | null {
  if (left === 0 || captureStackTrace === undefined) return null;
  if (left-- === PER_INTERVAL) {
    AsyncScope.root.run(setTimeout, refill, INTERVAL_MS).unref();
  }
  const frames: CallerFrames = {};
  const limit = lowerLimit();
  captureStackTrace(frames, below);
  if (limit !== null) setLimit(limit);
  return frames;
}

/** The lines alone, for `fromWire`. Runs the program's formatter; never throws. */
export function frameLines(frames: CallerFrames | null): string | undefined {
  if (frames === null) return undefined;
  const stack = stackOf(frames, "Error");
  if (stack === undefined) return undefined;
  const lines = framesIn(stack);
  return lines === "" ? undefined : lines;
}

/** The same error, with the frames of whoever submitted the job below its own. Never throws. */
export function withCallerFrames<E extends object>(error: E, frames: CallerFrames | null): E {
  const lines = frameLines(frames);
  if (lines !== undefined) appendFrames(error, lines);
  return error;
}

/**
 * Fewer frames cost less. A limit that cannot be set, or is none, stays: V8 then captures what it says.
 * @returns what has to be restored; null when nothing was changed.
 */
function lowerLimit(): number | null {
  const limit = getOwnPropertyDescriptor(Error, "stackTraceLimit")?.value;
  return typeof limit === "number" && limit > FRAMES && setLimit(FRAMES) ? limit : null;
}

/** Whether it could be set: it is read-only where Error is frozen. */
function setLimit(limit: number): boolean {
  return reflectSet(Error, "stackTraceLimit", limit);
}
