/**
 * The one AsyncLocalStorage of the package, and the only file that touches it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ContextKey } from "./context-key.ts";
import { ContextState } from "./context-state.ts";
import { announceSwitch } from "./value-changes.ts";

const storage = new AsyncLocalStorage<ContextState>();

// Where storages run on async_hooks, one that is enabled later than a promise leaks values set inside a callee to the
// caller that awaits it (nodejs/node#53037). Entering enables it now; `run` would not.
storage.enterWith(ContextState.default);

/** What runs around a context besides the context: saved on entry to a boundary and put back on exit. */
export interface RunGuard {
  save(): unknown;
  restore(saved: unknown): void;
}

let guard: RunGuard | undefined;

/**
 * Has `ExecutionContext.run` and `isolate` save and put back one more ambient thing: the current
 * SynchronizationContext, which does not flow but is undone at the same boundary (A2.2, A2.3). One per thread.
 */
export function setRunGuard(runGuard: RunGuard): void {
  guard = runGuard;
}

/**
 * Goes up with every change that is made through this package: as long as it stands still within one synchronous run, the
 * context is what it was at its beginning. A fifth of the price of reading the context.
 */
export let changes = 0;

export function current(): ContextState {
  return storage.getStore() ?? ContextState.default;
}

/** Makes a state current without telling anybody. */
export function replace(next: ContextState): void {
  changes++;
  storage.enterWith(next);
}

/** Makes a state current, and tells the handlers of the values that differ. Costs one read if it is current already. */
export function switchTo(next: ContextState): void {
  const previous = current();
  if (previous === next) return;
  changes++;
  storage.enterWith(next);
  announceSwitch(previous, next);
}

/** Gives one local another value in the current context, and tells its handler. */
export function assign(key: ContextKey, value: unknown): void {
  const previous = current();
  const isRemoval = value === undefined && key.onValueChanged === undefined;
  // A local with a handler keeps its entry, and with it its place in the order of notifications (A1.7).
  const next = isRemoval ? previous.without(key) : previous.with(key, value);
  if (next === previous) return;
  const handler = key.onValueChanged;
  const previousValue = handler === undefined ? undefined : previous.read(key);
  changes++;
  storage.enterWith(next);
  if (handler === undefined) return;
  const currentValue = next.read(key);
  if (!Object.is(previousValue, currentValue))
    handler({ previousValue, currentValue, contextChanged: false });
}

/** Calls `fn` and undoes what it changed, also when it throws. */
export function isolated<R, A extends unknown[]>(fn: (...args: A) => R, args: A): R {
  const previous = current();
  const runGuard = guard;
  const saved = runGuard?.save();
  try {
    return fn(...args);
  } finally {
    runGuard?.restore(saved);
    switchTo(previous);
  }
}

/** Calls `fn` with `state` current, then puts back what was, also when it throws. */
export function runWith<R, A extends unknown[]>(state: ContextState, fn: (...args: A) => R, args: A): R {
  const previous = current();
  const runGuard = guard;
  const saved = runGuard?.save();
  switchTo(state);
  try {
    return fn(...args);
  } finally {
    runGuard?.restore(saved);
    switchTo(previous);
  }
}

/** Calls `fn` with one local set, then puts back what was, also when it throws. */
export function runAssigned<R, A extends unknown[]>(
  key: ContextKey,
  value: unknown,
  fn: (...args: A) => R,
  args: A,
): R {
  const previous = current();
  const runGuard = guard;
  const saved = runGuard?.save();
  try {
    assign(key, value);
    return fn(...args);
  } finally {
    runGuard?.restore(saved);
    switchTo(previous);
  }
}
