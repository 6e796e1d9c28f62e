/**
 * Who is told when another context becomes current. Node switches contexts by itself at every `await` and callback and
 * tells nobody; handlers hear of the switches that go through Skein.
 */
import type { ContextKey } from "./context-key.ts";
import type { ContextState } from "./context-state.ts";
import { findByName } from "./flowing-names.ts";
import { is, nextTick } from "./intrinsics.ts";
import { shared } from "./this-copy.ts";

const watching = shared("watching", () => ({
  /** Whether any local with a handler and a name that flows was ever made: only then can a carried value have one. */
  carriedValues: false,
}));

export function noteWatchedKey(key: ContextKey): void {
  if (key.flow !== "local") watching.carriedValues = true;
}

/** Tells every handler whose value differs between the two contexts. Call it after the switch. */
export function announceSwitch(previous: ContextState, next: ContextState): void {
  if (previous === next) return;
  const mayConcernCarried = watching.carriedValues && (previous.carried !== null || next.carried !== null);
  if (previous.watched.length === 0 && next.watched.length === 0 && !mayConcernCarried) return;

  // The outgoing context's locals first, in the order in which they were registered there.
  const keys = new Set<ContextKey>();
  for (const state of [previous, next]) {
    if (mayConcernCarried) for (const key of watchedCarriedKeys(state)) keys.add(key);
    for (const key of state.watched) keys.add(key);
  }
  for (const key of keys) {
    try {
      const previousValue = previous.read(key);
      const currentValue = next.read(key);
      if (is(previousValue, currentValue)) continue;
      key.onValueChanged?.({ previousValue, currentValue, contextChanged: true });
    } catch (error) {
      // There is no caller who could handle it: the switch may be one between two unrelated jobs.
      nextTick(rethrow, error);
    }
  }
}

function* watchedCarriedKeys(state: ContextState): Iterable<ContextKey> {
  if (state.carried === null) return;
  for (const name of state.carried.names) {
    const key = findByName(name);
    if (key?.onValueChanged !== undefined) yield key;
  }
}

function rethrow(error: unknown): never {
  throw error;
}
