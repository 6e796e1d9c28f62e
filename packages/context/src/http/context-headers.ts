import { ownOptions } from "../own-options.ts";
import type { OptionNames } from "../own-options.ts";
import type { AsyncLocal } from "../async-local.ts";
import { argumentTypeError } from "../errors.ts";
import { define } from "../intrinsics.ts";
import { baggage } from "./baggage.ts";
import { requireIdOptions } from "./id-options.ts";
import { keepOneTraceparent } from "./one-traceparent.ts";
import { outgoingTrace } from "./outgoing-trace.ts";
import { correlationId, currentBaggage } from "./request-locals.ts";

/** Options of {@link contextHeaders}: `header` and `local` are those given to `correlation`. */
export interface ContextHeadersOptions {
  /** @default 'x-request-id' */
  header?: string | undefined;
  /** @default correlationId */
  local?: AsyncLocal<string> | undefined;
  /** Whether `traceparent`, `tracestate` and `baggage` go along. Off where something else sends them. @default true */
  trace?: boolean | undefined;
}

const optionNames: OptionNames<ContextHeadersOptions> = { header: true, local: true, trace: true };

/** Latin-1. Spaces at the ends would be lost; a line break would begin another header. */
const idShape = /^(?![\t ])[\t\x20-\x7e\x80-\xff]*(?<![\t ])$/;

/**
 * Headers that carry the current context to another service: the correlation id, `traceparent`, `tracestate` and
 * `baggage`, those that have a value. A new object each time. The trace is that of OpenTelemetry's active span where there is one, in a
 * job too, with or without an SDK on its thread; else the one of the request that is served.
 *
 * Where OpenTelemetry or another instrumentation adds its own `traceparent` to requests of `fetch` and undici, the request
 * is sent with that one alone.
 *
 * @throws TypeError if an option has the wrong type, or a value was set that its header cannot express.
 * @example
 * await fetch(url, { headers: contextHeaders() });
 */
export function contextHeaders(options?: ContextHeadersOptions): Record<string, string> {
  const { header = "x-request-id", local = correlationId, trace = true } = ownOptions(options, optionNames);
  requireIdOptions(header, local);
  if (typeof trace !== "boolean") throw argumentTypeError("options.trace", "a boolean", trace);
  const headers: Record<string, string> = {};
  const id = local.value;
  if (id !== undefined) {
    if (typeof id !== "string" || !idShape.test(id))
      throw argumentTypeError(
        header,
        "a string that a header can hold: Latin-1, without line breaks or outer spaces",
        id,
      );
    define(headers, header, id, true);
  }
  if (!trace) return headers;
  const outgoing = outgoingTrace();
  if (outgoing !== null) {
    define(headers, "traceparent", outgoing.parent, true);
    if (outgoing.state !== null) define(headers, "tracestate", outgoing.state, true);
    keepOneTraceparent();
  }
  const members = currentBaggage.value;
  if (members !== undefined && members.length > 0) define(headers, "baggage", baggage.format(members), true);
  return headers;
}
