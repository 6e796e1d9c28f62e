/** A span for each run of a job, made and ended by the thread that runs it. */
import { tracingChannel } from "node:diagnostics_channel";
import { threadId } from "node:worker_threads";
import { context, type Context, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { TracedRun } from "@skein/pool";
import { contextStorage } from "./context-storage.ts";
import { endWithOutcome } from "./span-end.ts";

const channel = tracingChannel<Context, TracedRun>("skein:job:run");

/** The child of what came with the job, and the active span in it. A run that ends with its thread leaves no span. */
export function spanPerRun(): Disposable {
  const begun = new WeakMap<TracedRun, Span>();
  const begin = (message: unknown): Context => {
    const run = message as TracedRun;
    const active = context.active();
    const span = trace.getTracer("@skein/opentelemetry").startSpan(
      `run ${run.name ?? "inline job"}`,
      {
        kind: SpanKind.INTERNAL,
        attributes: {
          ...(run.name === null ? {} : { "code.function.name": run.name }),
          "thread.id": threadId,
          "skein.job.id": run.id,
          "skein.job.attempt": run.attempt,
          ...(run.waitMs === null ? {} : { "skein.job.wait": run.waitMs / 1000 }),
        },
      },
      active,
    );
    begun.set(run, span);
    return trace.setSpan(active, span);
  };
  const end = (message: unknown): void => {
    const run = message as TracedRun;
    const span = begun.get(run);
    if (span !== undefined) endWithOutcome(span, run);
  };
  const storage = contextStorage();
  if (storage === null) channel.start.subscribe(begin);
  else channel.start.bindStore(storage, begin);
  channel.asyncEnd.subscribe(end);
  return {
    [Symbol.dispose]() {
      if (storage === null) channel.start.unsubscribe(begin);
      else channel.start.unbindStore(storage);
      channel.asyncEnd.unsubscribe(end);
    },
  };
}
