/** Stores that came with a carrier, as text, are entered into the storages that they belong to. */
import { runWith } from "./ambient.ts";
import type { CarriedValues } from "./carried-values.ts";
import type { ContextState } from "./context-state.ts";
import { InvalidOperationError } from "./skein-error.ts";
import { apply, stringify } from "./intrinsics.ts";
import { RecentMap } from "./recent-map.ts";
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

/** For contexts that are entered again and again: the `rest` of a state is the same object, as long as the flows of the thread are. */
const known = new RecentMap<ContextState, CarriedFlows>();

function knownFlows(state: ContextState): CarriedFlows | null {
  if (flows.isEmpty || state.carried === null) return null;
  let found = known.get(state);
  if (found === undefined || found.asOf !== flows.changes)
    known.set(state, (found = find(state, state.carried)));
  return found.list.length === 0 ? null : found;
}

/** Null when nothing of the state belongs to a flow. */
export function carriedFlows(state: ContextState): CarriedFlows | null {
  if (flows.isEmpty || state.carried === null) return null;
  const found = find(state, state.carried);
  return found.list.length === 0 ? null : found;
}

function find(state: ContextState, carried: CarriedValues): CarriedFlows {
  const { values } = carried;
  let list: readonly Flow[] = flows.list;
  if (!list.every(({ name }) => values.has(name))) list = list.filter(({ name }) => values.has(name));
  return {
    rest: state.withoutCarried(list.map(({ name }) => name)),
    list,
    values: carried,
    isMutable: list.some((flow) => flow.isMutable),
    asOf: flows.changes,
  };
}

/** Calls `fn` with `state` current and the stores that came with it entered; then everything is as it was. */
export function runCarried<R, A extends unknown[]>(state: ContextState, fn: (...args: A) => R, args: A): R {
  const carried = knownFlows(state);
  if (carried === null) return runWith(state, fn, args);
  return runWith(carried.rest, () => enterFlows(carried, () => apply(fn, undefined, args)), []);
}

/**
 * Calls `fn` inside every `enter`, the first flow's outermost. Runs code of users.
 * @throws InvalidCarrierError if a codec refuses its text, what `enter` throws, InvalidOperationError if it does not call.
 */
function enterFlows<R>(carried: CarriedFlows, fn: () => R): R {
  return enterFrom(0, carried, fn);
}

function enterFrom<R>(index: number, carried: CarriedFlows, fn: () => R): R {
  const flow = carried.list[index];
  if (flow === undefined) return fn();
  const inside = (): R => enterFrom(index + 1, carried, fn);
  const value = valueFor(flow, carried.values);
  return value === undefined ? inside() : enterOne(flow, value, inside);
}

/**
 * As `enterFlows`, where whatever `fn` is called in ends with the caller: a storage of Node's is entered in place, without a `run` around the rest.
 */
export function enterFlowsHere<R>(carried: CarriedFlows, fn: () => R): R {
  return enterHereFrom(0, carried, fn);
}

function enterHereFrom<R>(from: number, carried: CarriedFlows, fn: () => R): R {
  const { list, values } = carried;
  for (let index = from; index < list.length; index++) {
    const flow = list[index]!;
    const value = valueFor(flow, values);
    if (value === undefined) continue;
    if (flow.enterHere === null) return enterOne(flow, value, () => enterHereFrom(index + 1, carried, fn));
    flow.enterHere(value);
  }
  return fn();
}

/** Undefined: there is none, or it is left out. */
function valueFor(flow: Flow, values: CarriedValues): unknown {
  try {
    return flow.isMutable ? values.decodeAnew(flow.key) : values.lookup(flow.key);
  } catch (error) {
    if (!flow.ignoresErrors) throw error;
    return undefined;
  }
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
