/**
 * Calls a function in what an AsyncResource captured: our context and every AsyncLocalStorage of the process, for about
 * the price of a call. `AsyncLocalStorage.snapshot()` would cost 0.6–10 µs.
 *
 * Contexts in a worker are entered through one AsyncResource per distinct context (12 ns a job on Node 24, and it undoes what the job did
 * to anybody's AsyncLocalStorage), not through `AsyncLocalStorage.run` (235 ns). On Node 22, where storages run on async hooks, a fresh
 * resource per job does the same at 105 ns.
 */
import { AsyncResource } from "node:async_hooks";
import { ambient, current, isolated, replace } from "./ambient.ts";
import type { ContextKey } from "./context-key.ts";
import { ContextState } from "./context-state.ts";
import { apply, getOwnPropertySymbols } from "./intrinsics.ts";
import { keepsWhatRunsEnter, resourceOptions, resourceType, runs } from "./runs.ts";
import { announceSwitch, noteWatchedKey } from "./value-changes.ts";

export function watchKey(key: ContextKey): void {
  runs.hasWatchers = true;
  runs.isPlain = false;
  runs.isPlainOnce = false;
  noteWatchedKey(key);
}

export function noteSuppression(): void {
  runs.mayBeSuppressed = true;
}

/**
 * Call around the construction of a resource: while flow is suppressed, it must capture the default context. Gives what
 * `endCapture` puts back.
 */
export function beginCapture(): ContextState | null {
  if (!runs.mayBeSuppressed) return null;
  const state = current();
  if (!state.isFlowSuppressed) return null;
  replace(ContextState.default);
  return state;
}

export function endCapture(hidden: ContextState | null): void {
  if (hidden !== null) replace(hidden);
}

/** Everything ambient now, our context in the default state if its flow is suppressed. */
export function captureResource(): AsyncResource {
  const hidden = beginCapture();
  const resource = freshResource();
  endCapture(hidden);
  return resource;
}

/** Runs in the captured state, any number of times: no run sees what another entered. */
export function runInResource<R, A extends unknown[]>(
  resource: AsyncResource,
  fn: (this: unknown, ...args: A) => R,
  thisArg: unknown,
  args: A,
): R {
  const target = keepsWhatRunsEnter ? resource.runInAsyncScope(freshResource) : resource;
  return runInResourceOnce(target, fn, thisArg, args);
}

/** Like {@link runInResource} for a resource that is never used again: cheaper where a run could spoil it. */
export function runInResourceOnce<R, A extends unknown[]>(
  resource: AsyncResource,
  fn: (this: unknown, ...args: A) => R,
  thisArg: unknown,
  args: A,
): R {
  return runs.hasWatchers
    ? runWatched(resource, fn, thisArg, args)
    : resource.runInAsyncScope(fn, thisArg, ...args);
}

/**
 * Calls `fn` in what is ambient now; what it changes reaches nobody else, in no storage of the process. Where storages run on async_hooks
 * the fresh resource takes what is entered.
 */
export function runApart<R, A extends unknown[]>(fn: (...args: A) => R, args: A): R {
  // On the way out, handlers are told what changes back.
  if (runs.hasWatchers) return freshResource().runInAsyncScope(isolated<R, A>, undefined, fn, args);
  const { guard } = ambient;
  const saved = guard?.save();
  try {
    return freshResource().runInAsyncScope(fn, undefined, ...args);
  } finally {
    guard?.restore(saved);
  }
}

/** Runs, and tells the handlers on the way in and on the way out. */
function runWatched<R, A extends unknown[]>(
  resource: AsyncResource,
  fn: (this: unknown, ...args: A) => R,
  thisArg: unknown,
  args: A,
): R {
  const outside = current();
  let inside = outside;
  try {
    return resource.runInAsyncScope((): R => {
      inside = current();
      announceSwitch(outside, inside);
      try {
        return apply(fn, thisArg, args);
      } finally {
        inside = current();
      }
    });
  } finally {
    announceSwitch(inside, outside);
  }
}

/**
 * What `make` captures with `state` for our own values and `base` for everybody else's. Nobody is told: nothing runs in
 * that state yet.
 */
export function captureUnder<T>(base: AsyncResource, state: ContextState, make: () => T): T {
  const target = keepsWhatRunsEnter ? base.runInAsyncScope(freshResource) : base;
  return target.runInAsyncScope((): T => {
    if (current() !== state) replace(state);
    return make();
  });
}

/**
 * The resource with nothing captured. Node keeps what a resource captures in properties of its own, a frame or one store
 * for each storage, beside its two ids; without them it enters the empty context (`storage-modes.test.ts` tries every
 * version). No call of Node gives an empty resource inside somebody's `run`.
 */
export function emptied<T extends AsyncResource>(resource: T): T {
  // Deno's has no trigger.
  const ids = new Set<unknown>([resource.asyncId(), (resource as Partial<T>).triggerAsyncId?.()]);
  const slots = resource as Record<symbol, unknown>;
  for (const symbol of getOwnPropertySymbols(resource)) {
    if (!ids.has(slots[symbol])) slots[symbol] = undefined;
  }
  return resource;
}

function freshResource(): AsyncResource {
  return new AsyncResource(resourceType, resourceOptions);
}
