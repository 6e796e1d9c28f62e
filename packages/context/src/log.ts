/** The current context as fields of a log line. */
import { current } from "./ambient.ts";
import { absent } from "./context-key.ts";
import type { ContextKey } from "./context-key.ts";
import type { ContextState } from "./context-state.ts";
import { findByName, namesClaimed } from "./flowing-names.ts";
import { define } from "./intrinsics.ts";

interface CachedFields {
  readonly fields: Readonly<Record<string, unknown>>;
  /** A local defined later may find its value in a carried context: then the fields are read again. */
  readonly asOf: number;
}

const cache = new WeakMap<ContextState, CachedFields>();

/**
 * The values of the locals that flow to threads or on the wire, by name: the `mixin` of a pino logger. Only values that
 * were set; defaults, and values that their codec refuses, are left out. Read once per context; each call gives a copy,
 * because loggers write into what a mixin returns.
 *
 * @example
 * const log = pino({ mixin: contextFields });
 */
export function contextFields(): Record<string, unknown> {
  const state = current();
  let cached = cache.get(state);
  if (cached === undefined || cached.asOf !== namesClaimed()) {
    cached = { fields: readFields(state), asOf: namesClaimed() };
    cache.set(state, cached);
  }
  return { ...cached.fields };
}

function readFields(state: ContextState): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const key of flowingKeys(state)) {
    try {
      const value = state.lookup(key);
      if (key.name !== undefined && value !== absent && value !== undefined)
        define(fields, key.name, value, true);
    } catch {
      // A log line must not fail because another machine sent a bad value; whoever reads the local is told.
    }
  }
  return fields;
}

function* flowingKeys(state: ContextState): Iterable<ContextKey> {
  for (const name of state.carried?.names ?? []) {
    const key = findByName(name);
    if (key !== undefined) yield key;
  }
  for (const key of state.keys) if (key.flow !== "local") yield key;
}
