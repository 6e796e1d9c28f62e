/** How the error of a job is shown: with its stack, its causes and its properties, as Node shows an uncaught one. */
import { inspect } from "node:util";

/** Below this line of a stack are the frames of whoever submitted the job: here, this program. */
const SUBMITTER = /\n\s+at \[job submitted from\][^]*$/;

export function describeFailure(error: unknown): string {
  if (error instanceof Error && typeof error.stack === "string")
    Object.defineProperty(error, "stack", { value: error.stack.replace(SUBMITTER, ""), configurable: true });
  return inspect(error, { colors: process.stderr.isTTY && process.stderr.hasColors() });
}
