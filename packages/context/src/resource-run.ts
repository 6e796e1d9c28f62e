/**
 * Calls a function in what an AsyncResource captured: our context and every AsyncLocalStorage of the process, for about
 * the price of a call. `AsyncLocalStorage.snapshot()` would cost 0.6–10 µs.
 *
 * Contexts in a worker are entered through one AsyncResource per distinct context (12 ns a job on Node 24, and it undoes what the job did
 * to anybody's AsyncLocalStorage), not through `AsyncLocalStorage.run` (235 ns). On Node 22, where storages run on async hooks, a fresh
 * resource per job does the same at 105 ns.
 */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { AsyncResourceOptions } from "node:async_hooks";
import { ambient, current, isolated, replace } from "./ambient.ts";
import type { ContextKey } from "./context-key.ts";
import { ContextState } from "./context-state.ts";
import { apply, create, getOwnPropertySymbols, setPrototypeOf } from "./intrinsics.ts";
import { shared } from "./this-copy.ts";
import { announceSwitch, noteWatchedKey } from "./value-changes.ts";

/**
 * No `destroy` hook for what is made per work item: tracking it costs more than all the rest. Node reads the options at each capture.
 * An instance without Object.prototype above it is read fast; what `Object.create(null)` gives is a dictionary, which was a quarter
 * of the cost of a capture.
 */
class ResourceOptions {
  readonly requireManualDestroy = true;
  readonly triggerAsyncId = undefined;
}
setPrototypeOf(ResourceOptions.prototype, null);

export const resourceOptions: AsyncResourceOptions = new ResourceOptions();

export const resourceType = "SKEIN";

/**
 * Where storages run on async_hooks (Node 22, or 24 with a flag) `enterWith` writes on the resource itself, and the next
 * run in it would see that. Where they run on context frames, a frame never changes.
 */
const keepsWhatRunsEnter: boolean = probe();

interface Runs {
  /** Whether anybody watches a value: a run then has more to do than to call. False until the first local with a handler. */
  hasWatchers: boolean;
  /** What `runInResource` would do is `runInAsyncScope` and nothing else: hot paths look here first. */
  isPlain: boolean;
  /** The same for `runInResourceOnce`. */
  isPlainOnce: boolean;
  /** Whether flow was ever suppressed: captures look for it from then on. */
  mayBeSuppressed: boolean;
}

export const runs: Runs = shared("runs", () => ({
  hasWatchers: false,
  isPlain: !keepsWhatRunsEnter,
  isPlainOnce: true,
  mayBeSuppressed: false,
}));

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

function probe(): boolean {
  const storage = new AsyncLocalStorage<boolean>(create(null) as object);
  const resource = freshResource();
  resource.runInAsyncScope(() => storage.enterWith(true));
  const entered = resource.runInAsyncScope(() => storage.getStore());
  storage.disable();
  return entered === true;
}
