/** Everything ambient at once: seven kinds, and what a piece of code sees of them. Loaded on both sides. */
import { AsyncLocalStorage } from "node:async_hooks";
import { context, type Context, type Span, trace, TraceFlags } from "@opentelemetry/api";
import { AsyncLocal, flow } from "@skein/context";
import "@skein/opentelemetry/register";
import { SynchronizationContext } from "@skein/scheduling";

export const KINDS = ["local", "thread", "wire", "foreign", "flowing", "span", "sync"] as const;
export type Kind = (typeof KINDS)[number];
/** For each kind whose value is there, or "nothing". */
export type Seen = Record<Kind, string>;

/** Large enough to matter, and by an object of its own, so that it can be seen whether it is kept. */
export class Value {
  readonly owner: string;
  readonly ballast: Uint8Array = new Uint8Array(1000);
  constructor(owner: string) {
    this.owner = owner;
  }
}

const codec = { encode: (value: Value) => value.owner, decode: (text: string) => new Value(text) };
const local = new AsyncLocal<Value>({ name: "matrix.local" });
const thread = new AsyncLocal<Value>({ name: "matrix.thread", flow: "thread", codec });
const wire = new AsyncLocal<Value>({ name: "matrix.wire", flow: "wire", codec });
export const foreign = new AsyncLocalStorage<Value>();
const flowing = new AsyncLocalStorage<Value>();
flow(flowing, { name: "matrix.flowing", codec });

/** A span whose trace tells its owner. */
function spanOf(owner: string): Span {
  const traceId = Buffer.from(owner.slice(0, 16)).toString("hex").padEnd(32, "0");
  return trace.wrapSpanContext({ traceId, spanId: "1".repeat(16), traceFlags: TraceFlags.SAMPLED });
}
export function ownerOfTrace(traceId: string): string {
  return Buffer.from(traceId, "hex").toString("latin1").replaceAll("\0", "");
}

export class OwnedContext extends SynchronizationContext {
  readonly value: Value;
  constructor(value: Value) {
    super();
    this.value = value;
  }
  override post<S>(callback: (state: S) => void, state: S): void {
    setImmediate(() => SynchronizationContext.run(this, callback, state));
  }
}

export function see(): Seen {
  const current = SynchronizationContext.current;
  const span = trace.getActiveSpan();
  return {
    local: local.value?.owner ?? "nothing",
    thread: thread.value?.owner ?? "nothing",
    wire: wire.value?.owner ?? "nothing",
    foreign: foreign.getStore()?.owner ?? "nothing",
    flowing: flowing.getStore()?.owner ?? "nothing",
    span: span === undefined ? "nothing" : ownerOfTrace(span.spanContext().traceId),
    sync: current instanceof OwnedContext ? current.value.owner : "nothing",
  };
}

/** Runs `fn` where all seven are there. @returns what it returned, and where the values went. */
export function within<R>(owner: string, fn: () => R): { result: R; kept: Record<Kind, WeakRef<object>> } {
  const value = (): Value => new Value(owner);
  const values = {
    local: value(),
    thread: value(),
    wire: value(),
    foreign: value(),
    flowing: value(),
    span: spanOf(owner),
    sync: value(),
  };
  const withSpan = (): R =>
    context.with(trace.setSpan(context.active(), values.span), () =>
      SynchronizationContext.run(new OwnedContext(values.sync), fn),
    );
  const result = local.run(values.local, () =>
    thread.run(values.thread, () =>
      wire.run(values.wire, () => foreign.run(values.foreign, () => flowing.run(values.flowing, withSpan))),
    ),
  );
  return {
    result,
    kept: Object.fromEntries(KINDS.map((kind) => [kind, new WeakRef(values[kind])])) as never,
  };
}

/** Leaves all seven changed, as careless code does. */
export function leaveBehind(owner: string): void {
  local.value = new Value(owner);
  thread.value = new Value(owner);
  wire.value = new Value(owner);
  foreign.enterWith(new Value(owner));
  flowing.enterWith(new Value(owner));
  spanStorage().enterWith(trace.setSpan(context.active(), spanOf(owner)));
  SynchronizationContext.setCurrent(new OwnedContext(new Value(owner)));
}

/** Where the context manager of this thread keeps the active context. */
function spanStorage(): AsyncLocalStorage<Context> {
  const key = Symbol.for("opentelemetry.js.api.1");
  const api = (globalThis as unknown as Record<symbol, { context: { _asyncLocalStorage: unknown } }>)[key]!;
  return api.context._asyncLocalStorage as AsyncLocalStorage<Context>;
}
