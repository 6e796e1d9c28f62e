/**
 * The TracingChannel `skein:job`: one operation for each call of a job, from the call to its settlement, on the thread that calls. A store
 * that a subscriber binds to `start` is in place while the context of the call is captured, so it flows into the job.
 *
 * Subscribers run before anything is claimed (`start`), or when the job is whole and accepted (`end`), or when its outcome is written down
 * (`asyncStart`, `asyncEnd`, `error`). What they throw is an uncaught exception, as Node has it, and the job is none the worse.
 */
import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import { type FunctionSource, shownAs } from "./function-source.ts";
import { isTraced } from "./untraced-modules.ts";

/** The one message of a job, of all events of `tracing:skein:job:*`. */
export interface TracedJob {
  /** Counts the traced jobs of this thread. */
  readonly id: number;
  /** The URL of the job module; null for a function shipped as its source. */
  readonly url: string | null;
  /** The name of the export; null for a function shipped as its source. */
  readonly name: string | null;
  /** Whether `map` has made it, for one item or several: then it is a part of an operation of `skein:map`. */
  readonly ofMap: boolean;
  /** From `asyncStart` on. `refused`: it was never accepted, for example because the queue was full. */
  outcome: "completed" | "failed" | "canceled" | "refused" | null;
  /** From `asyncStart` on, unless the job completed. */
  error?: unknown;
}

const tracing: TracingChannel<TracedJob, TracedJob> = tracingChannel<TracedJob, TracedJob>("skein:job");
/** Captured: the properties of the channel can be replaced. */
const { start, end, asyncStart, asyncEnd, error: failure } = tracing;
let lastId = 0;
/** Those whose call has not returned: it may be cancelled, or fail, before. */
const inCall = new Set<TracedJob>();

/** Whether somebody subscribes to any event of the channel, and hears of calls of this function. */
export function someoneTracesJobs(source: FunctionSource): boolean {
  return (
    (asyncEnd.hasSubscribers ||
      start.hasSubscribers ||
      end.hasSubscribers ||
      failure.hasSubscribers ||
      asyncStart.hasSubscribers) &&
    isTraced(source)
  );
}

/**
 * Calls `submit` within the stores of the subscribers. A refusal is an operation that ends at once.
 * @throws what `submit` throws.
 */
export function traceSubmission<T>(
  source: FunctionSource,
  ofMap: boolean,
  submit: (traced: TracedJob) => T,
): T {
  const { url, name } = shownAs(source);
  const traced: TracedJob = { id: ++lastId, url, name, ofMap, outcome: null };
  return start.runStores(traced, () => {
    inCall.add(traced);
    try {
      return submit(traced);
    } catch (error) {
      settleTraced(traced, "refused", error);
      throw error;
    } finally {
      endCall(traced);
    }
  });
}

/** `end` comes before the settlement, as Node has it. */
function endCall(traced: TracedJob): void {
  if (inCall.delete(traced)) end.publish(traced);
}

/** Before the task has its outcome, so that whoever awaits it finds the operation ended. Once for each job: a second call does nothing. */
export function settleTraced(
  traced: TracedJob,
  outcome: "completed" | "failed" | "canceled" | "refused",
  error?: unknown,
): void {
  if (traced.outcome !== null) return;
  endCall(traced);
  traced.outcome = outcome;
  if (outcome !== "completed") {
    traced.error = error;
    failure.publish(traced);
  }
  asyncStart.publish(traced);
  asyncEnd.publish(traced);
}
