/** The active context of OpenTelemetry on its way to another thread or machine: its span and its baggage. */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type BaggageEntry,
  baggageEntryMetadataFromString,
  type Context,
  context,
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  trace,
} from "@opentelemetry/api";
import { DuplicateNameError, flow } from "@skein/context";

const FLOW_NAME = "skein.opentelemetry";

/** What copies of this package in one thread have in common. Its number says in which form the context travels. */
interface Shared {
  readonly submitting: AsyncLocalStorage<Context>;
  flow: Disposable | null;
}
const sharedKey: unique symbol = Symbol.for("skein.opentelemetry.1");
const holder = globalThis as { [sharedKey]?: Shared };
const shared: Shared = (holder[sharedKey] ??= { submitting: new AsyncLocalStorage<Context>(), flow: null });

/** The context with the span of a job, while that is called, and in what the call has kept for later: its listeners, its sources of items. */
export const submitting: AsyncLocalStorage<Context> = shared.submitting;

/** Of a context with the span of a job: that in which it was called. */
const outerKey: unique symbol = Symbol.for("skein.opentelemetry.outer");

export function withOuter(inner: Context, outer: Context): Context {
  return inner.setValue(outerKey, outer);
}

/** With the span of the job that is called, unless code that runs meanwhile has a span of its own. */
export function activeForJobs(active: Context): Context {
  const inner = submitting.getStore();
  const outer = inner?.getValue(outerKey) as Context | undefined;
  if (inner === undefined || outer === undefined) return active;
  if (active === outer) return inner;
  // Some managers make their context anew each time, and code may have set baggage.
  return spanIdOf(active) === spanIdOf(outer) ? trace.setSpan(active, trace.getSpan(inner)!) : active;
}

function spanIdOf(some: Context): string | undefined {
  return trace.getSpanContext(some)?.spanId;
}

/** Written by us, not by the global propagator: a thread without an SDK has none. */
interface Written {
  readonly span?: { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
  readonly state?: string;
  readonly baggage?: readonly (readonly [key: string, value: string, metadata: string | undefined])[];
}

const codec = {
  encode: (active: Context): string => {
    const span = trace.getSpanContext(active);
    const baggage = propagation.getBaggage(active);
    return JSON.stringify({
      span: span && { traceId: span.traceId, spanId: span.spanId, traceFlags: span.traceFlags },
      state: span?.traceState?.serialize(),
      baggage: baggage
        ?.getAllEntries()
        .map(([key, { value, metadata }]) => [key, value, metadata?.toString()] as const),
    } satisfies { [K in keyof Written]: Written[K] | undefined });
  },
  decode: (text: string): Context => {
    const { span, state, baggage } = JSON.parse(text) as Written;
    let decoded = ROOT_CONTEXT;
    if (span !== undefined) {
      const traceState = state === undefined ? {} : { traceState: createTraceState(state) };
      decoded = trace.setSpanContext(decoded, { ...span, ...traceState, isRemote: true });
    }
    if (baggage === undefined) return decoded;
    const entries = baggage.map(([key, value, metadata]): [string, BaggageEntry] => [
      key,
      metadata === undefined ? { value } : { value, metadata: baggageEntryMetadataFromString(metadata) },
    ]);
    return propagation.setBaggage(decoded, propagation.createBaggage(Object.fromEntries(entries)));
  },
};

/**
 * Contexts are immutable, so each is encoded once. Does nothing where another copy of this package has done it.
 * @throws DuplicateNameError when something else flows under the name: a copy of another version.
 */
export function flowActiveContext(): void {
  shared.flow ??= named(() =>
    flow<Context>({
      name: FLOW_NAME,
      reach: "wire",
      codec,
      // Telemetry must not break a job.
      onError: "ignore",
      capture: () => {
        const active = activeForJobs(context.active());
        return active === ROOT_CONTEXT ? undefined : active;
      },
      enter: (active, fn) => context.with(active, fn),
    }),
  );
}

/** An error says what to do. */
function named(begin: () => Disposable): Disposable {
  try {
    return begin();
  } catch (error) {
    if (error instanceof DuplicateNameError)
      error.message += `: @skein/opentelemetry/register is loaded in another version. \`npm ls @skein/opentelemetry\` shows who brings it`;
    throw error;
  }
}
