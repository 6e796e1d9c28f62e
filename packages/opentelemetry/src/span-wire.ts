/** A finished span as plain data, and back. */
import {
  type Attributes,
  createTraceState,
  type HrTime,
  type Link,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
} from "@opentelemetry/api";

/** What a span was made for, as exporters read it. */
export interface RelayedResource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string | undefined;
}

/** A finished span, with the members that `ReadableSpan` has in all versions of the SDK. */
export interface RelayedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanContext: () => SpanContext;
  readonly parentSpanContext?: SpanContext | undefined;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events: { time: HrTime; name: string; attributes?: Attributes; droppedAttributesCount?: number }[];
  readonly duration: HrTime;
  readonly ended: boolean;
  readonly resource: RelayedResource;
  readonly instrumentationScope: {
    readonly name: string;
    readonly version?: string;
    readonly schemaUrl?: string;
  };
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

interface WrittenContext extends Omit<SpanContext, "traceState"> {
  readonly state: string | undefined;
}
interface WrittenLink extends Omit<Link, "context"> {
  readonly context: WrittenContext;
}
/** Of `RelayedSpan` what structured clone keeps, and the rest in another form. */
export interface WrittenSpan extends Omit<
  RelayedSpan,
  "spanContext" | "parentSpanContext" | "links" | "resource"
> {
  readonly context: WrittenContext;
  readonly parent: WrittenContext | undefined;
  readonly links: readonly WrittenLink[];
  /** JSON: few resources for many spans. */
  readonly resource: string;
}

export function writeSpan(span: RelayedSpan): WrittenSpan {
  const { attributes, schemaUrl } = span.resource;
  const { name, version, schemaUrl: scopeUrl } = span.instrumentationScope;
  return {
    name: span.name,
    kind: span.kind,
    context: writeContext(span.spanContext()),
    parent: span.parentSpanContext && writeContext(span.parentSpanContext),
    startTime: span.startTime,
    endTime: span.endTime,
    status: span.status,
    attributes: span.attributes,
    links: span.links.map((link) => ({ ...link, context: writeContext(link.context) })),
    events: span.events,
    duration: span.duration,
    ended: span.ended,
    resource: JSON.stringify({ attributes, schemaUrl } satisfies RelayedResource),
    instrumentationScope: { name, ...(version && { version }), ...(scopeUrl && { schemaUrl: scopeUrl }) },
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

export function readSpan({ context, parent, links, resource, ...same }: WrittenSpan): RelayedSpan {
  const own = readContext(context);
  return {
    ...same,
    spanContext: () => own,
    ...(parent === undefined ? {} : { parentSpanContext: readContext(parent) }),
    links: links.map((link) => ({ ...link, context: readContext(link.context) })),
    resource: resourceOf(resource),
  };
}

function writeContext({ traceState, ...context }: SpanContext): WrittenContext {
  return { ...context, state: traceState?.serialize() };
}

function readContext({ state, ...context }: WrittenContext): SpanContext {
  return state === undefined ? context : { ...context, traceState: createTraceState(state) };
}

const MAX_RESOURCES = 100;
const resources = new Map<string, RelayedResource>();

/** Exporters group spans by the identity of their resource. */
function resourceOf(text: string): RelayedResource {
  let resource = resources.get(text);
  if (resource === undefined) {
    const written = JSON.parse(text) as RelayedResource;
    resource = resourceWith(written);
    if (resources.size === MAX_RESOURCES) resources.clear();
    resources.set(text, resource);
  }
  return resource;
}

/** With the methods of a Resource: some exporters call them. */
function resourceWith({ attributes, schemaUrl }: RelayedResource): RelayedResource {
  const methods = {
    asyncAttributesPending: false,
    waitForAsyncAttributes: async () => {},
    getRawAttributes: () => Object.entries(attributes),
    merge: (other: RelayedResource | null) =>
      resourceWith({
        attributes: { ...attributes, ...other?.attributes },
        schemaUrl: other?.schemaUrl ?? schemaUrl,
      }),
  };
  return { attributes, ...(schemaUrl === undefined ? {} : { schemaUrl }), ...methods };
}
