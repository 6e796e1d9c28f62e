/** Errors of the engine say which job they are about. */
import { define, hasOwnProperty, indexOfText, sliceText } from "../shared/intrinsics.ts";
import { stackOf } from "./stack-text.ts";

/** A job as it is shown: `area (file:///app/geo.jobs.ts)`; a function that is shipped as its source has no module. */
export function jobLabel(name: string, url?: string): string {
  return url === undefined ? name : `${name} (${url})`;
}

/**
 * The same error, with `job` as a property and at the end of message and stack header. One that names a job already stays as it is.
 * The error must not be shared by several jobs. Never throws.
 */
export function withJob<E extends Error>(error: E, job: string): E {
  if (hasOwnProperty(error, "job")) return error;
  const { message } = error;
  const longer = `${message}. Job: ${job}`;
  define(error, "message", longer, false);
  define(error, "job", job, true);
  // Depending on its version, and on whether somebody has looked, V8 has written the message into the stack already.
  const stack = stackOf(error, `${error.name}: ${longer}`);
  if (stack === undefined || indexOfText(stack, longer) >= 0) return error;
  const at = indexOfText(stack, message);
  if (at < 0) return error;
  define(error, "stack", sliceText(stack, 0, at) + longer + sliceText(stack, at + message.length), false);
  return error;
}
