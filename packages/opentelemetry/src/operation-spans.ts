/** A span for each operation of a TracingChannel of ours. */
import type { AsyncLocalStorage } from "node:async_hooks";
import type { TracingChannel } from "node:diagnostics_channel";
import { context, type Context, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import { activeForJobs, withOuter } from "./active-context.ts";

/** What the message of an operation says when that is over. */
interface Operation {
  readonly outcome: "completed" | "failed" | "canceled" | "refused" | null;
  readonly error?: unknown;
}

/**
 * @param storage Has the context with the span while the operation is called. Null: nothing has.
 * @param outcomeName The attribute that says how it ended.
 * @param begin Null: the operation is a part of the one around it.
 */
export function spanPerOperation<M extends Operation & object>(
  channel: TracingChannel<Context, M>,
  storage: AsyncLocalStorage<Context> | null,
  outcomeName: `skein.${string}.outcome`,
  begin: (message: M, active: Context) => Span | null,
): Disposable {
  const begun = new WeakMap<M, Span>();
  const onStart = (message: unknown): Context => {
    const active = context.active();
    const span = begin(message as M, active);
    if (span === null) return activeForJobs(active);
    begun.set(message as M, span);
    return withOuter(trace.setSpan(active, span), active);
  };
  const onEnd = (message: unknown): void => {
    const span = begun.get(message as M);
    if (span !== undefined) endWith(span, outcomeName, message as M);
  };
  if (storage === null) channel.start.subscribe(onStart);
  else channel.start.bindStore(storage, onStart);
  channel.asyncEnd.subscribe(onEnd);
  return {
    [Symbol.dispose]() {
      if (storage === null) channel.start.unsubscribe(onStart);
      else channel.start.unbindStore(storage);
      channel.asyncEnd.unsubscribe(onEnd);
    },
  };
}

/** What was cancelled has no error status. */
function endWith(span: Span, outcomeName: string, { outcome, error }: Operation): void {
  span.setAttribute(outcomeName, outcome ?? "unknown");
  if (outcome === "failed" || outcome === "refused")
    span.setStatus({ code: SpanStatusCode.ERROR, message: record(span, error) });
  span.end();
}

/** Errors of programs may throw when they are read: the span ends all the same. @returns the message. */
function record(span: Span, error: unknown): string {
  let message = "";
  try {
    if (error instanceof Error) {
      ({ message } = error);
      span.recordException(error);
    }
  } catch {
    // What could be read is there.
  }
  return message;
}
