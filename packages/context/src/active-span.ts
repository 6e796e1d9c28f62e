/**
 * The active span of OpenTelemetry, without a dependency on it: all versions of its API with the same major number meet at one global
 * symbol, and keep the span in the active context under another.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/tree/main/api/src/internal
 */

const apiKey: unique symbol = Symbol.for("opentelemetry.js.api.1");
const spanKey = Symbol.for("OpenTelemetry Context Key SPAN");

interface Api {
  readonly context?: { active(): { getValue(key: symbol): unknown } };
}
interface Span {
  spanContext(): SpanContext;
}
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly traceState?: { serialize(): string } | undefined;
}

/** What a span has for ids that is none: without an SDK every span does. */
const zeros = /^0*$/;

/** Null without an SDK, and where no span is active. */
export function activeSpanContext(): SpanContext | null {
  const api = (globalThis as { readonly [apiKey]?: Api })[apiKey];
  if (api?.context === undefined) return null;
  try {
    const span = api.context.active().getValue(spanKey) as Span | undefined;
    const context = span?.spanContext();
    return context === undefined || zeros.test(context.traceId) || zeros.test(context.spanId)
      ? null
      : context;
  } catch {
    // A log line or a request must not fail because of somebody's context manager.
    return null;
  }
}

/** Named as OpenTelemetry names them in logs. */
export function activeSpan(): { readonly trace_id: string; readonly span_id: string } | null {
  const context = activeSpanContext();
  return context === null ? null : { trace_id: context.traceId, span_id: context.spanId };
}
