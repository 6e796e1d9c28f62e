/** What a run of a function in another context has to do, on this version of Node.js and for the values that there are. */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { AsyncResourceOptions } from "node:async_hooks";
import { create, setPrototypeOf } from "./intrinsics.ts";
import { shared } from "./this-copy.ts";

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
export const keepsWhatRunsEnter: boolean = probe();

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

function probe(): boolean {
  const storage = new AsyncLocalStorage<boolean>(create(null) as object);
  const resource = new AsyncResource(resourceType, resourceOptions);
  resource.runInAsyncScope(() => storage.enterWith(true));
  const entered = resource.runInAsyncScope(() => storage.getStore());
  storage.disable();
  return entered === true;
}
