/** What a request carries besides its payload. All of it goes on the wire; every value travels in its header's form. */
import { AsyncLocal } from "../async-local.ts";
import type { ContextCodec } from "../context-key.ts";
import { baggage } from "./baggage.ts";
import type { Baggage } from "./baggage.ts";
import { traceparent } from "./traceparent.ts";
import type { Traceparent } from "./traceparent.ts";
import { tracestate } from "./tracestate.ts";
import type { Tracestate } from "./tracestate.ts";

/** The id that ties together what one request caused. Set by `correlation()`. */
export const correlationId: AsyncLocal<string> = new AsyncLocal({ name: "correlationId", flow: "wire" });

/** The caller's place in a distributed trace. Set by `correlation()` from a valid header. */
export const currentTraceparent: AsyncLocal<Traceparent> = new AsyncLocal({
  name: "traceparent",
  flow: "wire",
  codec: headerCodec(traceparent),
});

/** What tracing systems say about the trace. Set by `correlation()` beside a valid `traceparent`. */
export const currentTracestate: AsyncLocal<Tracestate> = new AsyncLocal({
  name: "tracestate",
  flow: "wire",
  codec: headerCodec(tracestate),
});

/** Names and values that the application sends along. Set by `correlation({ baggage: true })`, or by you. */
export const currentBaggage: AsyncLocal<Baggage> = new AsyncLocal({
  name: "baggage",
  flow: "wire",
  codec: headerCodec(baggage),
});

function headerCodec<T>(header: {
  parse(text: string): T | null;
  format(value: T): string;
}): ContextCodec<T> {
  return {
    encode: (value) => header.format(value),
    decode(text) {
      const value = header.parse(text);
      if (value === null) throw new SyntaxError("Not a valid header");
      return value;
    },
  };
}
