/** The trace that a request to another service takes along. */
import { activeSpanContext } from "../active-span.ts";
import type { SpanContext } from "../active-span.ts";
import { currentTraceparent, currentTracestate } from "./request-locals.ts";
import { traceparent } from "./traceparent.ts";
import { tracestate } from "./tracestate.ts";

/** In the form of the headers. */
interface OutgoingTrace {
  readonly parent: string;
  readonly state: string | null;
}

/**
 * That of OpenTelemetry's active span, else the one that came with the request that is served; null when there is none.
 * @throws TypeError if a value was set that its header cannot express.
 */
export function outgoingTrace(): OutgoingTrace | null {
  const span = activeSpanContext();
  return (span === null ? null : ofSpan(span)) ?? ofLocals();
}

/** Null for a span whose ids have another form. */
function ofSpan({ traceId, spanId, traceFlags, traceState }: SpanContext): OutgoingTrace | null {
  // Of the flags those that Level 2 defines.
  const parent = `00-${traceId}-${spanId}-0${traceFlags & 3}`;
  if (traceparent.parse(parent) === null) return null;
  const state = traceState?.serialize() ?? "";
  return { parent, state: state === "" ? null : state };
}

function ofLocals(): OutgoingTrace | null {
  const parent = currentTraceparent.value;
  // Without it a tracestate would have no meaning, and must not be sent.
  if (parent === undefined) return null;
  const states = currentTracestate.value ?? [];
  return {
    parent: traceparent.format(parent),
    state: states.length === 0 ? null : tracestate.format(states),
  };
}
