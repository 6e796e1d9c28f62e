/**
 * The stack frames of whoever submitted a job, for the stack of the error it may end with. Capturing costs about as much as
 * the rest of a submission, so it is rationed: the first 256 jobs of each 100 ms have their frames, which is every job of a
 * program that does not submit more than 2 560 a second.
 */
const PER_INTERVAL = 256;
const INTERVAL_MS = 100;
const FRAMES = 8;

export interface CallerFrames {
  /** "Error\n    at …", formatted by V8 when first read. */
  readonly stack: string;
}

let left = PER_INTERVAL;

/** @param below The frames above this function, and it itself, are ours and left out. */
export function captureCallerFrames(below: (...args: never[]) => unknown): CallerFrames | null {
  if (left === 0) return null;
  if (left-- === PER_INTERVAL) {
    setTimeout(() => {
      left = PER_INTERVAL;
    }, INTERVAL_MS).unref();
  }
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.min(limit, FRAMES);
  const frames = {} as CallerFrames;
  Error.captureStackTrace(frames, below);
  Error.stackTraceLimit = limit;
  return frames;
}

/** The lines alone, for `fromWire`. */
export function frameLines(frames: CallerFrames | null): string | undefined {
  if (frames === null) return undefined;
  const lines = frames.stack.split("\n").slice(1).join("\n");
  return lines === "" ? undefined : lines;
}
