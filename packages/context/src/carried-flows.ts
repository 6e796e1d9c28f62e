/** Stores that came with a carrier, as text, are entered into the storages that they belong to. */
import { runWith } from "./ambient.ts";
import type { CarriedValues } from "./carried-values.ts";
import type { ContextState } from "./context-state.ts";
import { InvalidOperationError } from "./skein-error.ts";
import { apply, stringify } from "./intrinsics.ts";
import { flows } from "./registered-flows.ts";
import type { Flow } from "./registered-flows.ts";

/** What of a carried state belongs to flows of this thread. */
export interface CarriedFlows {
  /** The state without it: what is in a storage is not in the context too. */
  readonly rest: ContextState;
  readonly list: readonly Flow[];
  readonly values: CarriedValues;
  /** Each use needs copies of its own. */
  readonly isMutable: boolean;
  readonly asOf: number;
}

/** The `rest` of a state is always the same object, as long as the flows of the thread are. */
const known = new WeakMap<ContextState, CarriedFlows>();

/** Null when nothing of the state belongs to a flow. */
export function carriedFlows(state: ContextState): CarriedFlows | null {
  if (flows.isEmpty || state.carried === null) return null;
  let found = known.get(state);
  if (found === undefined || found.asOf !== flows.changes)
    known.set(state, (found = find(state, state.carried)));
  return found.list.length === 0 ? null : found;
}

function find(state: ContextState, values: CarriedValues): CarriedFlows {
  const list = flows.list.filter(({ name }) => values.values.has(name));
  let rest = state;
  for (const { key } of list) rest = rest.without(key);
  return { rest, list, values, isMutable: list.some(({ isMutable }) => isMutable), asOf: flows.changes };
}

/** Calls `fn` with `state` current and the stores that came with it entered; then everything is as it was. */
export function runCarried<R, A extends unknown[]>(state: ContextState, fn: (...args: A) => R, args: A): R {
  const carried = carriedFlows(state);
  if (carried === null) return runWith(state, fn, args);
  return runWith(carried.rest, () => enterFlows(carried, () => apply(fn, undefined, args)), []);
}

/**
 * Calls `fn` inside every `enter`, the first flow's outermost. Runs code of users.
 * @throws InvalidCarrierError if a codec refuses its text, what `enter` throws, InvalidOperationError if it does not call.
 */
export function enterFlows<R>(carried: CarriedFlows, fn: () => R): R {
  return enterFrom(0, carried, fn);
}

function enterFrom<R>(index: number, carried: CarriedFlows, fn: () => R): R {
  const flow = carried.list[index];
  if (flow === undefined) return fn();
  const inside = (): R => enterFrom(index + 1, carried, fn);
  let value: unknown;
  try {
    const { key } = flow;
    value = flow.isMutable ? carried.values.decodeAnew(key) : carried.values.lookup(key);
  } catch (error) {
    if (!flow.ignoresErrors) throw error;
  }
  return value === undefined ? inside() : enterOne(flow, value, inside);
}

/** What `inside` gave or threw passes through, whatever `enter` makes of it. */
function enterOne<R>(flow: Flow, value: unknown, inside: () => R): R {
  let call: { result: R } | { error: unknown } | "waiting" | "over" = "waiting";
  let failure: { error: unknown } | null = null;
  try {
    flow.enter(value, () => {
      if (call !== "waiting") throw calledWrongly(flow, "called its function more than once, or later");
      call = "over";
      try {
        const result = inside();
        call = { result };
        return result;
      } catch (error) {
        call = { error };
        throw error;
      }
    });
  } catch (error) {
    failure = { error };
  }
  // TypeScript does not see what a callback assigns.
  const called = call as { result: R } | { error: unknown } | "waiting";
  if (called === "waiting") {
    call = "over";
    if (flow.ignoresErrors) return inside();
    throw failure === null ? calledWrongly(flow, "did not call its function") : failure.error;
  }
  if ("error" in called) throw called.error;
  if (failure !== null && !flow.ignoresErrors) throw failure.error;
  return called.result;
}

function calledWrongly(flow: Flow, what: string): InvalidOperationError {
  return new InvalidOperationError(
    `\`enter\` of the flow ${stringify(flow.name)} ${what}; it has to call it once, before it returns`,
  );
}
