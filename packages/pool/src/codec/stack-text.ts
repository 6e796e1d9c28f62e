/**
 * Stacks as text, whoever formats them. `Error.prepareStackTrace` belongs to the program: it runs when a stack is first read, and may
 * throw or return anything.
 */
import { define, execRegExp, indexOfText, isArray, sliceText, String } from "../shared/intrinsics.ts";

const frameLine = /^\s+at /;

/**
 * The stack of `holder` below `header`, if it has one. Call sites, which some formatters return as they are, are formatted as V8 does.
 * Never throws.
 */
export function stackOf(holder: object, header: string): string | undefined {
  try {
    const stack = (holder as { readonly stack?: unknown }).stack;
    if (typeof stack === "string") return stack;
    if (!isArray(stack)) return undefined;
    let text = header;
    for (let i = 0; i < stack.length; i++) text += `\n    at ${String(stack[i])}`;
    return text;
  } catch {
    return undefined;
  }
}

/** The lines of a stack that are frames, without the header; empty when there are none. */
export function framesIn(stack: string): string {
  let frames = "";
  for (let start = 0; start <= stack.length;) {
    const end = indexOfText(stack, "\n", start);
    const line = end < 0 ? sliceText(stack, start) : sliceText(stack, start, end);
    if (execRegExp(frameLine, line) !== null) frames += frames === "" ? line : `\n${line}`;
    start = end < 0 ? stack.length + 1 : end + 1;
  }
  return frames;
}

/** Puts the stack lines of the call that submitted a job below the error's own, so that it says both where it failed and who asked. */
export function appendFrames(error: object, callerFrames: string): void {
  const frames = framesIn(callerFrames);
  if (frames === "") return;
  define(
    error,
    "stack",
    `${stackOf(error, "Error") ?? "Error"}\n    at [job submitted from]\n${frames}`,
    false,
  );
}
