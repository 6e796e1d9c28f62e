/**
 * One `traceparent` for each request of undici, `fetch` included. An instrumentation, OpenTelemetry's for one, adds the
 * headers of its own span to those that the caller gave; a request with two is invalid, and the next service would begin
 * a new trace. The last one stays: it names the span of this very request.
 */
import { channel as channelOf } from "node:diagnostics_channel";
import { isArray } from "../intrinsics.ts";

/** What undici says of a request that it is about to send; `headers` are names and values in turn. */
interface CreatedRequest {
  readonly request?: { readonly headers?: unknown };
}

const channel = channelOf("undici:request:create");

/**
 * Call it when a `traceparent` is handed out. Subscribes behind whoever listens now, and costs nothing while nobody does.
 */
export function keepOneTraceparent(): void {
  if (!channel.hasSubscribers) return;
  channel.unsubscribe(keepLast);
  channel.subscribe(keepLast);
}

function keepLast(message: unknown): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- documented by undici.
  const headers = (message as CreatedRequest).request?.headers;
  if (!isArray(headers)) return;
  const last = lastTraceparent(headers, headers.length);
  // A request that has one keeps its tracestate, wherever that stands.
  if (last < 0 || lastTraceparent(headers, last) < 0) return;
  for (let at = last - 2; at >= 0; at -= 2) {
    const name = nameAt(headers, at);
    // A tracestate belongs to its traceparent.
    if (name === "traceparent" || name === "tracestate") headers.splice(at, 2);
  }
}

/** Before `end`; negative: none. */
function lastTraceparent(headers: readonly unknown[], end: number): number {
  let at = end - 2;
  while (at >= 0 && nameAt(headers, at) !== "traceparent") at -= 2;
  return at;
}

function nameAt(headers: readonly unknown[], at: number): string {
  return String(headers[at]).toLowerCase();
}
