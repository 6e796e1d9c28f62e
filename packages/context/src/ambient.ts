/**
 * The one AsyncLocalStorage of all copies of the package, and the only file that touches it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ContextKey } from "./context-key.ts";
import { ContextState } from "./context-state.ts";
import { create, is } from "./intrinsics.ts";
import { runs } from "./runs.ts";
import { shared } from "./this-copy.ts";
import { announceSwitch } from "./value-changes.ts";

interface Ambient {
  readonly storage: AsyncLocalStorage<ContextState>;
  guard: RunGuard | undefined;
  /**
   * Goes up with every change that is made through this package: as long as it stands still within one synchronous run,
   * the context is what it was at its beginning. A fifth of the price of reading the context.
   */
  changes: number;
}

export const ambient: Ambient = shared("ambient", () => {
  // With options of ours: those that Node would make inherit from Object.prototype.
  const options = create(null) as object;
  return { storage: new AsyncLocalStorage<ContextState>(options), guard: undefined, changes: 0 };
});
const { storage } = ambient;

// Where storages run on async_hooks, one that is enabled later than a promise leaks values set inside a callee to the
// caller that awaits it (nodejs/node#53037). Entering enables it now; `run` would not.
if (storage.getStore() === undefined) storage.enterWith(ContextState.default);

/** What runs around a context besides the context: saved on entry to a boundary and put back on exit. */
export interface RunGuard {
  save(): unknown;
  restore(saved: unknown): void;
}

/**
 * Has `ExecutionContext.run` and `isolate` save and put back one more ambient thing: the current
 * SynchronizationContext, which does not flow but is undone at the same boundary (A2.2, A2.3). Two are there when two
 * copies of that package are.
 */
export function setRunGuard(runGuard: RunGuard): void {
  const { guard } = ambient;
  ambient.guard = guard === undefined ? runGuard : bothGuards(guard, runGuard);
}

function bothGuards(first: RunGuard, second: RunGuard): RunGuard {
  return {
    save: (): readonly [unknown, unknown] => [first.save(), second.save()],
    restore(saved) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `save` gave.
      const [ofFirst, ofSecond] = saved as readonly [unknown, unknown];
      first.restore(ofFirst);
      second.restore(ofSecond);
    },
  };
}

export function current(): ContextState {
  return storage.getStore() ?? ContextState.default;
}

/** Makes a state current without telling anybody. */
export function replace(next: ContextState): void {
  ambient.changes++;
  storage.enterWith(next);
}

/** Makes a state current, and tells the handlers of the values that differ. Costs one read if it is current already. */
export function switchTo(next: ContextState): void {
  const previous = current();
  if (previous === next) return;
  ambient.changes++;
  storage.enterWith(next);
  announceSwitch(previous, next);
}

/** Gives one local another value in the current context, and tells its handler. */
export function assign(key: ContextKey, value: unknown): void {
  assignIn(current(), key, value);
}

/** The same, for a caller that has just read the current context, which is `previous`. @returns what is current now. */
function assignIn(previous: ContextState, key: ContextKey, value: unknown): ContextState {
  const isRemoval = value === undefined && key.onValueChanged === undefined;
  // A local with a handler keeps its entry, and with it its place in the order of notifications (A1.7).
  const next = isRemoval ? previous.without(key) : previous.with(key, value);
  if (next === previous) return next;
  const handler = key.onValueChanged;
  const previousValue = handler === undefined ? undefined : previous.read(key);
  ambient.changes++;
  storage.enterWith(next);
  if (handler === undefined) return next;
  const currentValue = next.read(key);
  if (!is(previousValue, currentValue)) handler({ previousValue, currentValue, contextChanged: false });
  return next;
}

/** Calls `fn` and undoes what it changed, also when it throws. */
export function isolated<R, A extends unknown[]>(fn: (...args: A) => R, args: A): R {
  const previous = current();
  const runGuard = ambient.guard;
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
  const runGuard = ambient.guard;
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
  const runGuard = ambient.guard;
  const saved = runGuard?.save();
  let inside = previous;
  try {
    inside = assignIn(previous, key, value);
    return fn(...args);
  } finally {
    runGuard?.restore(saved);
    // Where nobody has to be told, what has changed is not asked for.
    if (inside === previous || runs.hasWatchers) switchTo(previous);
    else replace(previous);
  }
}
