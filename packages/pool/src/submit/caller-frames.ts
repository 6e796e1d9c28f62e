/**
 * The stack frames of whoever submitted a job, for the stack of the error it may end with. Capturing costs about as much as
 * the rest of a submission, so it is rationed: the first 256 jobs of each 100 ms have their frames, which is every job of a
 * program that does not submit more than 2 560 a second. Behind a burst that goes on without a pause, up to 15 more jobs have none.
 */
import { appendFrames, framesIn, stackOf } from "../codec/stack-text.ts";
import { Error, getOwnPropertyDescriptor, reflectSet } from "../shared/intrinsics.ts";
import { now } from "../shared/timers.ts";

const PER_INTERVAL = 256;
const INTERVAL_MS = 100;
const LOOK_MASK = 15;
const FRAMES = 8;

/** Some environments hide it. */
// oxlint-disable-next-line typescript/unbound-method -- it does not look at `this`
const captureStackTrace = Error.captureStackTrace as typeof Error.captureStackTrace | undefined;

export interface CallerFrames {
  /** "Error\n    at …", formatted when first read: by V8, or by the program's `Error.prepareStackTrace`, which may return anything. */
  readonly stack?: unknown;
}

export class Frames implements CallerFrames {
  declare readonly stack?: unknown;

  /** Of no caller, and always there: see TaskJob.kept. Without a frame: frames hold whoever has loaded this file. */
  static readonly kept: Frames = new Frames();

  static {
    const limit = getOwnPropertyDescriptor(Error, "stackTraceLimit")?.value as unknown;
    if (captureStackTrace !== undefined && typeof limit === "number" && setLimit(0)) {
      captureStackTrace(Frames.kept);
      setLimit(limit);
    }
  }
}

/** Of the ration. Below 0: so many more have asked. */
let left = 0;
let startedAt = -Infinity;

/** Whether the ration is used up. A burst that has done so looks at the clock with its first job and with every 16th: reading it costs. */
function isUsedUp(isFirst: boolean): boolean {
  if (left-- > 0) return false;
  if (!isFirst && (left & LOOK_MASK) !== LOOK_MASK) return true;
  const at = now();
  if (at - startedAt < INTERVAL_MS) return true;
  startedAt = at;
  left = PER_INTERVAL - 1;
  return false;
}

/** Whether few jobs were submitted lately. */
export function areFramesLeft(): boolean {
  return left > 0;
}

/**
 * Runs no code of the program. Null when the ration is used up.
 * @param below The frames above this function, and it itself, are ours and left out.
 * @param isFirst Whether no other job of the thread is outstanding.
 */
export function captureCallerFrames(
  below: (...args: never[]) => unknown,
  isFirst: boolean,
): CallerFrames | null {
  if (captureStackTrace === undefined || isUsedUp(isFirst)) return null;
  const frames = new Frames();
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
