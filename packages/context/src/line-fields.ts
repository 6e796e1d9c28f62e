/** What a log line has besides the context, of whoever knows it on this thread: the pool, about the job that runs. */
import { shared } from "./this-copy.ts";

interface LineFields {
  /** Null outside of pool threads. */
  ofThread: (() => Readonly<Record<string, unknown>>) | null;
}

const lineFields: LineFields = shared("lineFields", () => ({ ofThread: null }));

/** @internal For the pool: what every line of this thread has. Must not throw. */
export function setThreadFields(fields: () => Readonly<Record<string, unknown>>): void {
  lineFields.ofThread = fields;
}

/** New each time; undefined outside of pool threads. */
export function threadFields(): Readonly<Record<string, unknown>> | undefined {
  return lineFields.ofThread?.();
}
