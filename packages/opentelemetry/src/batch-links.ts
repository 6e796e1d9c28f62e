import { context, type Link, trace } from "@opentelemetry/api";
import { contextOf } from "@skein/batching";

/**
 * Links from the span of a batch to the spans in which its items were pushed, one for each item that has one: a batch has many callers, so
 * it is nobody's child. On the thread of the consumer; for items of other threads `register` is loaded on both.
 *
 * @param items The array that the pump was given, by a consumer with `flowContext: true`.
 * @throws InvalidOperationError for any other array.
 * @example
 * consumer.start((items) => tracer.startActiveSpan("insert", { root: true, links: batchLinks(items) }, async (span) => {
 *   await insert(items);
 *   span.end();
 * }));
 */
export function batchLinks(items: readonly unknown[]): Link[] {
  const links: Link[] = [];
  for (const index of items.keys()) {
    const span = contextOf(items, index).run(() => trace.getSpanContext(context.active()));
    if (span !== undefined) links.push({ context: span });
  }
  return links;
}
