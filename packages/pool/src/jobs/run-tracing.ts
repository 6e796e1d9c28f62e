/**
 * The TracingChannel `skein:job:run`: one operation for each call of a job's function, on the thread that calls it, in the context that came
 * with the job. A store that a subscriber binds to `start` is in place for the call, and after each of its awaits.
 *
 * Events     `start`, the call, `end`, then, when what it returned has settled, `error` if it failed, `asyncStart` and `asyncEnd`; once each,
 *            and before the outcome is written: whoever awaits the job finds its run ended.
 * Runs that end with their thread have no end. What subscribers throw is an uncaught exception, as Node has it.
 */
import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import { isThenable } from "./thenable.ts";
import { type FunctionSource, shownAs } from "./function-source.ts";
import { isTraced } from "./untraced-modules.ts";

/** The one message of a run, of all events of `tracing:skein:job:run:*`. */
export interface TracedRun {
  /** Its job's: the `jobId` of log lines. Forked jobs that were not stolen have one for each call. */
  readonly id: string;
  /** The URL of the job module; null for a function shipped as its source. */
  readonly url: string | null;
  /** The name of the export; null for a function shipped as its source. */
  readonly name: string | null;
  /** 1, and one more for each thread that has died at it (`retries`). */
  readonly attempt: number;
  /** From the call to the start. Null where it was not timed: when many jobs are submitted and nobody listens to `skein:job`, and for forked jobs. */
  readonly waitMs: number | null;
  /** Its caller is on another machine. */
  readonly isRemote: boolean;
  /** From `asyncStart` on. `completed`: the function has returned; whether its result could be copied, the caller hears. */
  outcome: "completed" | "failed" | null;
  /** From `error` on. */
  error?: unknown;
}

const tracing: TracingChannel<TracedRun, TracedRun> = tracingChannel<TracedRun, TracedRun>("skein:job:run");
/** Captured: the properties of the channel can be replaced. */
const { start, end, asyncStart, asyncEnd, error: failure } = tracing;

/** Whether somebody subscribes to any event of the channel, and hears of runs of this function. */
export function someoneTracesRuns(source: FunctionSource): boolean {
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
 * Calls `call` within the stores of the subscribers. What it returns, or a promise for that, if it is one.
 * @throws what `call` throws.
 */
export function traceRun(
  source: FunctionSource,
  about: Pick<TracedRun, "id" | "attempt" | "waitMs" | "isRemote">,
  call: () => unknown,
): unknown {
  const { url, name } = shownAs(source);
  const run: TracedRun = { ...about, url, name, outcome: null };
  return start.runStores(run, () => {
    let returned: unknown;
    try {
      returned = call();
    } catch (error) {
      end.publish(run);
      settle(run, "failed", error);
      throw error;
    }
    end.publish(run);
    if (isThenable(returned)) return follow(run, returned);
    settle(run, "completed");
    return returned;
  });
}

async function follow(run: TracedRun, returned: PromiseLike<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await returned;
  } catch (error) {
    settle(run, "failed", error);
    throw error;
  }
  settle(run, "completed");
  return result;
}

function settle(run: TracedRun, outcome: "completed" | "failed", error?: unknown): void {
  run.outcome = outcome;
  if (outcome === "failed") {
    run.error = error;
    failure.publish(run);
  }
  asyncStart.publish(run);
  asyncEnd.publish(run);
}
