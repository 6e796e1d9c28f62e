import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import { cancellationError } from "./cancel-signal.ts";
import type { Ledger } from "./ledger.ts";

/**
 * Cancels the job with this key in the trace, as the signal of its caller would, if this thread has submitted it.
 * @returns whether there is such a job, and it had no outcome.
 */
export function cancelRecorded(
  ledger: Ledger,
  trace: ThreadTrace | null,
  key: number,
  reason: unknown,
): boolean {
  if (trace === null) return false;
  const job = ledger.find(({ extras: { mark } }) => mark?.key === key && mark.trace === trace);
  if (job === null) return false;
  ledger.cancel(job, cancellationError({ reason }, job.fn.source));
  return true;
}
