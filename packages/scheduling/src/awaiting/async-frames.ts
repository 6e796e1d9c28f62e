/**
 * Stack traces across suspensions. An error that a resumed method is given has the frames of where it was made, and below
 * them the event loop. The waiting method is on the stack at that moment, with the position of its `yield*`: its frames
 * are added as "at async …" lines, as Node does for native async functions. Costs nothing until something fails.
 */
import { isError } from "@skein/context/errors";

/** Marks where the frames of a method end in a stack. */
const DRIVER_FRAME = /\b(?:driveMethod|waitForYielded)\b/;

const MAX_LINES = 100;

// oxlint-disable-next-line typescript/unbound-method -- it does not look at `this`; taken when this file is loaded.
const { captureStackTrace } = Error;

/** Where the frames of an error lead to: the operation through which it left the last method. */
const carriers = new WeakMap<Error, object>();

/** Adds the frames of the method that `error` of `operation` is just being thrown into. Never fails, whatever hooks stack traces. */
export function addAsyncFrames(error: unknown, operation: object): void {
  try {
    if (isError(error)) addFrames(error, operation);
  } catch {
    // Frozen, a getter alone, or an Error.prepareStackTrace that throws: it stays as it was.
  }
}

function addFrames(error: Error, operation: object): void {
  const { stack } = error;
  if (typeof stack !== "string") return;
  const carrier = carriers.get(error);
  // Of several methods that wait for one operation the first is written down; an error is no tree.
  if (carrier !== undefined && carrier !== operation) return;
  const holder: { stack?: string } = {};
  captureStackTrace(holder, addAsyncFrames);
  // An Error.prepareStackTrace may give anything.
  const trace: unknown = holder.stack;
  if (typeof trace !== "string") return;
  const lines = trace.split("\n").slice(1);
  const end = lines.findIndex((line) => DRIVER_FRAME.test(line));
  // The first line is the getter that `yield*` reads.
  const frames = lines.slice(1, Math.max(1, end)).filter(isOfUser);
  if (frames.length === 0) return;
  carriers.set(error, pending);
  const kept = withoutDriver(stack.split("\n"));
  for (const frame of frames) {
    if (kept.length < MAX_LINES) kept.push(frame.replace(/^\s+at (?:async )?/, "    at async "));
  }
  error.stack = kept.join("\n");
}

/** Of a method that was resumed, nothing below the driver is of interest: it is whoever completed the operation. */
function withoutDriver(lines: string[]): string[] {
  const driver = lines.findIndex((line, index) => DRIVER_FRAME.test(line) && isResume(lines[index + 1]));
  return (driver === -1 ? lines : lines.slice(0, driver)).filter(isOfUser);
}

function isResume(line: string | undefined): boolean {
  return line !== undefined && /\b(?:resumeBox|sendOutcome)\b/.test(line);
}

/** V8 shows the call of a generator's own `next` as a frame. */
function isOfUser(line: string): boolean {
  return !/\.(?:next|throw) \(<anonymous>\)$/.test(line);
}

const pending: object = {};

/** `error` leaves a method through `operation`. */
export function noteErrorLeaves(error: unknown, operation: object): void {
  if (!isError(error)) return;
  const carrier = carriers.get(error);
  if (carrier === undefined || carrier === pending) carriers.set(error, operation);
}
