/** A span for each job, made and ended by the caller's thread: it needs no SDK on the threads, and survives their crashes. */
import { tracingChannel } from "node:diagnostics_channel";
import { context, type Context, type Span, SpanKind, trace } from "@opentelemetry/api";
import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import type { TracedJob } from "@skein/pool";
import { submitting } from "./active-context.ts";
import { spanPerRun } from "./run-spans.ts";
import { endWithOutcome } from "./span-end.ts";

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /**
   * `caller`: one span for each job that this thread calls. `both`: also one for each job that this thread runs, its child; for the threads of a
   * pool, in their `initialize`, where an SDK is set up.
   * @default 'caller'
   */
  spans?: "caller" | "both" | "none" | undefined;
  /**
   * What the active span of the caller is to the span of the job. `link`: the job begins a trace of its own, with a link to it.
   * @default 'child'
   */
  parent?: "child" | "link" | "root" | undefined;
}

const optionNames: OptionNames<InstrumentOptions> = { spans: true, parent: true };
const channel = tracingChannel<Context, TracedJob>("skein:job");

/**
 * Makes each job that this thread calls an INTERNAL span, from the call to its settlement, which is the active one in the job where
 * `@skein/opentelemetry/register` is loaded on both sides. Its error is recorded; a job that was cancelled has no error status. Forked
 * jobs and `broadcast` have no span. Call it once, when the SDK is set up.
 *
 * @returns what ends it; call it when no job is outstanding, since spans that have begun do not end afterwards.
 * @throws TypeError for an option that is unknown or has the wrong type.
 */
export function instrument(options?: InstrumentOptions): Disposable {
  const { spans = "caller", parent = "child" } = ownOptions(options, optionNames);
  if (spans !== "caller" && spans !== "both" && spans !== "none")
    throw argumentTypeError("options.spans", "'caller', 'both' or 'none'", spans);
  if (parent !== "child" && parent !== "link" && parent !== "root")
    throw argumentTypeError("options.parent", "'child', 'link' or 'root'", parent);
  const subscriptions = [
    ...(spans === "none" ? [] : [spanPerJob(parent)]),
    ...(spans === "both" ? [spanPerRun()] : []),
  ];
  return {
    [Symbol.dispose]() {
      for (const each of subscriptions) each[Symbol.dispose]();
    },
  };
}

function spanPerJob(parent: "child" | "link" | "root"): Disposable {
  const begun = new WeakMap<TracedJob, Span>();
  const onSettled = (message: unknown): void => {
    const job = message as TracedJob;
    const span = begun.get(job);
    if (span !== undefined) endWithOutcome(span, job);
  };
  channel.start.bindStore(submitting, (job) => {
    const active = context.active();
    const span = begin(job, active, parent);
    begun.set(job, span);
    return trace.setSpan(active, span);
  });
  channel.asyncEnd.subscribe(onSettled);
  return {
    [Symbol.dispose]() {
      channel.start.unbindStore(submitting);
      channel.asyncEnd.unsubscribe(onSettled);
    },
  };
}

function begin(job: TracedJob, active: Context, parent: "child" | "link" | "root"): Span {
  const outer = trace.getSpanContext(active);
  return trace.getTracer("@skein/opentelemetry").startSpan(
    job.name ?? "inline job",
    {
      kind: SpanKind.INTERNAL,
      root: parent !== "child",
      attributes: {
        ...(job.name === null ? {} : { "code.function.name": job.name }),
        ...(job.url === null ? {} : { "skein.job.module": job.url }),
      },
      links: parent === "link" && outer !== undefined ? [{ context: outer }] : [],
    },
    active,
  );
}
