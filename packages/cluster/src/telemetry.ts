/** Skein's context in people's own BullMQ queues. */
import { type ContextCarrier, ExecutionContext } from "@skein/context";
import { type OptionNames, ownOptions } from "@skein/context/errors";
import type { ContextManager, Span, SpanOptions, Telemetry } from "bullmq";

export interface SkeinTelemetryOptions {
  /** Another telemetry, such as `new BullMQOtel("my-app")` of bullmq-otel: its spans and its context go along as they did. @default none */
  readonly inner?: Telemetry | undefined;
}

const names: OptionNames<SkeinTelemetryOptions> = { inner: true };

/** A context of BullMQ's: what we carry, and what the other one does. */
interface Both {
  /** Null: nothing flows. */
  readonly own: ExecutionContext | null;
  readonly inner: unknown;
}

/** The name of our carrier in the metadata, beside what the other one has there: so a program with that one alone can read its part. */
const OURS = "skein";
/** Beside ours: what the other one has written, if that is no record. */
const THEIRS = "skein.inner";
/** A carrier is smaller where it is made. */
const MAX_CHARS = 65_536;

/**
 * The option `telemetry` of BullMQ's Queue, FlowProducer and Worker: what flows "wire" at `queue.add` is there when the worker's function runs.
 * Both sides need it. A Cluster does that by itself.
 *
 * @throws TypeError for an unknown option.
 * @example
 * const telemetry = skeinTelemetry({ inner: new BullMQOtel("my-app") });
 * const queue = new Queue("mails", { connection, telemetry });
 * new Worker("mails", async (job) => send(job.data), { connection, telemetry }); // make it outside any request
 * @see https://docs.bullmq.io/guide/telemetry
 */
export function skeinTelemetry(options?: SkeinTelemetryOptions): Telemetry<unknown> {
  const { inner } = ownOptions(options, names);
  return {
    tracer: {
      startSpan: (name, spanOptions, context) =>
        spanOf(inner, name, spanOptions, context as Both | undefined),
    },
    contextManager: managerOf(inner?.contextManager),
    ...(inner?.meter !== undefined && { meter: inner.meter }),
  };
}

function managerOf(inner: ContextManager | undefined): ContextManager<Both> {
  return {
    with: (context, fn) => {
      const run = () => (inner === undefined ? fn() : inner.with(context.inner, fn)) as ReturnType<typeof fn>;
      return context.own === null ? run() : ExecutionContext.run(context.own, run);
    },
    active: () => ({ own: ExecutionContext.capture(), inner: inner?.active() }),
    root: () => ({ own: ExecutionContext.fromCarrier(null), inner: inner?.root?.() ?? inner?.active() }),
    getMetadata: ({ own, inner: theirs }) => {
      const carrier = own?.toCarrier("wire") ?? null;
      const metadata = inner?.getMetadata(theirs) ?? "";
      if (carrier === null) return metadata;
      const record = recordOf(metadata) ?? (metadata === "" ? {} : { [THEIRS]: metadata });
      return JSON.stringify({ ...record, [OURS]: carrier });
    },
    fromMetadata: (active, metadata) => {
      const theirs = inner === undefined ? undefined : recordOf(metadata)?.[THEIRS];
      return {
        own: contextOf(metadata),
        inner: inner?.fromMetadata(active.inner, typeof theirs === "string" ? theirs : metadata),
      };
    },
  };
}

/** Anybody may have written it: what cannot be read is no context. */
function contextOf(metadata: string): ExecutionContext {
  const carrier = metadata.length > MAX_CHARS ? null : (recordOf(metadata)?.[OURS] ?? null);
  try {
    return ExecutionContext.fromCarrier(carrier as ContextCarrier | null);
  } catch {
    return ExecutionContext.fromCarrier(null);
  }
}

/** Null: it is none. */
function recordOf(metadata: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(metadata);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function spanOf(
  inner: Telemetry | undefined,
  name: string,
  options: SpanOptions | undefined,
  context: Both | undefined,
): Span<Both> {
  const span = inner?.tracer.startSpan(name, options, context?.inner);
  return {
    setSpanOnContext: (both) =>
      span === undefined ? both : { own: both.own, inner: span.setSpanOnContext(both.inner) as unknown },
    setAttribute: (key, value) => span?.setAttribute(key, value),
    setAttributes: (attributes) => span?.setAttributes(attributes),
    addEvent: (event, attributes) => span?.addEvent(event, attributes),
    recordException: (exception, time) => span?.recordException(exception, time),
    end: () => span?.end(),
  };
}
