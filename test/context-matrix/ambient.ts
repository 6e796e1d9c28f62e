/** Everything ambient at once: six kinds, and what a piece of code sees of them. Loaded on both sides. */
import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal, flow } from "@skein/context";
import { SynchronizationContext } from "@skein/scheduling";

export const KINDS = ["local", "thread", "wire", "foreign", "flowing", "sync"] as const;
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
  const context = SynchronizationContext.current;
  return {
    local: local.value?.owner ?? "nothing",
    thread: thread.value?.owner ?? "nothing",
    wire: wire.value?.owner ?? "nothing",
    foreign: foreign.getStore()?.owner ?? "nothing",
    flowing: flowing.getStore()?.owner ?? "nothing",
    sync: context instanceof OwnedContext ? context.value.owner : "nothing",
  };
}

/** Runs `fn` where all six are there. @returns what it returned, and where the values went. */
export function within<R>(owner: string, fn: () => R): { result: R; kept: Record<Kind, WeakRef<Value>> } {
  const values = Object.fromEntries(KINDS.map((kind) => [kind, new Value(owner)])) as Record<Kind, Value>;
  const result = local.run(values.local, () =>
    thread.run(values.thread, () =>
      wire.run(values.wire, () =>
        foreign.run(values.foreign, () =>
          flowing.run(values.flowing, () => SynchronizationContext.run(new OwnedContext(values.sync), fn)),
        ),
      ),
    ),
  );
  const kept = Object.fromEntries(KINDS.map((kind) => [kind, new WeakRef(values[kind])])) as Record<
    Kind,
    WeakRef<Value>
  >;
  return { result, kept };
}

/** Leaves all six changed, as careless code does. */
export function leaveBehind(owner: string): void {
  local.value = new Value(owner);
  thread.value = new Value(owner);
  wire.value = new Value(owner);
  foreign.enterWith(new Value(owner));
  flowing.enterWith(new Value(owner));
  SynchronizationContext.setCurrent(new OwnedContext(new Value(owner)));
}
