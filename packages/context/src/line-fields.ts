/** What a log line has besides the context, of whoever knows it on this thread: the pool, about the job that runs. */
import { shared } from "./this-copy.ts";

interface LineFields {
  /** Null outside of pool threads. */
  ofThread: (() => Readonly<Record<string, unknown>> | undefined) | null;
}

const lineFields: LineFields = shared("lineFields", () => ({ ofThread: null }));

/** @internal For the pool: what every line of this thread has now; undefined: nothing. Must not throw. */
export function setThreadFields(fields: () => Readonly<Record<string, unknown>> | undefined): void {
  lineFields.ofThread = fields;
}

/** New each time; undefined outside of pool threads and jobs. */
export function threadFields(): Readonly<Record<string, unknown>> | undefined {
  return lineFields.ofThread?.();
}
