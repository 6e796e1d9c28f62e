/**
 * The TracingChannel `skein:map`: one operation for each iteration of `map`, from its first `next` to its end, on the thread that iterates,
 * in the context of the call. A store that a subscriber binds to `start` is in place for the source of the items and for the jobs.
 */
import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import { AsyncScope } from "@skein/context";
import { shownAs } from "../jobs/function-source.ts";
import type { Iteration } from "./map.ts";
import { IterationLeft } from "./map-results.ts";

/** The one message of an iteration, of all events of `tracing:skein:map:*`. */
export interface TracedMap {
  /** The URL of the job module; null for a function shipped as its source. */
  readonly url: string | null;
  /** The name of the export; null for a function shipped as its source. */
  readonly name: string | null;
  /** From `asyncStart` on. `canceled`: the consumer has left before the end. */
  outcome: "completed" | "failed" | "canceled" | null;
  /** From `error` on. */
  error?: unknown;
}

const tracing: TracingChannel<TracedMap, TracedMap> = tracingChannel<TracedMap, TracedMap>("skein:map");
/** Captured: the properties of the channel can be replaced. */
const { start, end, asyncStart, asyncEnd, error: failure } = tracing;

/** Whether somebody subscribes to any event of the channel. */
export function someoneTracesMaps(): boolean {
  return (
    asyncEnd.hasSubscribers ||
    start.hasSubscribers ||
    end.hasSubscribers ||
    failure.hasSubscribers ||
    asyncStart.hasSubscribers
  );
}

/** @param iterate Does the iteration, in another scope. */
export async function* traceMap<R>(
  iteration: Iteration,
  iterate: (iteration: Iteration) => AsyncGenerator<R, void, undefined>,
): AsyncGenerator<R, void, undefined> {
  const { source, scope, controller } = iteration;
  const { url, name } = shownAs(source);
  const traced: TracedMap = { url, name, outcome: null };
  const inside = scope.run(() => start.runStores(traced, () => AsyncScope.capture()));
  inside.run(() => end.publish(traced));
  try {
    yield* iterate({ ...iteration, scope: inside });
    traced.outcome = controller.signal.reason instanceof IterationLeft ? "canceled" : "completed";
  } catch (error) {
    traced.outcome = "failed";
    traced.error = error;
    inside.run(() => failure.publish(traced));
    throw error;
  } finally {
    traced.outcome ??= "canceled";
    inside.run(() => {
      asyncStart.publish(traced);
      asyncEnd.publish(traced);
    });
  }
}
