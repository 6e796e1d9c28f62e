/**
 * `@skein/sentry`: importing it makes Sentry's trace flow into jobs, each in an isolation scope of its own. On the main thread and on the
 * threads (`initialize`), in any order with `Sentry.init`, which each needs.
 */
import { continueTrace, getTraceData, withIsolationScope } from "@sentry/node";
import { flow } from "@skein/context";

/** As in the headers of a request. */
interface Trace {
  readonly sentryTrace: string;
  readonly baggage: string | undefined;
}

/** What copies of this package in one thread have in common: one of them does it. The number says in which form the trace travels. */
const sharedKey: unique symbol = Symbol.for("skein.sentry.1");
const holder = globalThis as { [sharedKey]?: Disposable };

holder[sharedKey] ??= flow<Trace>({
  name: "skein.sentry",
  reach: "wire",
  // Not for the sake of the text, which does not change: a scope for each job, not one for all of a request.
  mutable: true,
  // Telemetry must not break a job.
  onError: "ignore",
  capture: () => {
    const { "sentry-trace": sentryTrace, baggage } = getTraceData();
    return sentryTrace === undefined ? undefined : { sentryTrace, baggage };
  },
  enter: (trace, fn) => withIsolationScope(() => continueTrace(trace, fn)),
});
