/** The spans of batches: a batch has many callers, so its span is nobody's child, and has a link for each item. */
import { context, type Context, type Link, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { TracedBatch } from "@skein/batching";

/** @returns null for a consumer without `flowContext`: nothing is known of who has pushed. */
export function beginBatch({ name, slot, size, attempt, contextOf }: TracedBatch): Span | null {
  if (contextOf === null) return null;
  return trace.getTracer("@skein/opentelemetry").startSpan(`batch ${name ?? "items"}`, {
    kind: SpanKind.INTERNAL,
    root: true,
    attributes: {
      ...(name === null ? {} : { "skein.batch.name": name }),
      "skein.batch.slot": slot,
      "skein.batch.size": size,
      "skein.batch.attempt": attempt,
    },
    links: linksOf(size, (index) => contextOf(index).run(() => context.active())),
  });
}

/** To the span in which each item was pushed, if it has one. */
function linksOf(size: number, activeAt: (index: number) => Context): Link[] {
  const links: Link[] = [];
  for (let index = 0; index < size; index++) {
    const span = spanAt(index, activeAt);
    if (span !== undefined) links.push({ context: span });
  }
  return links;
}

/** Entering what came from another thread runs code of others: telemetry must not break a batch. */
function spanAt(index: number, activeAt: (index: number) => Context): Link["context"] | undefined {
  try {
    return trace.getSpanContext(activeAt(index));
  } catch {
    return undefined;
  }
}
