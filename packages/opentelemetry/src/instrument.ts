/** Spans of jobs. Those of callers need no SDK on the threads, and survive their crashes. */
import { tracingChannel } from "node:diagnostics_channel";
import { threadId } from "node:worker_threads";
import { type Attributes, type Context, type Span, SpanKind, trace } from "@opentelemetry/api";
import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import type { TracedBatch } from "@skein/batching";
import type { TracedJob, TracedMap, TracedRun } from "@skein/pool";
import { submitting } from "./active-context.ts";
import { beginBatch } from "./batch-spans.ts";
import { contextStorage } from "./context-storage.ts";
import { spanPerOperation } from "./operation-spans.ts";

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /**
   * `caller`: one span for each job that this thread calls, one for each `map`, whose jobs have none, and one for each batch of a consumer of
   * `@skein/batching` with `flowContext`, with a link for each item. `both`: also one for each job that this thread runs, its child; for the
   * threads of a pool, in their `initialize`, where an SDK is set up.
   * @default 'caller'
   */
  spans?: "caller" | "both" | "none" | undefined;
  /**
   * What the active span of the caller is to the span of the job. `link`: the job begins a trace of its own, with a link to it. With
   * `spans: "both"`, also what the span of the job is to that of a run on another machine.
   * @default 'child', and 'link' to a run on another machine
   */
  parent?: "child" | "link" | "root" | undefined;
}

type Parent = NonNullable<InstrumentOptions["parent"]>;
/** What all messages have. */
type Named = Pick<TracedJob, "url" | "name">;

const optionNames: OptionNames<InstrumentOptions> = { spans: true, parent: true };

/**
 * Makes each job that this thread calls an INTERNAL span, from the call to its settlement, which is the active one in the job where
 * `@skein/opentelemetry/register` is loaded on both sides. Its error is recorded; a job that was cancelled has no error status. `broadcast`
 * has no span, forked jobs have one with `spans: "both"` alone. A run that ends with its thread leaves no span. Call it once, when the SDK is
 * set up.
 *
 * @returns what ends it; call it when no job is outstanding, since spans that have begun do not end afterwards.
 * @throws TypeError for an option that is unknown or has the wrong type.
 */
export function instrument(options?: InstrumentOptions): Disposable {
  const { spans = "caller", parent } = ownOptions(options, optionNames);
  if (spans !== "caller" && spans !== "both" && spans !== "none")
    throw argumentTypeError("options.spans", "'caller', 'both' or 'none'", spans);
  if (parent !== undefined && parent !== "child" && parent !== "link" && parent !== "root")
    throw argumentTypeError("options.parent", "'child', 'link' or 'root'", parent);
  const subscriptions = [
    ...(spans === "none" ? [] : spansOfCaller(parent ?? "child")),
    ...(spans === "both" ? [spansOfRuns(parent ?? "link")] : []),
  ];
  return {
    [Symbol.dispose]() {
      for (const each of subscriptions) each[Symbol.dispose]();
    },
  };
}

function spansOfCaller(parent: Parent): Disposable[] {
  return [
    spanPerOperation(
      tracingChannel<Context, TracedJob>("skein:job"),
      submitting,
      "skein.job.outcome",
      (job, active) => (job.ofMap ? null : begin(job.name ?? "inline job", job, active, parent)),
    ),
    // Active in the source of the items too, whose own spans and jobs are its children.
    spanPerOperation(
      tracingChannel<Context, TracedMap>("skein:map"),
      contextStorage() ?? submitting,
      "skein.job.outcome",
      (map, active) => begin(`map ${map.name ?? "inline job"}`, map, active, parent),
    ),
    spanPerOperation(
      tracingChannel<Context, TracedBatch>("skein:batch"),
      contextStorage(),
      "skein.batch.outcome",
      beginBatch,
    ),
  ];
}

/** @param remote Of a run whose caller is on another machine. */
function spansOfRuns(remote: Parent): Disposable {
  return spanPerOperation(
    tracingChannel<Context, TracedRun>("skein:job:run"),
    contextStorage(),
    "skein.job.outcome",
    (run, active) =>
      begin(`run ${run.name ?? "inline job"}`, run, active, run.isRemote ? remote : "child", {
        "thread.id": threadId,
        "skein.job.id": run.id,
        "skein.job.attempt": run.attempt,
        ...(run.waitMs === null ? {} : { "skein.job.wait": run.waitMs / 1000 }),
      }),
  );
}

function begin(
  spanName: string,
  { name, url }: Named,
  active: Context,
  parent: Parent,
  attributes: Attributes = {},
): Span {
  const outer = trace.getSpanContext(active);
  return trace.getTracer("@skein/opentelemetry").startSpan(
    spanName,
    {
      kind: SpanKind.INTERNAL,
      root: parent !== "child",
      attributes: {
        ...attributes,
        ...(name === null ? {} : { "code.function.name": name }),
        ...(url === null ? {} : { "skein.job.module": url }),
      },
      links: parent === "link" && outer !== undefined ? [{ context: outer }] : [],
    },
    active,
  );
}
